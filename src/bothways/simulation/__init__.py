"""Worlds with known truth. Shares no code with the engine or the designs: witness and judge stay apart."""

from bothways.simulation.catalogue import OnsetRates, WorldSpec, worlds
from bothways.simulation.many import simulate_each, simulate_many
from bothways.simulation.observe import Observation
from bothways.simulation.truth import Truth
from bothways.simulation.world import World, simulate

__all__ = [
    "Observation",
    "OnsetRates",
    "Truth",
    "World",
    "WorldSpec",
    "simulate",
    "simulate_each",
    "simulate_many",
    "worlds",
]
