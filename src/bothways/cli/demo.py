"""``bothways demo``: what is published first, then a simulated world beside its truth; no file is needed."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import typer

from bothways.cli.outputs import OutputOptions
from bothways.cli.rooms import moving_line, room, typed
from bothways.terms.settings import Settings

WORLD = "both-ways"
PEOPLE = {"panel": 1000, "onset": 1000}
SECONDS = 4.0


def show(outputs: OutputOptions, seed: int, cache: Path | None) -> None:
    """Print the literature's verdict, then weigh a panel and an onset cohort of one simulated world."""
    study = room("study")
    outputs.check(study)
    published = study.evidence()
    typer.echo(_said("What has been published (real numbers)", published.verdict.short_answer))
    simulate = room("simulation").simulate
    worlds = {design: simulate(WORLD, people=n, seed=seed, design=design) for design, n in PEOPLE.items()}
    typer.echo(_said("What a simulated world shows", SIMULATED.format(**{k: f"{n:,}" for k, n in PEOPLE.items()})))
    with moving_line() as progress:
        answer: Any = study.weigh_worlds(
            worlds,
            settings=Settings(seed=seed, challenge_seconds=SECONDS),
            command=typed(),
            cache=cache,
            progress=progress,
        )
    outputs.deliver(answer)


SIMULATED = (
    "Nobody lived what follows: a world in which each condition leads to the other was simulated, and seen twice: as a "
    "panel of {panel} people and as an onset cohort of {onset} others. The true values stand beside the answers. The "
    "first run on a machine compiles for some seconds."
)


def _said(title: str, text: str) -> str:
    return f"{title.upper()}\n{textwrap.fill(text, 80)}\n"
