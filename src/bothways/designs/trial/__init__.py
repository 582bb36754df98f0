"""A randomised arm as a lever: what it moved, and whether what it moved moved the other condition."""

from bothways.designs.trial.design import TrialDesign

__all__ = ["TrialDesign"]
