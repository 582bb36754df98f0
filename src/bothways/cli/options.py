"""The options that several commands share, and how they become a Layout and Settings."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout

TABLE, OUTPUT = "The table", "What is written"


class Numbered(enum.StrEnum):
    """What the numbers at the end of column names count."""

    ITEMS = "items"
    WAVES = "waves"


class DateOrder(enum.StrEnum):
    """How 03/04/2021 is meant."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


class Reader(enum.StrEnum):
    """For whom the report is written: the depth differs, never the facts."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"


Data = Annotated[Path, typer.Argument(metavar="DATA", help="A table: CSV, Parquet, Excel, Stata, SPSS, SAS, ...")]
Text = str | None
Many = list[str] | None


def _table(help: str, *flags: str, metavar: str | None = None) -> Any:  # noqa: A002 - typer's own word
    return typer.Option(*flags, metavar=metavar, help=help, rich_help_panel=TABLE)


@dataclass(frozen=True)
class TableOptions:
    """The options that say what a table holds; ``look`` and ``ask`` share them."""

    topic: Annotated[Text, _table("A topic that ships, or a topic.toml of your own.")] = None
    a: Annotated[Text, _table("Column(s) of condition A.", "--a", metavar="COL[,COL]")] = None
    b: Annotated[Text, _table("Column(s) of condition B.", "--b", metavar="COL[,COL]")] = None
    id: Annotated[Text, _table("Who: the person's id.", "--id", metavar="COL")] = None
    time: Annotated[Text, _table("When: wave, day or date.", metavar="COL")] = None
    covariates: Annotated[Text, _table("Columns to adjust for.", metavar="COL,COL")] = None
    pathways: Annotated[Text, _table("Columns of mediators.", metavar="COL,COL")] = None
    by: Annotated[Text, _table("In whom: columns to split by.", metavar="COL,COL")] = None
    cluster: Annotated[Text, _table("Clinic, school or other cluster.", metavar="COL")] = None
    weight: Annotated[Text, _table("Sampling weight.", metavar="COL")] = None
    strata: Annotated[Text, _table("Stratum of the sampling plan.", metavar="COL")] = None
    arm: Annotated[Text, _table("Arm of a randomised trial.", metavar="COL")] = None
    death: Annotated[Text, _table("When people died; empty for who did not.", metavar="COL")] = None
    cut: Annotated[Many, _table("At or above: the condition is present.", metavar="NAME=4")] = None
    range: Annotated[Many, _table("A column's true range.", metavar="COL=0:100")] = None
    instrument: Annotated[Many, _table("Which questionnaire a column holds.", metavar="COL=phq9")] = None
    higher_is_better: Annotated[Text, _table("Columns to turn round.", metavar="COL,COL")] = None
    missing: Annotated[Many, _table("Codes that mean missing.", metavar="[COL=]99,77")] = None
    answers: Annotated[Many, _table("Odd-looking values that are answers.", metavar="COL=7,9")] = None
    numbered: Annotated[Numbered | None, _table("Are phq9_1 ... phq9_9 items or waves?")] = None
    waves: Annotated[bool, _table("Read dates or days as common waves.", "--waves")] = False
    wave_gap: Annotated[Text, _table("The gap between waves; a list if gaps differ.", metavar='"6 months"')] = None
    date_order: Annotated[DateOrder | None, _table("How 03/04/2021 is meant.")] = None
    sheet: Annotated[Text, _table("Which sheet of a workbook.", metavar="NAME")] = None

    def layout(self) -> Layout:
        """What the options state about the table."""
        return Layout(
            id=self.id,
            time=self.time,
            a=names(self.a),
            b=names(self.b),
            covariates=names(self.covariates),
            pathways=names(self.pathways),
            by=names(self.by),
            cluster=self.cluster,
            weight=self.weight,
            strata=self.strata,
            arm=self.arm,
            death=self.death,
            numbered=self.numbered.value if self.numbered else None,
            waves=self.waves,
            wave_gap=names(self.wave_gap),
            date_order=self.date_order.value if self.date_order else None,
            instruments=pairs("--instrument", self.instrument),
            ranges=ranges(self.range),
            higher_is_better=names(self.higher_is_better),
            missing_codes=codes("--missing", self.missing),
            answer_codes=codes("--answers", self.answers),
            cuts=cuts(self.cut),
            sheet=self.sheet,
        )


def with_options(options: type, place: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take a dataclass of options as its parameter ``place``.

    Typer reads options from a signature; this writes the dataclass's fields into it, so that commands share them.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(options, include_extras=True)
        shared = [
            Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(options)
        ]
        own_hints = get_type_hints(command, include_extras=True)
        own = [p.replace(annotation=own_hints[n]) for n, p in signature(command).parameters.items() if n != place]

        def run(*args: Any, **given: Any) -> None:
            chosen = {f.name: given.pop(f.name) for f in fields(options)}
            command(*args, **given, **{place: options(**chosen)})

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = Signature([*own, *shared])  # type: ignore[attr-defined]  # read by typer
        run.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
        return run

    return decorate


def names(text: str | None) -> tuple[str, ...]:
    """``"a, b"`` -> ``("a", "b")``."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def pairs(option: str, given: Iterable[str] | None) -> dict[str, str]:
    """``["pain=4"]`` -> ``{"pain": "4"}``, or a sentence that shows the form."""
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise QuestionError(option, f"'{text}' has no NAME=VALUE", f"Write it as {option} pain=4")
        found[name.strip()] = value.strip()
    return found


def number(option: str, text: str) -> float:
    """A number, or a sentence that names the option."""
    try:
        return float(text)
    except ValueError as error:
        raise QuestionError(option, f"'{text}' is no number", "Give a number such as 4 or 0.5") from error


def cuts(given: Iterable[str] | None) -> dict[str, float]:
    """``--cut pain=4`` by condition."""
    return {name: number("--cut", text) for name, text in pairs("--cut", given).items()}


def ranges(given: Iterable[str] | None) -> dict[str, tuple[float, float]]:
    """``--range pain=0:100`` by column."""
    found = {}
    for name, text in pairs("--range", given).items():
        low, colon, high = text.partition(":")
        if not colon:
            raise QuestionError("--range", f"'{name}={text}' has no LOW:HIGH", f"Write it as --range {name}=0:100")
        found[name] = (number("--range", low), number("--range", high))
    return found


def accuracies(given: Iterable[str] | None) -> dict[str, tuple[float, float]]:
    """``--accuracy depression=0.8:0.95`` by condition; ``?`` stands for a share that is to be estimated (NaN)."""
    found = {}
    for name, text in pairs("--accuracy", given).items():
        shares = [math.nan if part.strip() == "?" else number("--accuracy", part) for part in text.split(":")]
        if len(shares) != 2:
            mend = f"Write sensitivity and specificity as --accuracy {name}=0.8:0.95, or ? for one to be estimated"
            raise QuestionError("--accuracy", f"'{name}={text}' are no two shares", mend)
        found[name] = (shares[0], shares[1])
    return found


def codes(option: str, given: Iterable[str] | None) -> dict[str, tuple[float, ...]]:
    """``--missing 99,77`` for every column (key ""), ``--missing pain=9`` for one."""
    found = {}
    for text in given or ():
        name, equals, values = text.rpartition("=")
        found[name.strip() if equals else ""] = tuple(number(option, part) for part in names(values))
    return found
