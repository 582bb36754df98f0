"""Linear algebra by one thread: the matrices here are small, and to wake threads for each costs more than it gains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread, in a ``with`` or as a decorator; what was set before comes back.

    On two busy cores a panel with five mediators took 82 s with threads and 7 s without; on free ones the difference
    is smaller and has the same sign. Our own kernels keep their threads.
    """
    import scipy.linalg  # brings a BLAS of its own, which has to be there to be held
    from threadpoolctl import threadpool_limits  # used here alone

    assert scipy.linalg
    with threadpool_limits(limits=1, user_api="blas"):
        yield
