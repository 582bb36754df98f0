"""The designs there are, and which of them can answer given records. A new design is one row here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from bothways.designs.base import Design, Refusal
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records
from bothways.terms.settings import Settings

DESIGNS: Mapping[str, str] = {
    "panel": "PanelDesign",
    "onset": "OnsetDesign",
    "diary": "DiaryDesign",
    "trial": "TrialDesign",
    "sustained": "SustainedDesign",
}
"""The folder of ``designs`` by key, and its class: loaded when first asked, because engines load compilers."""


def design_of(key: str) -> Design:
    """The design of one key."""
    made: Design = getattr(import_module(f"bothways.designs.{key}"), DESIGNS[key])()
    return made


def qualify(records: Records, settings: Settings) -> Iterator[tuple[Design, Refusal | None]]:
    """Each design that was asked for (all, unless ``settings.designs`` names some) with its refusal, if any."""
    for key in DESIGNS:
        if not settings.designs or key in settings.designs:
            design = design_of(key)
            yield design, design.refuse(records, settings)


def check_names(names: tuple[str, ...]) -> None:
    """Raise where a design is asked for that does not exist."""
    known = {*DESIGNS, "literature"}
    for name in names:
        if name not in known:
            raise QuestionError(
                "--design", f"there is no design named '{name}'", f"Choose from: {', '.join(sorted(known))}"
            )
