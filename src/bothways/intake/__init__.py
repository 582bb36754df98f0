"""Any table -> Records: the only door in. What is heavy loads when ``read`` or ``describe`` is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bothways.intake.check import read
    from bothways.intake.description import describe

__all__ = ["describe", "read"]

_HOME = {"read": "bothways.intake.check", "describe": "bothways.intake.description"}


def __getattr__(name: str) -> Any:
    """Load the two public functions on first use, so that naming this package costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
