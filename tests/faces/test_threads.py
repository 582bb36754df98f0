"""Linear algebra runs on one thread while a question is answered, and as before afterwards."""

from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

import bothways as bw
from bothways.study.threads import one_blas_thread


def blas() -> list[int]:
    return [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]


def test_within_it_every_blas_has_one_thread_and_afterwards_what_it_had() -> None:
    import scipy.linalg

    assert scipy.linalg
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas()
        with one_blas_thread():
            assert blas() == [1] * len(before)
        assert blas() == before


def test_a_question_is_asked_so() -> None:
    seen: list[list[int]] = []
    records = bw.simulate("null", people=60, waves=3, seed=1).records
    bw.ask(records, settings=bw.Settings(quick=True), progress=lambda stage, share: seen.append(blas()))
    assert seen
    assert all(set(threads) == {1} for threads in seen)
    assert bw.ask.__name__ == "ask"
