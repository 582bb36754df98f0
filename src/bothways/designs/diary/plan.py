"""How many more days would make a diary tell: error falls as one over the root of the answers."""

from __future__ import annotations

from dataclasses import dataclass

from bothways.designs.diary.setup import DiarySetup
from bothways.terms.answer import Answer, Table
from bothways.terms.question import Direction
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

MOST = 100.0  # beyond a hundred times the present length no promise is made


@dataclass(frozen=True, slots=True)
class Need:
    """By what factor a record must grow so that the interval excludes zero, or fits inside the smallest effect.

    Infinite where no length would do: an estimate at zero, or one beyond the smallest effect.
    """

    to_show: float
    to_rule_out: float


def need(value: float, low: float, high: float, smallest: float) -> Need:
    """With half-width w now and w/√f at f times the length, at the present estimate b: |b| > w/√f; |b| + w/√f < d."""
    half = 0.5 * (high - low)
    room = smallest - abs(value)
    show = (half / abs(value)) ** 2 if value else float("inf")
    rule_out = (half / room) ** 2 if room > 0 else float("inf")
    return Need(max(show, 1.0), max(rule_out, 1.0))


def plan_table(setup: DiarySetup, settings: Settings, answers: tuple[Answer, ...]) -> Table:
    """One row a direction: what was recorded, what it came to, and what length would decide it."""
    time, starts = setup.series.time, setup.series.starts
    length = float((time[starts[1:] - 1] - time[starts[:-1]]).mean())
    unit = "days" if setup.in_days else "occasions"
    rows: list[tuple[str | float | None, ...]] = []
    for answer in answers:
        if not answer.headline or answer.estimate is None or answer.direction is Direction.JOINT:
            continue
        value, smallest = answer.estimate, settings.smallest_effect(answer.estimate.scale)
        first, second = answer.direction.ends(setup.records.pair)
        decided = read_estimate(value, smallest) in (Reading.PREDICTS, Reading.LITTLE)
        factor = need(value.value, value.low, value.high, smallest)
        wanted = min(factor.to_show, factor.to_rule_out)
        rows.append(
            (
                f"{first.label} to {second.label}", length, "yes" if decided else "no",
                None if decided or wanted > MOST else length * wanted,
                length * factor.to_show if factor.to_show <= MOST else None,
                length * factor.to_rule_out if factor.to_rule_out <= MOST else None,
            )
        )  # fmt: skip
    return Table(
        "diary.plan",
        "How much longer a record would decide it",
        (
            "direction", f"{unit} recorded", "decided now", f"{unit} in all that would decide it",
            f"{unit} to show an effect of the present size", f"{unit} to rule out any effect that matters",
        ),
        tuple(rows),
        "At the same rate of answering, if the estimate stayed where it is. Empty: no length up to a hundred times "
        "this one would do.",
    )  # fmt: skip
