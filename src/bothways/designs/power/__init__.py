"""Planning: how many people and waves a design needs, before anyone is asked."""

from bothways.designs.power.panel import Plan, PlanPoint, plan_panel
from bothways.designs.power.verify import Verification

__all__ = ["Plan", "PlanPoint", "Verification", "plan_panel"]
