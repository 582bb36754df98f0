"""The onset design: conditions that begin and end, seen at visits or dated."""

from bothways.designs.onset.design import OnsetDesign

__all__ = ["OnsetDesign"]
