"""Planning a study before anyone is asked: what a number of people, or of days, buys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bothways.designs.diary import planning as diary
from bothways.designs.diary.planning import DiaryPlan
from bothways.designs.power import Plan
from bothways.designs.power import plan_panel as panel
from bothways.study.threads import one_blas_thread

__all__ = ["DiaryPlan", "Plan", "plan_diary", "plan_facts", "plan_panel"]


plan_panel = one_blas_thread()(panel)
plan_diary = one_blas_thread()(diary.plan_diary)


def plan_facts(plan: Plan | DiaryPlan) -> dict[str, Any]:
    """A plan as plain numbers, ready for JSON and for the readings in ``reports.planning``."""
    return asdict(plan)
