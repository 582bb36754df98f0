"""Our values <-> JSON and named arrays, exactly; only the frozen words of ``terms`` may come back.

A tagged value is a list that begins with its tag, so that nothing in a user's text can pass for one::

    ["object", "Estimate", {"value": 0.1, ...}]   ["enum", "Direction", "a_to_b"]   ["tuple", [...]]
    ["mapping", [[key, value], ...]]              ["array", "3"]                    ["float", "nan"]

Strings, whole numbers, finite floats (by their shortest exact decimal), true, false and null stand as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from bothways.terms import answer, outcome, question, records, settings, topic, verdict

_MODULES = (answer, outcome, question, records, settings, topic, verdict)
WORDS: Mapping[str, type] = {
    name: found
    for module in _MODULES
    for name, found in vars(module).items()
    if isinstance(found, type)
    and found.__module__ == module.__name__
    and (is_dataclass(found) or issubclass(found, Enum))
}
"""Every dataclass and enumeration of ``terms``, by name: what may be written, and all that is ever built."""


def encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """``value`` as JSON knows it; its arrays go into ``arrays`` under the names that the JSON holds.

    Raises TypeError for a value that is none of our words: a defect, not a user's mistake.
    """
    if isinstance(value, Enum):
        return ["enum", _named(type(value)), value.value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.ndarray):
        return _array(value, arrays)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else ["float", repr(float(value))]
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, tuple):
        return ["tuple", [encode(v, arrays) for v in value]]
    if isinstance(value, Mapping):
        return ["mapping", [[encode(k, arrays), encode(v, arrays)] for k, v in value.items()]]
    if is_dataclass(value) and not isinstance(value, type):
        inside = {f.name: encode(getattr(value, f.name), arrays) for f in fields(value)}
        return ["object", _named(type(value)), inside]
    raise TypeError(f"{type(value).__name__} is none of the words that can be kept")


def _named(word: type) -> str:
    if WORDS.get(word.__name__) is not word:
        raise TypeError(f"{word.__name__} is none of the words that can be kept")
    return word.__name__


def _array(value: np.ndarray, arrays: dict[str, np.ndarray]) -> list[str]:
    if value.dtype.kind not in "biufSU":
        raise TypeError(f"an array of {value.dtype} cannot be kept")
    name = str(len(arrays))
    arrays[name] = value
    return ["array", name]


def decode(code: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What ``encode`` was given. Raises ValueError, KeyError or TypeError for anything it cannot have written."""
    if not isinstance(code, list):
        if isinstance(code, dict):
            raise ValueError("a bare object")
        return code
    tag, *rest = code
    return _DECODE[tag](rest, arrays)


def _object(rest: list[Any], arrays: Mapping[str, np.ndarray]) -> Any:
    name, inside = rest
    word = WORDS[name]
    if not is_dataclass(word):
        raise ValueError(f"{name} is no object")
    return word(**{key: decode(value, arrays) for key, value in inside.items()})


def _enum(rest: list[Any], _: Mapping[str, np.ndarray]) -> Any:
    name, value = rest
    word = WORDS[name]
    if not issubclass(word, Enum):
        raise ValueError(f"{name} is no enumeration")
    return word(value)


def _float(rest: list[Any], _: Mapping[str, np.ndarray]) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[rest[0]]


_DECODE: Mapping[str, Callable[[list[Any], Mapping[str, np.ndarray]], Any]] = {
    "object": _object,
    "enum": _enum,
    "float": _float,
    "tuple": lambda rest, arrays: tuple(decode(v, arrays) for v in rest[0]),
    "mapping": lambda rest, arrays: {decode(k, arrays): decode(v, arrays) for k, v in rest[0]},
    "array": lambda rest, arrays: arrays[rest[0]],
}
