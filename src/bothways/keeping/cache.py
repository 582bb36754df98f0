"""Outcomes remembered by content: the same records, settings and program give the same outcome without a fit.

The folder is the caller's choice and is made private (0700). It holds outcomes, whose tables count and summarise; the
records themselves are never kept. A file that cannot be read or written is as good as none: a cache may never fail.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import bothways.terms as terms
from bothways.keeping.archive import FORMAT, load, made_by, save
from bothways.keeping.code import encode
from bothways.terms.errors import ReportError
from bothways.terms.outcome import Outcome
from bothways.terms.records import Records
from bothways.terms.settings import Settings

ENDING = ".study"
MOST_KEPT = 100


def fingerprint(records: Records, settings: Settings, *more: Any) -> str:
    """SHA-256 over everything that an outcome depends on: the records as they were read, settings, program, ``more``.

    Where the table lay is left out: a file that was moved is the same file.
    """
    arrays: dict[str, np.ndarray] = {}
    placeless = replace(records, source=replace(records.source, path=""))
    told = encode((placeless, replace(settings, workers=0), more), arrays)
    seal = hashlib.sha256(json.dumps([FORMAT, made_by(), _program(), told], allow_nan=False).encode())
    for array in arrays.values():
        seal.update(str((array.dtype.str, array.shape)).encode())
        seal.update(np.ascontiguousarray(array).tobytes())
    return seal.hexdigest()


def _program() -> list[tuple[str, int, int]]:
    """The package's own files as they stand, so that no answer outlives the program that gave it."""
    house = Path(str(terms.__file__)).parents[1]
    kinds = (".py", ".toml")
    files = sorted(f for f in house.rglob("*") if f.suffix in kinds)
    return [(f.relative_to(house).as_posix(), f.stat().st_size, f.stat().st_mtime_ns) for f in files]


def recall(folder: Path, key: str) -> Outcome | None:
    """The outcome remembered under ``key``, or None."""
    try:
        found = load(folder / f"{key}{ENDING}").get("outcome")
    except ReportError:
        return None
    return found if isinstance(found, Outcome) else None


def remember(folder: Path, key: str, outcome: Outcome) -> None:
    """Keep an outcome; the oldest give way beyond a hundred."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(folder, 0o700)
        save(folder / f"{key}{ENDING}", {"outcome": outcome})
        kept = sorted(folder.glob(f"*{ENDING}"), key=lambda f: f.stat().st_mtime)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, ReportError):
        return


def clear(folder: Path) -> int:
    """Forget every outcome in the folder, and nothing else in it; returns how many there were."""
    kept = list(folder.glob(f"*{ENDING}")) if folder.is_dir() else []
    for file in kept:
        file.unlink(missing_ok=True)
    return len(kept)
