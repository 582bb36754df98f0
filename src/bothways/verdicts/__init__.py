"""Answers -> Verdict: designs that may disagree are weighed by fixed rules, and dissent is kept."""

from bothways.verdicts.weigh import weigh

__all__ = ["weigh"]
