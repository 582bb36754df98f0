"""What a command leaves behind: the answer on the screen, and the files that were asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from bothways.cli.options import OUTPUT, Reader
from bothways.cli.rooms import room

UNANSWERED = 3


def _file(help: str, *flags: str, metavar: str = "FILE") -> Any:  # noqa: A002 - typer's own word
    return typer.Option(*flags, metavar=metavar, help=help, rich_help_panel=OUTPUT)


@dataclass(frozen=True)
class OutputOptions:
    """The options that say what is written; every command that answers shares them."""

    report: Annotated[Path | None, _file("Write the report: .html, .md or .txt.")] = None
    json_file: Annotated[Path | None, _file("Write the facts, at full precision.", "--json")] = None
    tables: Annotated[
        Path | None, _file("Write every table: CSV, and APA as tables.md.", "--tables", metavar="FOLDER")
    ] = None
    save: Annotated[Path | None, _file("Keep the whole study, to be read back by bothways.load.", "--save")] = None
    reader: Annotated[Reader, typer.Option("--for", help="For whom it is written.", rich_help_panel=OUTPUT)] = (
        Reader.CLINICIAN
    )

    def check(self, study: ModuleType, *inputs: Path) -> None:
        """Refuse before the work begins what could not be written after it, or would overwrite what is read."""
        study.check_apart(tuple(filter(None, (self.report, self.json_file, self.save, self.tables))), inputs)
        if self.report:
            study.report_form(self.report)
        for path in filter(None, (self.report, self.json_file, self.save)):
            study.check_writable(path)
        if self.tables:
            study.check_writable(self.tables, folder=True)

    def deliver(self, study: Any) -> None:
        """Print the answer, write what was asked for, and leave with 3 where no design could answer."""
        facts = study.facts()
        typer.echo(room("reports").render(facts, "terminal", self.reader.value))
        if self.json_file:
            room("study").write_text(self.json_file, json.dumps(facts, indent=1, allow_nan=False))
        if self.report:
            study.report(self.report, self.reader.value)
            typer.echo(f"The report is in {self.report}.")
        if self.tables:
            typer.echo(f"{len(study.tables(self.tables))} tables are in {self.tables}.")
        if self.save:
            study.save(self.save)
        if not study.answered:
            for result in study.outcome.results:
                typer.echo(f"{result.design}: {_reason(result)}", err=True)
            raise typer.Exit(UNANSWERED)

    def over(self, file: Any) -> OutputOptions:
        """These options, and for those that were not given what a study file asks for."""
        told = file.told.output

        def place(own: Path | None, asked: str | None) -> Path | None:
            return own or (file.beside(asked) if asked else None)

        reader = self.reader if self.reader is not Reader.CLINICIAN else Reader(told.reader)
        return OutputOptions(
            place(self.report, told.report),
            place(self.json_file, told.json_file),
            place(self.tables, told.tables),
            place(self.save, told.save),
            reader,
        )


def _reason(result: Any) -> str:
    """Why a design has no answer: its refusal with the mend, or what its fits came to."""
    if result.refused:
        return f"{result.refused}. {result.mend}".strip()
    said = dict.fromkeys(answer.status_says for answer in result.answers if answer.status_says)
    return " ".join(said) or "no answer came about."
