"""What a text table looks like from its first bytes: encoding, separator, or no text table at all."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bothways.terms.errors import RecordsError

SEPARATORS = (",", ";", "\t", "|")
HEAD = 65_536
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)?$")
_CONTROL = frozenset(range(32)) - {9, 10, 12, 13, 27}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read a text table. ``encoding`` is None where the file is plain UTF-8 and can be read in place.

    ``old_line_ends`` where lines end in a bare carriage return, as some programs on a Mac still write them.
    """

    encoding: str | None
    separator: str
    header: tuple[str, ...]
    old_line_ends: bool = False


def sniff(head: bytes, where: str) -> Dialect:
    """Read encoding, separator and header from the first bytes of a file.

    Raises ``RecordsError`` for an empty file and for bytes that are no text.
    """
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise RecordsError(where, "the file is empty", "Give a table with a header row and one row per observation")
    encoding = _encoding(head)
    if encoding is None and _is_binary(head):
        raise RecordsError(where, "this is not a text table", "Save it as CSV, Parquet, Excel, Stata or SPSS")
    text = decoded(head, encoding or "utf-8", cut=True)
    lines = text.splitlines()[:50]
    separator = _separator(lines)
    header = next(csv.reader(lines, delimiter=separator), [])
    return Dialect(encoding, separator, tuple(header), "\r" in text and "\n" not in text)


def check_header(header: Sequence[str], where: str) -> None:
    """Raise ``RecordsError`` where a column stands twice, or where the first row holds answers and no names."""
    names = [name.strip() for name in header if name.strip()]
    if 2 * sum(bool(_NUMBER.match(name)) for name in names) > len(names):
        find = "the first row holds numbers where the names of the columns should stand"
        raise RecordsError(where, find, "Add a first row with a name for each column")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecordsError(where, f"these columns stand twice: {', '.join(twice)}", "Give each its own name")


def decoded(content: bytes, encoding: str, cut: bool = False) -> str:
    """Bytes -> text; what is not valid UTF-8 is read as Windows-1252, the usual other encoding of Western Europe.

    ``cut`` says that the last character may have been cut in half.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        return decoder.decode(content, final=not cut)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _encoding(head: bytes) -> str | None:
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    sample = head[: 2 * (len(head) // 2)]
    if sample[1::2].count(0) > 0.4 * len(sample) / 2:  # Latin letters in UTF-16 without a mark: every second byte is 0
        return "utf-16-le"
    if sample[0::2].count(0) > 0.4 * len(sample) / 2:
        return "utf-16-be"
    return None


def _is_binary(head: bytes) -> bool:
    strange = sum(byte in _CONTROL for byte in head[:4096])
    return b"\x00" in head or strange > 0.02 * min(len(head), 4096)


def _separator(lines: list[str]) -> str:
    """The candidate that cuts the lines into the most fields, the same number in each."""
    best, most = ",", 1
    for candidate in SEPARATORS:
        counts = [len(row) for row in csv.reader(lines[:-1] or lines, delimiter=candidate) if row]
        if counts and min(counts) == max(counts) and counts[0] > most:
            best, most = candidate, counts[0]
    if most > 1 or not lines:
        return best
    return max(SEPARATORS, key=lambda mark: lines[0].count(mark))  # ragged lines: trust the header
