"""The manner of every table in a topic file, and the small types that the tables share.

A shipped topic and a user's own are read by the same schema. Anything it does not know is refused, so that a
misspelt field is an error and never a silent default.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
Words = Annotated[tuple[Text, ...], Field(strict=False)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Part(BaseModel):
    """The manner of every table in a topic file: exact types, no unknown fields, never changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, str_strip_whitespace=True)


def once(keys: Iterable[str | int], table: str) -> set[str | int]:
    """The keys of ``table`` as a set; an error where one stands twice."""
    keys = tuple(keys)
    if len(set(keys)) < len(keys):
        raise ValueError(f"'{table}' names the same entry twice")
    return set(keys)
