"""The commands. Each loads what it needs when it runs, so that ``--help`` answers at once."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

import bothways
from bothways.cli.options import OUTPUT, Data, Reader, TableOptions, names, with_options
from bothways.cli.plan import plan
from bothways.terms.progress import Progress, silent
from bothways.terms.settings import Settings

UNANSWERED = 3

app = typer.Typer(
    help="Which of two conditions came first, does it run both ways, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Report = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the report: .html, .md or .txt.", rich_help_panel=OUTPUT)
]
Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the facts, at full precision.", rich_help_panel=OUTPUT),
]
For = Annotated[Reader, typer.Option("--for", help="For whom the report is written.", rich_help_panel=OUTPUT)]
Quick = Annotated[bool, typer.Option("--quick", help="Skip what tries to break the answer.")]
Designs = Annotated[str, typer.Option("--design", metavar="auto|panel|...", help="Which designs answer.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same digits.")]
Bootstrap = Annotated[int, typer.Option(min=0, metavar="DRAWS", help="Intervals by resampling people; 0 for none.")]
Syntax = Annotated[
    str | None,
    typer.Option(
        "--export-syntax", metavar="lavaan|mplus", help="Write the model for another program.", rich_help_panel=OUTPUT
    ),
]
People = Annotated[int, typer.Option(min=1, help="How many people.")]
WaveCount = Annotated[int, typer.Option("--waves", min=1, help="How many waves.")]

app.add_typer(plan, name="plan")


def _version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"bothways {bothways.__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Which of two conditions came first, does it run both ways, and how sure are we?"""


@app.command()
def demo(report: Report = None, json_file: Json = None, reader: For = Reader.CLINICIAN, seed: Seed = 1) -> None:
    """The shipped topic, end to end, with no file: a simulated cohort, said to be one, beside its truth."""
    study = _room("study")
    _check_targets(study, report, json_file)
    world = _room("simulation").simulate("both-ways", people=1000, waves=5, seed=seed)
    with _progress() as progress:
        answer = study.ask_world(world, command=_command(), progress=progress)
    _deliver(answer, report, json_file, reader)


@app.command()
@with_options(TableOptions, "table")
def look(data: Data, table: TableOptions) -> None:
    """What is in a table, which designs it can carry, why not the others, and what to mend."""
    study = _room("study")
    with _progress() as progress:
        records = _read(study, data, table, progress)
        tables = study.look(records, Settings(cuts=table.layout().cuts))
    typer.echo(_room("reports").render_look(records.source, records.findings, tables))


@app.command()
@with_options(TableOptions, "table")
def ask(
    data: Data,
    table: TableOptions,
    design: Designs = "auto",
    quick: Quick = False,
    seed: Seed = 1,
    bootstrap: Bootstrap = 0,
    report: Report = None,
    json_file: Json = None,
    reader: For = Reader.CLINICIAN,
    syntax: Syntax = None,
) -> None:
    """Which came first, does it run both ways, how strongly, and how sure are we?"""
    study = _room("study")
    _check_targets(study, report, json_file)
    if syntax:
        study.check_program(syntax)
    settings = Settings(
        seed=seed,
        quick=quick,
        bootstrap=bootstrap,
        cuts=table.layout().cuts,
        designs=() if design == "auto" else names(design),
    )
    with _progress() as progress:
        records = _read(study, data, table, progress)
        answer = study.ask(records, settings=settings, command=_command(), progress=progress)
    if syntax:
        typer.echo(f"The model is in {study.export_syntax(records, syntax)}, with its table beside it.", err=True)
    _deliver(answer, report, json_file, reader)


@app.command()
def evidence(
    topic: Annotated[
        str, typer.Option(help="A topic that ships, or a topic.toml of your own.")
    ] = "depression-back-pain",
    file: Annotated[
        Path | None, typer.Option("--evidence", metavar="FILE", help="Published estimates of your own: CSV or TOML.")
    ] = None,
    report: Report = None,
    json_file: Json = None,
    reader: For = Reader.CLINICIAN,
) -> None:
    """The literature behind a topic: what was published each way, and why studies disagree."""
    study = _room("study")
    _check_targets(study, report, json_file)
    _deliver(study.evidence(topic, file=file, command=_command()), report, json_file, reader)


@app.command()
def simulate(
    world: Annotated[str, typer.Argument(metavar="WORLD", help="null, both-ways, pain-first, shared-cause, ...")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the table goes: .csv or .parquet.")],
    people: People = 1000,
    waves: WaveCount = 5,
    seed: Seed = 1,
    design: Annotated[str, typer.Option(help="How it is observed: panel, onset or diary.")] = "panel",
) -> None:
    """Make a world with known truth and write what one would observe of it."""
    made = _room("simulation").simulate(world, people=people, waves=waves, seed=seed, design=design)
    rows = _room("study").write_table(made.table(), out)
    typer.echo(f"{out.name}: {rows:,} rows of a simulated world. {made.says}")


def _room(name: str) -> ModuleType:
    """A room of the house, loaded when a command needs it."""
    return import_module(f"bothways.{name}")


def _read(study: ModuleType, data: Path, table: TableOptions, progress: Progress) -> Any:
    stated = table.layout()
    topic = table.topic or (None if stated.a and stated.b else study.SHIPPED_TOPIC)
    return study.read(data, topic=topic, layout=stated, progress=progress)


def _check_targets(study: ModuleType, report: Path | None, json_file: Path | None) -> None:
    """Refuse before the work begins what could not be written after it."""
    if report:
        study.report_form(report)
    for path in filter(None, (report, json_file)):
        study.check_writable(path)


def _deliver(study: Any, report: Path | None, json_file: Path | None, reader: Reader) -> None:
    """Print the answer, write what was asked for, and leave with 3 where no design could answer."""
    facts = study.facts()
    typer.echo(_room("reports").render(facts, "terminal", reader.value))
    if json_file:
        _room("study").write_text(json_file, json.dumps(facts, indent=1, allow_nan=False))
    if report:
        study.report(report, reader.value)
        typer.echo(f"The report is in {report}.")
    if not study.answered:
        for result in study.outcome.results:
            typer.echo(f"{result.design}: {result.refused}. {result.mend}".strip(), err=True)
        raise typer.Exit(UNANSWERED)


def _command() -> str:
    """The command that remakes this report, as it was typed."""
    return "bothways " + shlex.join(sys.argv[1:])


@contextmanager
def _progress() -> Iterator[Progress]:
    """A line that moves while long work goes on; nothing where the output is no terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console  # loaded only where a person is watching
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)
