"""Planning a study before anyone is asked: what a number of people, or of days, buys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bothways.designs.diary.planning import DiaryPlan, plan_diary
from bothways.designs.power import Plan, plan_panel

__all__ = ["DiaryPlan", "Plan", "plan_diary", "plan_facts", "plan_panel"]


def plan_facts(plan: Plan | DiaryPlan) -> dict[str, Any]:
    """A plan as plain numbers, ready for JSON and for the readings in ``reports.planning``."""
    return asdict(plan)
