"""The topics and instruments that ship with the package, and the door for a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bothways.terms.errors import TopicError
from bothways.terms.question import Pair
from bothways.terms.topic import Instrument, Topic
from bothways.topics.files import read_tables

if TYPE_CHECKING:
    from bothways.topics.schema.topic import ConditionPart, TopicPart

DATA = Path(__file__).parent / "data"
INSTRUMENTS = "instruments"


def topic_names() -> tuple[str, ...]:
    """The names of the topics that ship with the package."""
    return tuple(sorted(place.parent.name for place in DATA.glob("*/topic.toml")))


def load_topic(name_or_path: str) -> Topic:
    """A shipped topic by its name, or a user's own from a TOML file.

    A user's file holds what a shipped topic holds, in one file: ``[a]``, ``[b]`` and, where wished for,
    ``[[mediators]]``, ``[[instruments]]``, ``[[pathways]]``, ``[[circumstances]]``, ``[[smallest_effects]]``,
    ``[[claims]]`` and ``[[evidence]]``. An instrument there replaces the shipped one of the same key.

    Raises
    ------
    TopicError : where there is no such topic (the nearest is named), or where the file does not say what it must.
    """
    if name_or_path in topic_names():
        return _topic(_shipped(name_or_path), name_or_path)
    path = Path(name_or_path)
    if path.suffix.lower() == ".toml" or path.is_file():
        return _topic(read_tables(path), str(path))
    raise _unknown(name_or_path)


def instruments() -> Mapping[str, Instrument]:
    """Every instrument that ships with the package, by key."""
    # pydantic is loaded here and in `_topic`, where a file is checked, and nowhere else
    from bothways.topics.schema.check import checked
    from bothways.topics.schema.instrument import InstrumentFile

    files = sorted((DATA / INSTRUMENTS).glob("*.toml"))
    read = [checked(InstrumentFile, read_tables(file), file.name).instrument.term() for file in files]
    return {instrument.key: instrument for instrument in read}


def _shipped(name: str) -> dict[str, Any]:
    """A shipped topic's tables; its claims and evidence stand in files of their own."""
    folder = DATA / name
    return {
        **read_tables(folder / "topic.toml"),
        **read_tables(folder / "claims.toml"),
        **read_tables(folder / "evidence.json"),
    }


def _topic(tables: dict[str, Any], where: str) -> Topic:
    from bothways.topics.schema.check import checked
    from bothways.topics.schema.topic import TopicPart

    part = checked(TopicPart, tables, where)
    known = {**instruments(), **{own.key: own.term() for own in part.instruments}}
    for condition in (part.a, part.b, *part.mediators):
        if condition.instrument is not None and condition.instrument not in known:
            found = f"'{condition.key}' names the instrument '{condition.instrument}', which is not known"
            raise TopicError(where, found, f"Use one of: {', '.join(known)}; or describe it under [[instruments]]")
    return _as_term(part, known)


def _as_term(part: TopicPart, known: Mapping[str, Instrument]) -> Topic:
    return Topic(
        key=part.key,
        label=part.label,
        pair=Pair(part.a.term(), part.b.term()),
        names={c.key: _stems(c) for c in (part.a, part.b, *part.mediators)},
        instruments=known,
        pathways=tuple(x.term() for x in part.pathways),
        circumstances=tuple(x.term() for x in part.circumstances),
        smallest_effects=tuple(x.term() for x in part.smallest_effects),
        evidence=tuple(x.term() for x in part.evidence),
        claims=tuple(x.term() for x in part.claims),
        mediators=tuple(x.term() for x in part.mediators),
        help=part.help,
    )


def _stems(condition: ConditionPart) -> tuple[str, ...]:
    """A condition goes by its key, whatever else it goes by."""
    return tuple(dict.fromkeys((condition.key, *(name.lower() for name in condition.names))))


def _unknown(name: str) -> TopicError:
    names = topic_names()
    near = get_close_matches(name.lower().replace("_", "-").replace(" ", "-"), names, n=1, cutoff=0.4)
    wish = f"Did you mean '{near[0]}'?" if near else f"Use one of: {', '.join(names)}."
    return TopicError(f"topic '{name}'", "there is no such topic or file", f"{wish} Or give the path of a TOML file")
