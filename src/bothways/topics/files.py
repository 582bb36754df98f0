"""From a file to plain tables: TOML, JSON and CSV, with what cannot be read said in one sentence."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

from bothways.terms.errors import TopicError


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML or JSON file, unchecked.

    Raises
    ------
    TopicError : where the file is missing, is no text, or is neither TOML nor JSON.
    """
    text = read_text(path)
    try:
        tables = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise TopicError(str(path), f"this is not {kind}: {error}", "Correct the line that is named") from None
    if not isinstance(tables, dict):
        raise TopicError(str(path), "the file holds no named tables", 'Begin it with {"evidence": [ ... ]}')
    return tables


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV with a header, each with its line number in the file; empty cells are left out.

    Raises
    ------
    TopicError : where the file is missing, empty, has a header only, or has a row with more cells than the header.
    """
    text = read_text(path)
    first = text.splitlines()[0] if text.strip() else ""
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=separator, restkey="")
    rows = []
    for row in reader:
        if "" in row:
            raise TopicError(
                f"{path}, line {reader.line_num}",
                "there are more cells than the header names",
                'Put texts that hold a separator between quotes: "..."',
            )
        cells = {name.strip(): cell.strip() for name, cell in row.items() if cell and cell.strip()}
        if cells:
            rows.append((reader.line_num, cells))
    if not rows:
        raise TopicError(str(path), "the file holds no estimate", "Give a header and one row for each estimate")
    return rows


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    TopicError : where there is no such file, or where it is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise TopicError(str(path), f"the file cannot be read ({error.strerror})", "Check the path") from None
    except UnicodeDecodeError:
        raise TopicError(str(path), "this is not text in UTF-8", "Save the file as UTF-8") from None
