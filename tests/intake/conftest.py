"""The topic and the panel that these tests share."""

from __future__ import annotations

import polars as pl
import pytest
from tests.intake.intake_tables import make_panel, make_topic

from bothways.terms.topic import Topic


@pytest.fixture(scope="session")
def topic() -> Topic:
    return make_topic()


@pytest.fixture
def panel() -> pl.DataFrame:
    return make_panel()
