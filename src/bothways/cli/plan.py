"""``bothways plan``: power, precision and people, before anyone is asked."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from bothways.cli.rooms import moving_line
from bothways.terms.errors import QuestionError

plan = typer.Typer(
    help="Power, precision, how many people: before anyone is asked.", no_args_is_help=True, rich_markup_mode="rich"
)


@plan.callback()
def _plans() -> None:
    """Power, precision, how many people: before anyone is asked."""


@plan.command()
def panel(
    people: Annotated[int, typer.Option(min=1, help="How many people.")] = 300,
    waves: Annotated[int, typer.Option(help="How many waves.")] = 4,
    icc: Annotated[float, typer.Option(help="Share of the variance between people.")] = 0.5,
    effect: Annotated[str, typer.Option(metavar="A_TO_B[,B_TO_A]", help="True standardised lag(s).")] = "0.07",
    autoregression: Annotated[float, typer.Option(help="What carries over within a person.")] = 0.3,
    correlation: Annotated[float, typer.Option(help="How the two go together at one wave.")] = 0.3,
    trait_correlation: Annotated[float, typer.Option(help="How their usual levels go together.")] = 0.4,
    dropout: Annotated[float, typer.Option(help="Share leaving before each later wave.")] = 0.0,
    missing: Annotated[float, typer.Option(help="Share of waves skipped.")] = 0.0,
    processes: Annotated[int, typer.Option(help="Two conditions, and mediators.")] = 2,
    power: Annotated[float, typer.Option(help="The power that is wanted.")] = 0.8,
    smallest_effect: Annotated[float, typer.Option(help="The smallest lag that matters.")] = 0.05,
    simulations: Annotated[int, typer.Option(min=0, help="Studies simulated to verify; 0 for none.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same digits.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers.")] = None,
) -> None:
    """Plan a panel of waves: power, precision and the people needed, from the expected information."""
    _check(json_file)
    with moving_line() as progress:
        made = import_module("bothways.study.planning").plan_panel(
            people=people,
            waves=waves,
            icc=icc,
            effect=_effects(effect),
            autoregression=autoregression,
            correlation=correlation,
            trait_correlation=trait_correlation,
            dropout=dropout,
            missing=missing,
            processes=processes,
            power=power,
            smallest_effect=smallest_effect,
            simulations=simulations,
            seed=seed,
            progress=progress,
        )
    _show(made, "render_plan", json_file)


@plan.command()
def diary(
    people: Annotated[int, typer.Option(min=1, help="How many people; 1 for a diary of one.")] = 1,
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 60,
    prompts: Annotated[int, typer.Option(min=1, help="Prompts a day.")] = 5,
    effect: Annotated[str, typer.Option(metavar="A_TO_B[,B_TO_A]", help="True standardised effect(s).")] = "0.1",
    lag: Annotated[float | None, typer.Option(metavar="HOURS", help="After how long; else near one prompt.")] = None,
    carry_over: Annotated[float, typer.Option(help="What is left of a state by then.")] = 0.5,
    correlation: Annotated[float, typer.Option(help="How the two go together at one moment.")] = 0.3,
    error: Annotated[float, typer.Option(help="Share of change that is chance in answering.")] = 0.2,
    missing: Annotated[float, typer.Option(help="Share of prompts without an answer.")] = 0.2,
    night: Annotated[float, typer.Option(metavar="HOURS", help="Hours of a day without prompts.")] = 10.0,
    power: Annotated[float, typer.Option(help="The power that is wanted.")] = 0.8,
    smallest_effect: Annotated[float, typer.Option(help="The smallest effect that matters.")] = 0.05,
    simulations: Annotated[int, typer.Option(min=0, help="Diaries simulated to verify; 0 for none.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same digits.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers.")] = None,
) -> None:
    """Plan a diary of one person or many: precision, power, and the days or people needed."""
    _check(json_file)
    with moving_line() as progress:
        made = import_module("bothways.study.planning").plan_diary(
            people=people,
            days=days,
            prompts=prompts,
            effect=_effects(effect),
            lag=lag,
            carry_over=carry_over,
            correlation=correlation,
            error=error,
            missing=missing,
            night=night,
            power=power,
            smallest_effect=smallest_effect,
            simulations=simulations,
            seed=seed,
            progress=progress,
        )
    _show(made, "render_diary_plan", json_file)


def _check(json_file: Path | None) -> None:
    """Before any work: whether the file can be written."""
    if json_file:
        import_module("bothways.study").check_writable(json_file)


def _show(made: Any, reading: str, json_file: Path | None) -> None:
    """Print the plan in words, and save its numbers where a file is named."""
    facts = import_module("bothways.study.planning").plan_facts(made)
    typer.echo(getattr(import_module("bothways.reports.planning"), reading)(facts), nl=False)
    if json_file:
        import_module("bothways.study").write_text(json_file, json.dumps(facts, indent=1, allow_nan=False))


def _effects(text: str) -> float | tuple[float, float]:
    """``"0.07"`` or ``"0.07,0.03"``."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise QuestionError(
            "--effect", f"'{text}' is no number", "Give one lag such as 0.07, or two: 0.07,0.03"
        ) from error
    if len(numbers) > 2:
        raise QuestionError("--effect", f"{len(numbers)} numbers were given", "Give one lag, or two: A to B, B to A")
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
