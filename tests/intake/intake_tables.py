"""A topic made by hand and a panel with gaps, so that intake is tested without the shipped data."""

from __future__ import annotations

import numpy as np
import polars as pl

from bothways.terms.question import Condition, Pair
from bothways.terms.topic import Cutoff, Instrument, Pathway, Topic

PHQ9 = Instrument(
    key="phq9",
    label="PHQ-9",
    measures="depression",
    low=0,
    high=27,
    items=9,
    item_low=0,
    item_high=3,
    max_missing=2,
    cutoffs=(Cutoff(10, "screen positive", True),),
    default_cutoff=10,
    self_harm_item=9,
    names=("phq9", "phq_9"),
    checked=("range", "items", "item_range", "default_cutoff"),
)
CESD10 = Instrument(
    key="cesd10",
    label="CES-D-10",
    measures="depression",
    low=0,
    high=30,
    items=10,
    item_low=0,
    item_high=3,
    reversed_items=(5, 8),
    names=("cesd10",),
    checked=("range",),
)
BODILY_PAIN = Instrument(
    key="sf36-bp",
    label="SF-36 bodily pain",
    measures="pain",
    low=0,
    high=100,
    scoring="total_only",
    higher_is_worse=False,
    names=("sf36_bp",),
    checked=("range",),
)
NRS = Instrument(key="nrs", label="NRS", measures="pain", low=0, high=10, items=1, names=("nrs",), checked=("range",))


def make_topic() -> Topic:
    """Depression and back pain, with four instruments."""
    pair = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))
    return Topic(
        "test",
        "Depression and back pain",
        pair,
        names={"depression": ("depression", "mood"), "back_pain": ("pain", "ache")},
        instruments={i.key: i for i in (PHQ9, CESD10, BODILY_PAIN, NRS)},
        pathways=(Pathway("sleep", "sleep", "back_pain", "depression", "sleep", (), "", ("sleep",)),),
    )


def make_panel(people: int = 60, waves: int = 4, seed: int = 7) -> pl.DataFrame:
    """A long panel of whole numbers with gaps, sorted by person and wave."""
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal((people, 1))
    mood = np.clip(np.round(8 + 3 * trait + 3 * rng.standard_normal((people, waves))), 0, 27)
    pain = np.clip(np.round(4 + trait + 2 * rng.standard_normal((people, waves))), 0, 10)
    sleep = np.round(6 - trait + rng.standard_normal((people, waves)), 1)
    for column in (mood, pain, sleep):
        column[rng.random((people, waves)) < 0.12] = np.nan
    mood[3, 2:] = pain[3, 2:] = sleep[3, 2:] = np.nan  # somebody leaves
    frame = {
        "id": np.repeat(np.arange(101, 101 + people), waves),
        "wave": np.tile(np.arange(1, waves + 1), people),
        "phq9": mood.ravel(),
        "pain": pain.ravel(),
        "sleep": sleep.ravel(),
        "age": np.repeat(rng.integers(20, 70, people), waves).astype(float),
    }
    return pl.DataFrame(frame).fill_nan(None)


def widened(long: pl.DataFrame) -> pl.DataFrame:
    """The same panel with a row per person: phq9_t1, pain_t1, ..., age."""
    wide = long.pivot(on="wave", index="id", values=["phq9", "pain", "sleep"], maintain_order=True)
    names = {name: name.replace("_", "_t") for name in wide.columns if name != "id"}
    ages = long.group_by("id", maintain_order=True).agg(pl.col("age").first())
    return wide.rename(names).join(ages, on="id", maintain_order="left")
