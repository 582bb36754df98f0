"""What is kept of a study: saved and read back to the digit, or remembered so that nothing is computed twice."""

from bothways.keeping.archive import load, save
from bothways.keeping.cache import clear, fingerprint, recall, remember

__all__ = ["clear", "fingerprint", "load", "recall", "remember", "save"]
