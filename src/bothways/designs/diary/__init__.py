"""The diary design: one person or many, at any times of day, in continuous time."""

from bothways.designs.diary.design import DiaryDesign

__all__ = ["DiaryDesign"]
