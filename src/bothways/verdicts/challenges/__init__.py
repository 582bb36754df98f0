"""What tries to break an answer: the same question asked of altered records, and what came of it."""

from bothways.verdicts.challenges.run import CHALLENGERS, challenge

__all__ = ["CHALLENGERS", "challenge"]
