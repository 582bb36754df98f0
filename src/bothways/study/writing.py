"""Files that a study leaves behind: text, tables and reports, or one sentence why they cannot be written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bothways.terms.errors import ReportError

REPORT_FORMS: Mapping[str, str] = {".html": "html", ".htm": "html", ".md": "markdown", ".txt": "terminal"}


def report_form(path: Path) -> str:
    """The form of report that a file's ending asks for."""
    form = REPORT_FORMS.get(path.suffix.lower())
    if form is None:
        raise ReportError(path.name, f"'{path.suffix}' is no form of report", "Let the name end in .html, .md or .txt")
    return form


def check_writable(path: Path, folder: bool = False) -> None:
    """Raise before the work begins where its result, a file or a ``folder`` of files, could not be written."""
    if not path.parent.is_dir():
        raise ReportError(str(path), "its folder does not exist", "Make the folder first, or give another place")
    if path.exists() and path.is_dir() != folder:
        found, mend = ("a file", "Give a folder") if folder else ("a folder", "Give the name of a file in it")
        raise ReportError(str(path), f"this is {found}", mend)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ReportError(str(path), "it may not be written", "Give a place that you may write to")


def check_apart(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Raise where an output would overwrite an input, or two outputs each other."""
    read = {path.resolve() for path in inputs}
    written: set[Path] = set()
    for path in outputs:
        place = path.resolve()
        if place in read:
            raise ReportError(str(path), "this is a file that is read", "Give the result another name")
        if place in written:
            raise ReportError(str(path), "two results would be written to it", "Give each a name of its own")
        written.add(place)


def write_table(columns: Mapping[str, np.ndarray], path: Path) -> int:
    """Write columns as comma-separated text, empty where missing; returns the number of rows."""
    if path.suffix.lower() != ".csv":
        raise ReportError(path.name, f"'{path.suffix}' cannot be written", "Let the name end in .csv")
    texts = [["" if value != value else f"{value:g}" for value in column.tolist()] for column in columns.values()]
    lines = [",".join(columns), *map(",".join, zip(*texts, strict=True))]
    write_text(path, "\n".join(lines) + "\n")
    return len(lines) - 1


def write_text(path: Path, text: str) -> Path:
    """Write a file whole or not at all, or say in one sentence why it cannot be written."""
    place = path.resolve()  # what a link points to is written; the link stays
    as_it_comes = place.exists() and not place.is_file()  # a pipe or a terminal
    beside = place if as_it_comes else place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        if beside is not place:
            os.replace(beside, place)
    except OSError as error:
        if beside is not place:
            beside.unlink(missing_ok=True)
        raise ReportError(
            str(path), f"it cannot be written ({error.strerror})", "Give a place that you may write to"
        ) from error
    return path


def write_texts(folder: Path, texts: Mapping[str, str], ending: str) -> tuple[Path, ...]:
    """Write each text under a name that every file system takes; two keys never share a file."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ReportError(
            str(folder), f"it cannot be made ({error.strerror})", "Give a place that you may write to"
        ) from error
    names = safe_names(texts)
    return tuple(write_text(folder / f"{names[key]}{ending}", text) for key, text in texts.items())


def safe_names(keys: Mapping[str, object]) -> dict[str, str]:
    """By key a file name of letters, digits, dots, dashes and underscores; clashes are numbered."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for key in keys:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", key).strip("._-")[:80] or "table"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        found[key] = name
    return found
