"""study.toml: which tables, how they lie, what is asked and what is written, so that a study can be repeated."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bothways.study.road import read
from bothways.study.topics import SHIPPED_TOPIC
from bothways.study.what_if import parse_what_if
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout
from bothways.terms.progress import Progress, silent
from bothways.terms.question import Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings

Names = tuple[str, ...]
Numbers = tuple[float, ...]


class _Part(BaseModel):
    """A table of the file; a key that is not known is refused, since it is a slip."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LayoutPart(_Part):
    """How a table lies: the fields of ``Layout``."""

    id: str | None = None
    time: str | None = None
    a: Names = ()
    b: Names = ()
    covariates: Names = ()
    pathways: Names = ()
    by: Names = ()
    cluster: str | None = None
    weight: str | None = None
    strata: str | None = None
    arm: str | None = None
    death: str | None = None
    numbered: Literal["items", "waves"] | None = None
    waves: bool = False
    wave_gap: Names = ()
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    instruments: dict[str, str] = Field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    higher_is_better: Names = ()
    missing_codes: dict[str, Numbers] = Field(default_factory=dict)
    answer_codes: dict[str, Numbers] = Field(default_factory=dict)
    cuts: dict[str, float] = Field(default_factory=dict)
    sheet: str | None = None


class SourcePart(_Part):
    """One table: its name, where it is, how it lies, and which other sources hold the same people."""

    name: str = ""
    data: str
    layout: LayoutPart = LayoutPart()
    shares_people_with: Names = ()


class SettingsPart(_Part):
    """How the study is run: the fields of ``Settings`` that a person sets."""

    level: float = Field(0.95, ge=0.95, lt=1)
    seed: int = Field(1, ge=0)
    bootstrap: int = Field(0, ge=0)
    quick: bool = False
    designs: Names = ()
    negative_control: str | None = None
    challenge_seconds: float = Field(10.0, ge=0)
    horizon_days: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    smallest_effects: dict[Scale, float] = Field(default_factory=dict)
    cuts: dict[str, float] = Field(default_factory=dict)
    what_if: Names = ()
    accuracy: dict[str, tuple[float, float]] = Field(default_factory=dict)  # nan: to be estimated


class OutputPart(_Part):
    """What is written, and for whom."""

    report: str | None = None
    json_file: str | None = Field(None, alias="json")
    tables: str | None = None
    save: str | None = None
    reader: Literal["patient", "clinician", "researcher"] = Field("clinician", alias="for")


class FilePart(_Part):
    """The whole file. One table: ``data`` and ``[layout]``; several: a ``[[source]]`` each."""

    topic: str | None = None
    literature: bool = False
    data: str | None = None
    layout: LayoutPart = LayoutPart()
    source: tuple[SourcePart, ...] = ()
    settings: SettingsPart = SettingsPart()
    output: OutputPart = OutputPart()


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study as its file tells it; ``read`` opens the tables. Places are relative to the file's own folder."""

    place: Path
    told: FilePart
    sources: tuple[SourcePart, ...]

    def read(self, progress: Progress = silent) -> dict[str, Records]:
        """The records of every source, by its name."""
        return {s.name: self._read(s, progress) for s in self.sources}

    def _read(self, source: SourcePart, progress: Progress) -> Records:
        stated = Layout(**dict(source.layout))
        topic = None if stated.a and stated.b and not self.told.topic else self._topic()
        return read(self.beside(source.data), topic=topic, layout=stated, progress=progress)

    def _topic(self) -> str:
        topic = self.told.topic or SHIPPED_TOPIC
        return str(self.beside(topic)) if topic.endswith(".toml") else topic

    @property
    def settings(self) -> Settings:
        """How it is run; cut-offs may stand with the layout or with the settings."""
        cuts = {key: cut for s in self.sources for key, cut in s.layout.cuts.items()}
        told = dict(self.told.settings)
        changes = parse_what_if(self.told.settings.what_if)
        return Settings(**{**told, "cuts": {**cuts, **self.told.settings.cuts}, "what_if": changes})

    @property
    def share_people(self) -> tuple[tuple[str, str], ...]:
        """Pairs of sources that hold some of the same people."""
        return tuple((s.name, other) for s in self.sources for other in s.shares_people_with)

    def beside(self, path: str) -> Path:
        """A path of the file, seen from where the file lies."""
        return self.place.parent / path


