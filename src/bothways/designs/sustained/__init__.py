"""Exposures that last, with confounders and mediators that they change: g-formula, weights, interventional effects."""

from bothways.designs.sustained.design import SustainedDesign

__all__ = ["SustainedDesign"]
