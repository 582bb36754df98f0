"""What is said of a topic that there is none of."""

from __future__ import annotations

import pytest

from bothways.terms.errors import TopicError
from bothways.topics import load_topic


def test_each_help_is_a_sentence_of_its_own() -> None:
    with pytest.raises(TopicError, match=r"Use one of: depression-back-pain\. Or give the path"):
        load_topic("zzz")
