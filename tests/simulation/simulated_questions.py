"""Questions that the tests of this folder ask."""

from __future__ import annotations

from bothways.simulation import World
from bothways.terms.question import Direction, Facet, Population, Question

THERE, BACK, JOINT = Direction.A_TO_B, Direction.B_TO_A, Direction.JOINT


def ask(
    world: World,
    direction: Direction,
    facet: Facet = Facet.STRENGTH,
    *,
    horizon: float | None = None,
    pathway: str | None = None,
    where: str | None = None,
) -> Question:
    population = Population(where or "everyone", where)
    return Question(world.pair, facet, direction, horizon=horizon, pathway=pathway, population=population)
