"""What is known beforehand of the two conditions: the topic that was named, or the one that fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bothways.terms.layout import Layout
from bothways.terms.question import Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.topic import Topic
from bothways.topics import generic_topic, load_topic

SHIPPED_TOPIC = "depression-back-pain"


def topic_named(topic: str | Path | Topic | None, layout: Layout) -> Topic:
    """The topic that the caller means; None is any two conditions, named by their columns."""
    if isinstance(topic, Topic):
        return topic
    if topic is None:
        return generic_topic(layout.a[0] if layout.a else "a", layout.b[0] if layout.b else "b")
    return load_topic(str(topic))


def topic_of(records: Records) -> Topic:
    """The records' own topic; else the shipped one where it is about the same two conditions."""
    if records.topic is not None:
        return records.topic
    shipped = load_topic(SHIPPED_TOPIC)
    keys = {shipped.pair.a.key, shipped.pair.b.key}
    if {records.pair.a.key, records.pair.b.key} == keys:
        return shipped
    return generic_topic(records.pair.a.key, records.pair.b.key)


def with_smallest_effects(settings: Settings, topic: Topic) -> Settings:
    """The settings with the topic's smallest effects of interest wherever none was stated."""
    stated: Mapping[Scale, float] = {scale: topic.smallest_effect(scale) for scale in Scale}
    return replace(settings, smallest_effects={**stated, **settings.smallest_effects})
