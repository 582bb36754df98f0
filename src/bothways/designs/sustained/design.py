"""The sustained design on the road: refuse -> set up -> fit each direction -> answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bothways.designs.base import Refusal
from bothways.designs.sustained.answers import DIRECTIONS, Room, strength
from bothways.designs.sustained.estimation import Found, find, regressions
from bothways.designs.sustained.grid import TOLERANCE, Grid, grid_of
from bothways.designs.sustained.pathways import pathways
from bothways.designs.sustained.setup import SustainedSetup, prepare, time_varying
from bothways.designs.sustained.tables import tables_of
from bothways.designs.sustained.words import assumptions_of, caveats_of, methods_of
from bothways.terms.answer import DesignResult, Fit, Parameter
from bothways.terms.progress import Progress
from bothways.terms.question import Direction
from bothways.terms.records import Records
from bothways.terms.settings import Settings

LEAST_OCCASIONS, MOST_OCCASIONS = 3, 15
LEAST_PEOPLE = 50  # with both conditions known at the first occasion
LEAST_ARM = 20  # people with, and without, the exposure at each occasion
MOST_UNUSED = 0.2  # of the visits, that may lie off the grid


@dataclass(frozen=True, slots=True)
class SustainedDesign:
    """What a lasting exposure does, where confounders and mediators change with it. ``lags`` is 1 or 2 occasions.

    ``interaction`` lets each mediator act on the outcome otherwise in those who are exposed, as interventional effects
    allow; without it an indirect effect is pulled to the one of an average exposure where that is wrong.
    """

    key: str = "sustained"
    label: str = "sustained exposure"
    lags: int = 1
    interaction: bool = True

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """It needs three regular occasions, people, something that changes to adjust for, and both exposures seen."""
        pair = (records.pair.a, records.pair.b)
        missing = next((c for c in pair if c.key not in records.values), None)
        if missing is not None:
            return Refusal(f"{missing.label} was not recorded", "Name its column.")
        changing, mediators = time_varying(records)
        if not (changing or mediators or self.key in settings.designs):
            return Refusal(
                "nothing that changes over time was named to adjust for, nor a pathway, so that this adds nothing to "
                "the other designs",
                f"Name columns with --covariates or --pathways, or ask for it with --design {self.key}.",
            )
        grid = grid_of(records)
        return _irregular(grid, records) or self._too_little(records, settings, grid)

    def _too_little(self, records: Records, settings: Settings, grid: Grid) -> Refusal | None:
        if grid.occasions < LEAST_OCCASIONS:
            return Refusal(
                f"people were seen at {grid.occasions} common occasion{'s' * (grid.occasions != 1)}, and a sustained "
                f"exposure needs at least {LEAST_OCCASIONS}",
                "Add later waves or visits.",
            )
        setup = prepare(records, settings)
        first = sum(np.isfinite(v.grid[:, 0]) for v in setup.pair.values()) == 2
        if int(first.sum()) < LEAST_PEOPLE or setup.last + 1 < LEAST_OCCASIONS:
            return Refusal(
                f"{int(first.sum())} people have both conditions known at the first occasion, and enough are followed "
                f"over {setup.last + 1} occasion{'s' * (setup.last > 0)}; {LEAST_PEOPLE} people and {LEAST_OCCASIONS} "
                "occasions are needed",
                "Add people or later waves, or state a later horizon.",
            )
        reasons = [refused_direction(setup, direction) for direction in DIRECTIONS]
        return Refusal("; ".join(reasons), "Add people, or state another cut-off.") if all(reasons) else None

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """Both directions by the g-formula and by weighting, and the pathways that were named."""
        progress("sustained: setting up (the first use on a machine compiles for some seconds)", 0.02)
        setup = prepare(records, settings)
        rooms = tuple(self._room(setup, direction, settings, progress) for direction in DIRECTIONS)
        answers = tuple(row for room in rooms for row in (*strength(room), *pathways(room)))
        found = tuple(room.found for room in rooms if room.found is not None)
        progress("sustained: done", 1.0)
        if settings.headline_only:
            return DesignResult(design=self.key, answers=answers)
        return DesignResult(
            design=self.key,
            answers=answers,
            fits=tuple(fit_of(setup, own, settings) for own in found),
            tables=tables_of(rooms),
            methods=methods_of(setup, settings, found, self.lags),
        )

    def _room(self, setup: SustainedSetup, direction: Direction, settings: Settings, progress: Progress) -> Room:
        refused = refused_direction(setup, direction)
        found = None if refused else find(setup, direction, settings, self.lags, progress, interaction=self.interaction)
        return Room(
            setup,
            settings,
            direction,
            found,
            refused,
            assumptions_of(setup, direction, found),
            caveats_of(setup, settings, direction, found),
            self.key in settings.designs,
        )


def _irregular(grid: Grid, records: Records) -> Refusal | None:
    if grid.occasions > MOST_OCCASIONS:
        return Refusal(
            f"there are {grid.occasions} occasions, and this design follows people over at most {MOST_OCCASIONS}",
            "Use the diary design, or take fewer occasions.",
        )
    if grid.unused > MOST_UNUSED * records.rows:
        return Refusal(
            f"{grid.unused:,} of {records.rows:,} visits lie more than {TOLERANCE:.0%} of the usual gap from a regular "
            "grid, or two on one place of it",
            "Give regular visits, or name the waves.",
        )
    return None


def refused_direction(setup: SustainedSetup, direction: Direction) -> str:
    """Why one direction cannot be asked: an outcome that never varies, or an exposure hardly seen; else empty."""
    exposure, outcome = setup.ends(direction)
    end = outcome.grid[:, setup.last]
    if np.unique(end[np.isfinite(end)]).size < 2:
        return f"{outcome.label} is the same in everyone at the last occasion"
    before = exposure.grid[:, : setup.last]
    if not exposure.state:
        spread = np.array(
            [column[np.isfinite(column)].std() if np.isfinite(column).any() else 0.0 for column in before.T]
        )
        return "" if (spread > 0).all() else f"{exposure.label} does not vary at occasion {int(spread.argmin()) + 1}"
    counts = np.array([(before == level).sum(axis=0) for level in (1, 0)])
    if counts.min() >= LEAST_ARM:
        return ""
    level, occasion = np.unravel_index(counts.argmin(), counts.shape)
    return (
        f"{counts.min():,} people were seen {('with', 'without')[level]} {exposure.label} at occasion {occasion + 1}; "
        f"at least {LEAST_ARM} with and without it are needed at each"
    )


def fit_of(setup: SustainedSetup, found: Found, settings: Settings) -> Fit:
    """The regressions of one direction, coefficient by coefficient, with normal limits from the bootstrap SE."""
    rows = []
    if found.usable:
        for name, value, se in regressions(setup, found):
            reach = float(ndtri(0.5 + settings.level / 2)) * se
            rows.append(Parameter(name, value, se, value - reach, value + reach))
    return Fit(
        design="sustained",
        model=f"g-formula {found.direction}",
        status="converged" if found.usable else "failed",
        parameters=tuple(rows),
        seconds=found.seconds,
        indices={"replicates": float(found.simulated.converged.sum())},
        says=found.says,
    )
