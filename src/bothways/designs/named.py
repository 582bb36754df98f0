"""How people call a variable, with the side that is bad where the topic knows: "sleep" alone tells no side."""

from __future__ import annotations

from bothways.terms.records import Records


def named(records: Records, key: str) -> str:
    """Its label; else the topic's one name for the mediator that it measures ("poor sleep" for "sleep"); else its key.

    Conditions of the pair have the labels of the pair.
    """
    ends = {c.key: c.label for c in (records.pair.a, records.pair.b)}
    stated = ends.get(key) or records.labels.get(key)
    if stated or records.topic is None:
        return stated or key
    labels = {m.key: m.label for m in records.topic.mediators}
    found = {labels.get(p.mediator, p.mediator) for p in records.topic.pathways_through(key)}
    return found.pop() if len(found) == 1 else key
