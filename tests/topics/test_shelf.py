"""Topics: the shipped one is whole, a user's own is the same, and what is wrong is said in one sentence."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from bothways.terms.errors import TopicError
from bothways.terms.question import Scale
from bothways.topics import generic_topic, load_topic, topic_names

TOPIC = load_topic("depression-back-pain")
OWN = """
key = "sleep-and-headache"
label = "sleep and headache"
[a]
key = "sleep"
label = "poor sleep"
names = ["PSQI"]
[b]
key = "headache"
label = "headache"
kind = "state"
"""
INSTRUMENT = """
[[instruments]]
key = "hit"
label = "a headache scale"
measures = "headache"
low = 6
high = 60
scoring = "total_only"
"""


def write(folder: Path, text: str) -> str:
    file = folder / "own.toml"
    file.write_text(text, "utf-8")
    return str(file)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(TopicError) as caught:
        load_topic(write(folder, text))
    return str(caught.value)


def test_the_shipped_topic_is_whole() -> None:
    assert topic_names() == ("depression-back-pain",)
    assert (TOPIC.pair.a.key, TOPIC.pair.b.key) == ("depression", "back_pain")
    assert (len(TOPIC.evidence), len(TOPIC.claims), len(TOPIC.instruments)) == (87, 24, 21)
    assert TOPIC.smallest_effect(Scale.HAZARD_RATIO) == 1.25
    assert TOPIC.smallest_effect(Scale.SD_PER_SD) == 0.05
    assert any("findahelpline.com" in line for line in TOPIC.help)


def test_the_two_families_of_pathways_and_their_mediators() -> None:
    by_start = {"back_pain": set(), "depression": set()}
    for pathway in TOPIC.pathways:
        by_start[pathway.starts_from].add(pathway.key)
        assert pathway.leads_to != pathway.starts_from
        assert pathway.measures
        assert pathway.standing
    assert by_start["back_pain"] == {"bp_activity", "bp_attention", "bp_sleep", "bp_relations", "bp_drugs"}
    assert by_start["depression"] == {"dep_sensitivity", "dep_inactivity", "dep_smoking", "dep_drinking"}
    assert {p.mediator for p in TOPIC.pathways} == {m.key for m in TOPIC.mediators} <= set(TOPIC.names)


def test_every_claim_stands_on_estimates_that_are_there() -> None:
    ids = {estimate.id for estimate in TOPIC.evidence}
    assert [claim.number for claim in TOPIC.claims] == list(range(1, 25))
    for claim in TOPIC.claims:
        assert set(claim.estimates) <= ids
        assert claim.evidence
        assert claim.correction
    standings = [claim.standing for claim in TOPIC.claims]
    assert {s: standings.count(s) for s in set(standings)} == {
        "supported": 1,
        "partly": 11,
        "not_found": 5,
        "corrected": 7,
    }


def test_the_evidence_keeps_its_states() -> None:
    evidence = TOPIC.evidence
    assert sum(e.number_confirmed for e in evidence) == 74
    assert sum(e.role == "effect" for e in evidence) == 38
    assert all(e.estimate is None for e in evidence if e.role == "direction_only")
    assert all(e.finding for e in evidence if e.role == "direction_only")
    by_id = {e.id: e for e in evidence}
    carroll = by_id["carroll2004_depr_spinal_hr"]
    assert (carroll.estimate, carroll.ci_low, carroll.ci_high) == (3.97, 1.81, 8.72)
    assert (carroll.scale, carroll.direction, carroll.n) == ("hazard_ratio", "a_to_b", 790)
    assert (carroll.exposure_is, carroll.outcome_is, carroll.wider) == ("a", "b", False)
    assert carroll.doi == "10.1016/j.pain.2003.10.009"
    assert not by_id["magni1994_msk_depr_or"].number_confirmed
    assert by_id["bondesson2018_pain_mental_irr"].exposure_is == "wider"
    assert by_id["werneck2024_depr_pain_elsa"].standardised_high == 0.019


def test_evidence_names_pathways_that_the_topic_knows_or_a_rival() -> None:
    rivals = {"anxiety", "education", "shared_genes", "genetic_instrument", "treatment_of_pain", "persistence"}
    known = {mediator.key for mediator in TOPIC.mediators} | rivals
    assert {e.pathway for e in TOPIC.evidence if e.pathway} <= known


def test_people_who_share_a_study_share_a_sample() -> None:
    samples: dict[str, set[str]] = {}
    for estimate in TOPIC.evidence:
        samples.setdefault(estimate.sample, set()).add(estimate.id.split("_")[0])
    assert samples["norstop"] == {"arola2010", "campbell2013"}
    assert samples["saskatchewan"] == {"carroll2003", "carroll2004"}
    assert "" not in samples


def test_a_topic_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(TOPIC)) == TOPIC


def test_a_users_topic_is_the_same_in_one_file(tmp_path: Path) -> None:
    own = load_topic(write(tmp_path, OWN + INSTRUMENT))
    assert own.pair.a.label == "poor sleep"
    assert own.names["sleep"] == ("sleep", "psqi")
    assert own.instruments["hit"].high == 60
    assert "psqi" in own.instruments
    assert own.evidence == ()


def test_an_unknown_topic_names_the_nearest_and_else_all() -> None:
    with pytest.raises(TopicError, match="Did you mean 'depression-back-pain'"):
        load_topic("depresion_backpain")
    with pytest.raises(TopicError, match="Use one of: depression-back-pain"):
        load_topic("xyz")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN.replace('label = "headache"', 'labl = "headache"'), "'b', 'label': the field is missing"),
        (OWN + 'kid = "x"\n', "'b', 'kid': no such field is known. Did you mean 'kind'?"),
        (OWN.replace('"state"', '"mood"'), "'b', 'kind': the value should be 'score', 'state' or 'event'"),
        (OWN.replace('"headache"\nlabel', '"sleep"\nlabel'), "'a' and 'b' are the same condition"),
        (OWN + 'instrument = "xyz"\n', "names the instrument 'xyz', which is not known"),
        (OWN + INSTRUMENT + "default_cutoff = 10\n", "'default_cutoff' is used unasked"),
        (OWN + INSTRUMENT.replace("high = 60", "high = 1"), "'instruments' 1: 'low' is not below 'high'"),
        (OWN + INSTRUMENT.replace("low = 6", 'low = "6"'), "'low': the value should be a valid number"),
        (OWN + '[[smallest_effects]]\nscale = "odds_ratio"\nvalue = 0.8\nreason = "x"\n', "has to be above 1"),
        (OWN + '[[pathways]]\nkey = "p"\nlabel = "p"\nstarts_from = "sleep"\nleads_to = "headache"\n'
         'mediator = "m"\nmeasures = []\nstanding = "open"\n', "runs through 'm', which is no mediator"),
        ("key = ", "this is not TOML"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_say_what_it_must_is_refused_with_place_find_and_mend(
    tmp_path: Path, text: str, says: str
) -> None:
    sentence = refusal(tmp_path, text)
    assert says in sentence
    assert "own.toml" in sentence
    assert "\n" not in sentence


def test_a_missing_file_and_a_file_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match="cannot be read"):
        load_topic(str(tmp_path / "none.toml"))
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(TopicError, match="not text in UTF-8"):
        load_topic(str(tmp_path / "own.toml"))


def test_any_two_conditions_make_a_topic() -> None:
    topic = generic_topic("Poor_Sleep", "headache.days")
    assert (topic.pair.a.key, topic.pair.b.key) == ("poor_sleep", "headache_days")
    assert topic.pair.a.label == "Poor Sleep"
    assert "phq9" in topic.instruments
    assert topic.evidence == topic.claims == topic.pathways == ()
    assert topic.help
    mirrored = generic_topic("headache.days", "Poor_Sleep")
    assert mirrored.pair == topic.pair.swapped()
    with pytest.raises(TopicError, match="same condition"):
        generic_topic("pain", "PAIN")
    with pytest.raises(TopicError, match="no letter"):
        generic_topic("pain", "__")


def test_importing_topics_does_not_load_pydantic() -> None:
    code = "import sys, bothways.topics; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
