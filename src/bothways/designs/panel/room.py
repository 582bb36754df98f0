"""What all answers of one run share, and how an estimate becomes an answer."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtr

from bothways.designs.panel.estimation import Fitted, Headline
from bothways.designs.panel.missing import Leaving
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.inference import Interval
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.settings import Settings

DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)
ENDS = {Direction.A_TO_B: (1, 0), Direction.B_TO_A: (0, 1)}  # (outcome, predictor) among the processes


@dataclass(frozen=True, slots=True)
class Room:
    """What every answer of one run shares."""

    setup: PanelSetup
    settings: Settings
    headline: Headline
    others: tuple[Fitted, ...]
    gone: tuple[Leaving, ...]
    assumptions: tuple[Assumption, ...]
    caveats: tuple[Caveat, ...]

    @property
    def model(self) -> str:
        """The headline model's key."""
        return self.headline.chosen.form.name


def estimate_of(interval: Interval, place: int, room: Room, scale: Scale = Scale.SD_PER_SD) -> Estimate:
    """One entry of an interval with its two-sided normal p."""
    value, se = float(interval.value[place]), float(interval.error[place])
    p = float(2 * ndtr(-abs(value) / se)) if se > 0 else None
    low, high = float(interval.low[place]), float(interval.high[place])
    return Estimate(value, low, high, se, scale, room.setup.people, room.settings.level, p)


def place_of(direction: Direction, K: int) -> int:
    """The place of a direction's effect in a flat (K, K) matrix, outcome by predictor."""
    outcome, predictor = ENDS[direction]
    return outcome * K + predictor


def question_of(room: Room, facet: Facet, direction: Direction, scale: Scale | None = Scale.SD_PER_SD) -> Question:
    """A question about the pair of these records."""
    return Question(room.setup.records.pair, facet, direction, scale)


def answer_of(room: Room, fitted: Fitted, direction: Direction, estimate: Estimate, id_end: str = "") -> Answer:
    """A cross-lag over one median gap; the rows that are not quite that replace what differs."""
    setup = room.setup
    first, second = direction.ends(setup.records.pair)
    stay = " from one's own usual level" if fitted.form.key in ("ri-clpm", "lcm-sr", "starts") else ""
    return Answer(
        id=f"panel.{slug_of(room, fitted)}.{direction}{id_end}",
        question=question_of(room, Facet.STRENGTH, direction),
        design="panel",
        model=fitted.form.name,
        estimand=Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=estimate,
        target=f"{second.label}, {_later(setup)}",
        contrast=f"one standard deviation more {first.label}{stay}, at the same {second.label}",
        lag_days=lag_days(setup, 1.0),
        lag_waves=lag_waves(setup, 1.0),
        source=setup.records.source,
    )


def slug_of(room: Room, fitted: Fitted) -> str:
    """The headline goes by its model's name in whatever form it stands, so that ids do not depend on a test."""
    return fitted.form.name if fitted is room.headline.chosen else fitted.form.slug


def _later(setup: PanelSetup) -> str:
    return "one wave later" if setup.waves.even else "one median gap between waves later"


def lag_days(setup: PanelSetup, gaps: float) -> float | None:
    """Median gaps as days, where the records know days."""
    return gaps * setup.waves.gap if setup.waves.in_days else None


def lag_waves(setup: PanelSetup, gaps: float) -> float | None:
    """Median gaps as waves; None where waves are unevenly spaced in days."""
    if setup.waves.in_days:
        return gaps if setup.waves.even else None
    return gaps * setup.waves.gap
