"""The literature: a study of its own, or beside one's own data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bothways.designs.literature import answer_literature
from bothways.study.result import Study
from bothways.study.topics import SHIPPED_TOPIC, with_smallest_effects
from bothways.terms.answer import DesignResult
from bothways.terms.errors import TopicError
from bothways.terms.outcome import Outcome
from bothways.terms.records import Records, Roles, Source, TimeUnit
from bothways.terms.settings import Settings
from bothways.terms.topic import Topic
from bothways.terms.verdict import Verdict
from bothways.topics import load_topic, read_evidence
from bothways.verdicts import weigh


def evidence(
    topic: str | Path | Topic = SHIPPED_TOPIC,
    *,
    file: str | Path | None = None,
    settings: Settings | None = None,
    command: str = "",
) -> Study:
    """What has been published on a topic's two conditions, with estimates of one's own ``file`` (CSV, TOML) added.

    The study holds no records; its verdict is the literature's. Raises ``TopicError`` for a file that is not evidence.
    """
    known = topic if isinstance(topic, Topic) else load_topic(str(topic))
    own = read_evidence(str(file)) if file else ()
    shipped = {e.id for e in known.evidence}
    if twice := next((e.id for e in own if e.id in shipped), None):
        found = f"an estimate with the id '{twice}' is known already"
        raise TopicError(str(file), found, "Leave it out, or give it another id if it is another estimate")
    known = replace(known, evidence=(*known.evidence, *own))
    settings = with_smallest_effects(settings or Settings(), known)
    result = answer_literature(known.evidence, known.pair, settings, known.claims)
    name = f"the published estimates of {known.label}"
    outcome = Outcome(
        topic=known,
        pair=known.pair,
        source=Source(name, "", len(known.evidence), 0),
        time_unit=TimeUnit.DAY,
        findings=(),
        settings=settings,
        description=(),
        results=(result,),
        verdict=weigh(known.pair, (result,), settings),
        command=command,
        kind="evidence",
    )
    return Study(no_records(known, outcome.source), outcome)


def literature(topic: Topic, settings: Settings) -> tuple[DesignResult | None, Verdict | None]:
    """What others have published on this pair, and its own verdict: beside the answer, never inside it."""
    if not topic.evidence:
        return None, None
    result = answer_literature(topic.evidence, topic.pair, settings, topic.claims)
    return result, weigh(topic.pair, (result,), settings)


def no_records(topic: Topic, source: Source) -> Records:
    """The records of a study that holds nobody's."""
    nobody = np.zeros(0, np.int64)
    roles = Roles(None, None, (), ())
    return Records(topic.pair, nobody, np.zeros(0), TimeUnit.DAY, {}, roles, source, topic=topic)
