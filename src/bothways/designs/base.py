"""What every design is: it refuses with a reason, or it sets up, fits and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bothways.terms.answer import DesignResult
from bothways.terms.progress import Progress
from bothways.terms.records import Records
from bothways.terms.settings import Settings


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a design cannot answer these records, and what would let it."""

    reason: str
    mend: str = ""


@runtime_checkable
class Design(Protocol):
    """One way of answering. A design is a value without state; it holds nothing between two calls."""

    @property
    def key(self) -> str:
        """The word of ``--design``."""
        ...

    @property
    def label(self) -> str:
        """How a report names it."""
        ...

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """Why these records cannot be answered so, or None; cheap enough for ``bothways look``."""
        ...

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """Set up, fit, answer both directions. Called only where ``refuse`` returned None."""
        ...


def refused(design: Design, refusal: Refusal) -> DesignResult:
    """The result of a design that did not try."""
    return DesignResult(design=design.key, refused=refusal.reason, mend=refusal.mend)