def read_study_file(path: str | Path) -> StudyFile:
    """Read and check a study.toml. Raises ``QuestionError``: one sentence with the place, the find and the mend."""
    place = Path(path)
    try:
        raw = tomllib.loads(place.read_text("utf-8-sig"))
    except OSError as error:
        raise QuestionError(str(place), f"it cannot be read ({error.strerror})", "Check the name") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise QuestionError(place.name, f"it is no TOML: {error}", "Correct that line") from error
    told = _checked(raw, place.name)
    return StudyFile(place, told, _sources(told, place.name))


def _checked(raw: dict[str, Any], where: str) -> FilePart:
    try:
        return FilePart.model_validate(_with_lists(raw))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise _sentence(details, where) from None


def _with_lists(raw: dict[str, Any]) -> dict[str, Any]:
    """One name may stand without its brackets: ``a = "phq9"`` is ``a = ["phq9"]``."""
    many = {name for name, kind in LayoutPart.model_fields.items() if kind.annotation == Names}
    many |= {"designs", "shares_people_with", "what_if"}

    def listed(table: Any) -> Any:
        if isinstance(table, dict):
            return {k: [v] if k in many and isinstance(v, str) else listed(v) for k, v in table.items()}
        return [listed(x) for x in table] if isinstance(table, list) else table

    found: dict[str, Any] = listed(raw)
    return found


def _sentence(details: list[ErrorDetails], where: str) -> QuestionError:
    first, more = details[0], len(details) - 1
    steps = first["loc"]
    last = str(steps[-1]) if steps else ""
    place = "".join(f" {s + 1}" if isinstance(s, int) else f", '{s}'" for s in steps)
    rest = f" ({more} more like this)" if more else ""
    match first["type"]:
        case "missing":
            return QuestionError(f"{where}{place}", f"it is missing{rest}", f"Add '{last}'")
        case "extra_forbidden":
            return QuestionError(f"{where}{place}", f"no such key is known here{rest}", _nearest(last, steps))
        case _:
            found = first["msg"].replace("Input should", "the value should")
            return QuestionError(f"{where}{place}", found + rest, "Correct the value")


def _nearest(name: str, steps: tuple[int | str, ...]) -> str:
    tables: dict[str, type[BaseModel]] = {
        "layout": LayoutPart,
        "settings": SettingsPart,
        "output": OutputPart,
        "source": SourcePart,
    }
    named = [tables[str(step)] for step in steps[:-1] if str(step) in tables]
    part: type[BaseModel] = named[-1] if named else FilePart
    known = [field.alias or key for key, field in part.model_fields.items()]
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Use one of: {', '.join(known)}"


def _sources(told: FilePart, where: str) -> tuple[SourcePart, ...]:
    """The sources, each with a name of its own."""
    if told.data is not None and told.source:
        raise QuestionError(
            where, "it holds both 'data' and [[source]]", "Give one table as data, several as [[source]]"
        )
    given = told.source or ((SourcePart(data=told.data, layout=told.layout),) if told.data is not None else ())
    if not given:
        raise QuestionError(where, "it names no table", 'Add data = "panel.csv"')
    named = tuple(s.model_copy(update={"name": s.name or Path(s.data).stem}) for s in given)
    names = [s.name for s in named]
    for name in names:
        if names.count(name) > 1:
            raise QuestionError(where, f"two sources are named '{name}'", "Give each a name of its own")
    return named
