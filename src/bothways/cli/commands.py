"""The commands. Each loads what it needs when it runs, so that ``--help`` answers at once."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

import bothways
from bothways.cli import demo as demonstration
from bothways.cli.options import OUTPUT, Data, TableOptions, accuracies, names, with_options
from bothways.cli.outputs import OutputOptions
from bothways.cli.plan import plan
from bothways.cli.rooms import cache_folder, moving_line, room, typed
from bothways.terms.errors import QuestionError
from bothways.terms.progress import Progress
from bothways.terms.settings import Settings

app = typer.Typer(
    help="Which of two conditions came first, does it run both ways, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Quick = Annotated[bool, typer.Option("--quick", help="Skip what tries to break the answer.")]
Designs = Annotated[str, typer.Option("--design", metavar="auto|panel|...", help="Which designs answer.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same digits.")]
Bootstrap = Annotated[int, typer.Option(min=0, metavar="DRAWS", help="Intervals by resampling people; 0 for none.")]
Syntax = Annotated[
    str | None,
    typer.Option(
        "--export-syntax", metavar="lavaan|mplus", help="Write the model for another program.", rich_help_panel=OUTPUT
    ),
]
Control = Annotated[
    str | None,
    typer.Option("--negative-control", metavar="COL", help="A column that neither condition can affect."),
]
Change = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if", metavar='"NAME SD [for 4 weeks]"', help="The course a model implies, were it changed so."
    ),
]
Accuracy = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=0.8:0.95", help="Sensitivity and specificity of a condition's presence; ? to estimate."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Compute anew; `bothways cache` says where answers lie.")]
Literature = Annotated[bool, typer.Option("--literature", help="Let the published estimates join the verdict.")]
Sources = Annotated[list[Path], typer.Argument(metavar="DATA...", help="Tables of the same two conditions.")]
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
@with_options(OutputOptions, "outputs")
def demo(outputs: OutputOptions, seed: Seed = 1, no_cache: NoCache = False) -> None:
    """No file needed: what is published, then a simulated world, said to be one, beside its truth."""
    demonstration.show(outputs, seed, _cache(no_cache))


@app.command()
@with_options(TableOptions, "table")
def look(data: Data, table: TableOptions) -> None:
    """What is in a table, which designs it can carry, why not the others, and what to mend."""
    study = room("study")
    with moving_line() as progress:
        records = _read(study, data, table, progress)
        tables = study.look(records, Settings(cuts=table.layout().cuts))
    for line in study.care_of(records):
        typer.echo(f"{line}\n")
    typer.echo(room("reports").render_look(records.source, records.findings, tables))


@app.command()
@with_options(OutputOptions, "outputs")
@with_options(TableOptions, "table")
def ask(
    data: Data,
    table: TableOptions,
    outputs: OutputOptions,
    design: Designs = "auto",
    quick: Quick = False,
    seed: Seed = 1,
    bootstrap: Bootstrap = 0,
    control: Control = None,
    what_if: Change = None,
    accuracy: Accuracy = None,
    syntax: Syntax = None,
    no_cache: NoCache = False,
) -> None:
    """Which came first, does it run both ways, how strongly, and how sure are we? DATA may be a study.toml."""
    study = room("study")
    if data.suffix == ".toml":
        _ask_file(data, table, outputs, no_cache)
        return
    outputs.check(study, data)
    if syntax:
        study.check_program(syntax)
    settings = Settings(
        seed=seed,
        quick=quick,
        bootstrap=bootstrap,
        cuts=table.layout().cuts,
        designs=() if design == "auto" else names(design),
        negative_control=control,
        what_if=study.parse_what_if(what_if or ()),
        accuracy=accuracies(accuracy),
    )
    with moving_line() as progress:
        records = _read(study, data, table, progress)
        answer = study.ask(records, settings=settings, command=typed(), cache=_cache(no_cache), progress=progress)
    if syntax:
        typer.echo(f"The model is in {study.export_syntax(records, syntax)}, with its table beside it.", err=True)
    outputs.deliver(answer)


@app.command()
@with_options(OutputOptions, "outputs")
@with_options(TableOptions, "table")
def weigh(
    data: Sources,
    table: TableOptions,
    outputs: OutputOptions,
    literature: Literature = False,
    quick: Quick = False,
    seed: Seed = 1,
    no_cache: NoCache = False,
) -> None:
    """Several sources (a cohort, a diary, the literature), one verdict: several tables, or one study.toml."""
    study = room("study")
    if data[0].suffix == ".toml" and len(data) == 1:
        _ask_file(data[0], table, outputs, no_cache, joined=True)
        return
    outputs.check(study, *data)
    settings = Settings(seed=seed, quick=quick, cuts=table.layout().cuts)
    with moving_line() as progress:
        sources = {name: _read(study, path, table, progress) for name, path in _by_name(data).items()}
        answer = study.weigh(
            sources,
            literature=literature,
            settings=settings,
            command=typed(),
            cache=_cache(no_cache),
            progress=progress,
        )
    outputs.deliver(answer)


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Forget everything that is remembered.")] = False,
) -> None:
    """Where answers are remembered ($BOTHWAYS_CACHE moves it), and how to forget them."""
    folder = cache_folder()
    if clear:
        typer.echo(f"{room('study').forget(folder)} remembered answers are gone from {folder}.")
    else:
        typer.echo(str(folder))


@app.command()
@with_options(OutputOptions, "outputs")
def evidence(
    outputs: OutputOptions,
    topic: Annotated[
        str, typer.Option(help="A topic that ships, or a topic.toml of your own.")
    ] = "depression-back-pain",
    file: Annotated[
        Path | None, typer.Option("--evidence", metavar="FILE", help="Published estimates of your own: CSV or TOML.")
    ] = None,
) -> None:
    """The literature behind a topic: what was published each way, and why studies disagree."""
    study = room("study")
    outputs.check(study, *filter(None, (file,)))
    outputs.deliver(study.evidence(topic, file=file, command=typed()))


@app.command()
def simulate(
    world: Annotated[str, typer.Argument(metavar="WORLD", help="null, both-ways, pain-first, shared-cause, ...")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the table goes, as .csv.")],
    people: People = 1000,
    waves: WaveCount = 5,
    seed: Seed = 1,
    design: Annotated[str, typer.Option(help="How it is observed: panel, onset or diary.")] = "panel",
) -> None:
    """Make a world with known truth and write what one would observe of it."""
    made = room("simulation").simulate(world, people=people, waves=waves, seed=seed, design=design)
    rows = room("study").write_table(made.table(), out)
    typer.echo(f"{out.name}: {rows:,} rows of a simulated world. {made.says}")


def _read(study: ModuleType, data: Path, table: TableOptions, progress: Progress) -> Any:
    stated = table.layout()
    topic = table.topic or (None if stated.a and stated.b else study.SHIPPED_TOPIC)
    return study.read(data, topic=topic, layout=stated, progress=progress)


def _ask_file(file: Path, table: TableOptions, outputs: OutputOptions, no_cache: bool, joined: bool = False) -> None:
    """A study as its file tells it: one table is asked, several (or the literature) are weighed."""
    if table != TableOptions():
        raise QuestionError(file.name, "options about the table were given beside it", "Say them under [layout]")
    study = room("study")
    told = study.read_study_file(file)
    if not joined and (len(told.sources) > 1 or told.told.literature):
        raise QuestionError(file.name, "it names several sources", f"Use: bothways weigh {file}")
    chosen = outputs.over(told)
    chosen.check(study, file, *(file.parent / source.data for source in told.sources))
    with moving_line() as progress:
        sources = told.read(progress)
        common = {"settings": told.settings, "command": typed(), "cache": _cache(no_cache), "progress": progress}
        if joined:
            answer = study.weigh(sources, literature=told.told.literature, share_people=told.share_people, **common)
        else:
            (records,) = sources.values()
            answer = study.ask(records, **common)
    chosen.deliver(answer)


def _by_name(paths: list[Path]) -> dict[str, Path]:
    """Tables by the stem of their name; those of one stem by their whole path."""
    stems = [path.stem for path in paths]
    return {path.stem if stems.count(path.stem) == 1 else str(path): path for path in paths}


def _cache(no_cache: bool) -> Path | None:
    return None if no_cache else cache_folder()
