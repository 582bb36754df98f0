"""Planning a study before anyone is asked: what a number of people buys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bothways.designs.power import Plan, plan_panel

__all__ = ["Plan", "plan_facts", "plan_panel"]


def plan_facts(plan: Plan) -> dict[str, Any]:
    """A plan as plain numbers, ready for JSON and for ``reports.render_plan``."""
    return asdict(plan)
