"""How long work tells of itself: a callback, so that only the faces draw."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, 0 to 1."""


def silent(_stage: str, _share: float) -> None:
    """The progress of nobody."""
