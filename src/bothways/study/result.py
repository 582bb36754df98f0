"""What ``ask`` and ``weigh`` hand back: the records and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bothways.keeping import load as read_back
from bothways.keeping import save
from bothways.reports import facts_of, render, tables_as_apa, tables_as_csv
from bothways.study.writing import report_form, write_text, write_texts
from bothways.terms.answer import DesignResult, Status, Table
from bothways.terms.errors import QuestionError, ReportError
from bothways.terms.outcome import Outcome
from bothways.terms.records import Records
from bothways.terms.verdict import Verdict

COLUMNS = ("id", "direction", "facet", "estimand", "status", "value", "low", "high", "se", "p", "scale", "people")


@dataclass(frozen=True, slots=True)
class Study:
    """A finished study: what was asked of which records, and what came of it.

    ``parts`` are the studies of the single sources, by name, where several were weighed.
    """

    records: Records
    outcome: Outcome
    parts: Mapping[str, Study] = field(default_factory=dict)

    def __getitem__(self, design: str) -> DesignResult:
        """What one design has to say: ``study["panel"].b_to_a.estimate``."""
        for result in self.outcome.results:
            if result.design == design:
                return result
        known = ", ".join(result.design for result in self.outcome.results)
        raise QuestionError("study", f"no design '{design}' was asked", f"Choose one of: {known}")

    @property
    def verdict(self) -> Verdict:
        """Both directions, in fixed words, with their dissent."""
        return self.outcome.verdict

    @property
    def answered(self) -> bool:
        """Whether any design could answer ("cannot tell" is an answer)."""
        return any(answer.status is Status.ANSWERED for result in self.outcome.results for answer in result.answers)

    def table(self) -> Table:
        """Every answer, one row each, at full precision."""
        rows = []
        for answer in (answer for result in self.outcome.results for answer in result.answers):
            head = (answer.id, answer.direction, answer.facet, answer.estimand, answer.status)
            e = answer.estimate
            rows.append(
                (*head, *((None,) * 7 if e is None else (e.value, e.low, e.high, e.se, e.p, e.scale, e.people)))
            )
        return Table("answers", "Every answer", COLUMNS, tuple(rows))

    def facts(self) -> dict[str, Any]:
        """The facts file as a dict: full precision, versioned, ready for JSON."""
        return facts_of(self.outcome)

    def report(self, path: str | Path, for_reader: str = "clinician") -> Path:
        """Write the report; the ending chooses its form: .html, .md or .txt."""
        target = Path(path)
        return write_text(target, render(self.facts(), report_form(target), for_reader))

    def save(self, path: str | Path) -> Path:
        """Write the whole study, records and outcome, to be read back by ``bothways.load`` to the digit.

        The file holds everybody's answers, though no identifiers: keep it as you keep the table.
        """
        own = {"records": self.records, "outcome": self.outcome}
        parts = {f"{word}/{name}": x for name, p in self.parts.items() for word, x in _told(p)}
        return save(Path(path), {**own, **parts})

    def tables(self, folder: str | Path) -> tuple[Path, ...]:
        """Write every table of the report into ``folder``: a CSV each, and all in APA form as ``tables.md``."""
        place, facts = Path(folder), self.facts()
        written = write_texts(place, tables_as_csv(facts), ".csv")
        return (*written, write_text(place / "tables.md", tables_as_apa(facts)))


def load(path: str | Path) -> Study:
    """A study that ``Study.save`` wrote. Raises ``ReportError`` for any other file."""
    held = read_back(Path(path))
    names = [key.removeprefix("outcome/") for key in held if key.startswith("outcome/")]
    parts = {name: _whole(path, held.get(f"records/{name}"), held[f"outcome/{name}"]) for name in names}
    return replace(_whole(path, held.get("records"), held.get("outcome")), parts=parts)


def _whole(path: str | Path, records: object, outcome: object) -> Study:
    if not isinstance(records, Records) or not isinstance(outcome, Outcome):
        raise ReportError(Path(path).name, "it holds no whole study", "Give a file that Study.save wrote")
    return Study(records, outcome)


def _told(study: Study) -> tuple[tuple[str, Records | Outcome], ...]:
    return ("records", study.records), ("outcome", study.outcome)
