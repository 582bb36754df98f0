"""Where a mediator acts on the outcome otherwise in those who are exposed: the product, and what hangs on it.

With A the exposure and M the mediator of the occasion before, the regression of the outcome holds b A·M. Then the
indirect effect under the exposure, Q(1,1) - Q(1,0), and the one without it, Q(0,1) - Q(0,0), are two numbers. The
first is the answer (so that direct and indirect add up to the total); both stand in the table, beside what the first
would be were b nil (VanderWeele & Tchetgen Tchetgen 2017, J. R. Stat. Soc. B 79:917).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bothways.designs.sustained.answers import Room, scale_of
from bothways.designs.sustained.effects import indirect, interval, together, unexposed
from bothways.designs.sustained.estimation import Found, product
from bothways.designs.sustained.pathways import number
from bothways.designs.sustained.setup import SustainedSetup
from bothways.terms.answer import Caveat, Cell, Table

Row = tuple[Cell, ...]
TITLE = "Whether a mediator acts otherwise under the exposure"


def interaction_table(usable: list[tuple[Room, Found]]) -> Table:
    """One row a path in which a product was fitted."""
    rows = [row for room, found in usable if found.without for row in _rows(room, found)]
    return Table(
        "pathway_interaction",
        TITLE,
        ("pathway", "direction", "product", "low", "high", "indirect, exposed", "indirect, unexposed", "difference",
         "difference low", "difference high", "indirect without the product"),
        tuple(rows),
        "The product of exposure and mediator is on the log odds of a state and in SDs of a score; paths of several "
        "mediators have one for each. On shares the two indirect effects may differ without it. The indirect effect of "
        "the exposed is the one in the answers.",
    )  # fmt: skip


def _rows(room: Room, found: Found) -> Iterator[Row]:
    scale, factor = scale_of(room.exposure, room.outcome)
    state = room.outcome.state
    for place, path in enumerate(found.paths, start=1):
        exposed, bare, gap = (number(room, place, f(state), scale, factor) for f in (indirect, unexposed, together))
        if exposed is None or bare is None or gap is None:
            continue
        own = _product(found, path.places[0], room.settings.level) if len(path.places) == 1 else None
        plain = factor * float(indirect(state)(found.without[place]))
        cells = (exposed.value, bare.value, gap.value, gap.low, gap.high, plain)
        yield (path.key, f"{room.exposure.label} to {room.outcome.label}", *(own or (None, None, None)), *cells)


def _product(found: Found, mediator: int, level: float) -> tuple[float, float, float] | None:
    """(coefficient, low, high); None where it was not fitted or hardly any resample came about."""
    known = product(found, mediator)
    if known is None or known[1].size < 10:
        return None
    value, drawn = known
    return (value, *interval(value, drawn[np.isfinite(drawn)], level, found.freedom)[1:])


def interaction_caveats(setup: SustainedSetup, found: Found, level: float) -> Iterator[Caveat]:
    """Where products were left out, and which of them are clearly not nil."""
    exposure, outcome = setup.ends(found.direction)
    if found.thin:
        yield Caveat(
            "interaction_left_out",
            f"whether a mediator acts otherwise under {exposure.label} could not be fitted and is taken not to be so: "
            f"{found.thin}",
        )
    if not found.usable:
        return
    for path in (p for p in found.paths if len(p.places) == 1):
        own = _product(found, path.places[0], level)
        if own is not None and not own[1] <= 0 <= own[2]:
            yield Caveat(
                "exposure_mediator_interaction",
                f"{path.labels[0]} goes with {'more' if own[0] > 0 else 'less'} {outcome.label} where "
                f"{exposure.label} is {'present' if exposure.state else 'high'} than where it is not "
                f"(product {own[0]:.2f}, {own[1]:.2f} to {own[2]:.2f}): the indirect effect told is the one under it, "
                f"and the table “{TITLE}” has the other",
            )
