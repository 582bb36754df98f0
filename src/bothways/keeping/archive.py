"""A file that holds our words: a zip of one JSON text and one npz of arrays. Nothing in it is ever executed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bothways.keeping.code import decode, encode
from bothways.terms.errors import ReportError

FORMAT = 2  # 2: sealed, so that a file that was changed is not believed
TEXT, ARRAYS, SEAL = "study.json", "arrays.npz", "seal.sha256"
MOST_BYTES = 8 * 2**30  # what is inside may not unpack to more than this


def save(path: Path, parts: Mapping[str, Any]) -> Path:
    """Write named parts (words of ``terms``), so that ``load`` gives them back to the digit.

    The file appears whole or not at all. Raises ``ReportError`` where it cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    told = {"format": FORMAT, "bothways": made_by(), "parts": {k: encode(v, arrays) for k, v in parts.items()}}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            text, packed = json.dumps(told, allow_nan=False).encode(), _packed(arrays)
            archive.writestr(TEXT, text)
            archive.writestr(ARRAYS, packed)
            archive.writestr(SEAL, _seal(text, packed))
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        why = f"it cannot be written ({error.strerror})"
        raise ReportError(str(path), why, "Give a place that you may write to") from error
    return path


DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What reading a damaged or foreign file may raise, in any of its layers."""


def load(path: Path) -> dict[str, Any]:
    """The named parts of a file that ``save`` wrote. Raises ``ReportError`` for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ReportError(path.name, "it unpacks to more than any study holds", "Give a file of bothways")
            text, packed = archive.read(TEXT), archive.read(ARRAYS)
            told, arrays = json.loads(text), _unpacked(packed)
            seal = archive.read(SEAL) if SEAL in archive.namelist() else b""
    except OSError as error:
        raise ReportError(str(path), f"it cannot be read ({error.strerror})", "Check the name") from error
    except DAMAGED as error:
        raise ReportError(path.name, "it is no study that bothways saved", "Give a file that save() wrote") from error
    parts = _parts(path, told, arrays)
    if seal != _seal(text, packed):
        raise ReportError(path.name, "it was changed after it was saved", "Save the study anew")
    return parts


def _seal(text: bytes, packed: bytes) -> bytes:
    """What tells a file that was changed, by accident or by hand, from one that was not."""
    return hashlib.sha256(text + packed).hexdigest().encode()


def _parts(path: Path, told: Any, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    if not isinstance(told, dict) or not isinstance(told.get("parts"), dict):
        raise ReportError(path.name, "it is no study that bothways saved", "Give a file that save() wrote")
    if told.get("format") != FORMAT:
        found = f"it is of format {told.get('format')}, and this version reads format {FORMAT}"
        raise ReportError(path.name, found, f"Open it with bothways {told.get('bothways', '')}".strip())
    try:
        return {key: decode(value, arrays) for key, value in told["parts"].items()}
    except DAMAGED as error:
        found = f"it holds something that bothways {made_by()} does not know"
        raise ReportError(path.name, found, f"Open it with bothways {told.get('bothways', '')}".strip()) from error


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    room = io.BytesIO()
    np.savez(room, **{f"a{name}": array for name, array in arrays.items()})  # type: ignore[arg-type]  # the stub takes a name for an option
    return room.getvalue()


def _unpacked(data: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        return {name.removeprefix("a"): held[name] for name in held.files}


def made_by() -> str:
    """The version of this package."""
    try:
        return version("bothways")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
