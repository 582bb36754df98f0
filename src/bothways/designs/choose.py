"""The designs there are, and which of them can answer given records. A new design is one row here."""

from __future__ import annotations

from collections.abc import Iterator

from bothways.designs.base import Design, Refusal
from bothways.designs.panel import PanelDesign
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records
from bothways.terms.settings import Settings

DESIGNS: tuple[Design, ...] = (PanelDesign(),)


def qualify(records: Records, settings: Settings) -> Iterator[tuple[Design, Refusal | None]]:
    """Each design that was asked for (all, unless ``settings.designs`` names some) with its refusal, if any."""
    for design in DESIGNS:
        if not settings.designs or design.key in settings.designs:
            yield design, design.refuse(records, settings)


def check_names(names: tuple[str, ...]) -> None:
    """Raise where a design is asked for that does not exist."""
    known = {design.key for design in DESIGNS} | {"literature"}
    for name in names:
        if name not in known:
            raise QuestionError(
                "--design", f"there is no design named '{name}'", f"Choose from: {', '.join(sorted(known))}"
            )
