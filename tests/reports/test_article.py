"""The article's every pathway and circumstance under one name: topic, simulated world, evidence, claim and report.

The ids are those of the project's reading of the article, typed in here once more.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.reports.outcomes import A_TO_B, B_TO_A, answer, estimate, outcome, panel
from tests.simulation.simulated_questions import BACK, THERE, ask

from bothways.reports import facts_of, render
from bothways.reports.published import published_grid, rivals_grid
from bothways.reports.whom import circumstances_grid
from bothways.simulation import simulate
from bothways.simulation.catalogue import find
from bothways.simulation.processes import FAMILIES, PATHWAYS, PROCESSES
from bothways.terms.answer import Estimand
from bothways.terms.question import Facet, Population
from bothways.topics import load_topic

TOPIC = load_topic("depression-back-pain")
FAMILY = {
    "bp_activity": ("back_pain", "activity"),
    "bp_attention": ("back_pain", "attention"),
    "bp_sleep": ("back_pain", "sleep"),
    "bp_relations": ("back_pain", "relationships"),
    "bp_drugs": ("back_pain", "medicines"),
    "dep_sensitivity": ("depression", "sensitivity"),
    "dep_inactivity": ("depression", "inactivity"),
    "dep_smoking": ("depression", "smoking"),
    "dep_drinking": ("depression", "drinking"),
}
ABSTRACT_ONLY = {"activity", "attention", "inactivity"}  # sources that are cited in a claim and not yet extracted
CIRCUMSTANCES = {  # key of the topic -> numbers of the article's claims
    "chronic_pain": (2,), "acute_strain": (10,), "pain_severity": (2,), "pain_sites": (2,),
    "clinical_depression": (9,), "lasting_or_any_pain": (21,), "anxiety": (),
}  # fmt: skip
MEDIATED = (Estimand.FIRST_LEG, Estimand.SECOND_LEG, Estimand.INDIRECT, Estimand.DIRECT, Estimand.TOTAL)


@pytest.fixture(scope="module")
def facts() -> dict:
    """Facts in which every pathway and every circumstance was asked."""
    rows = []
    for key, (start, mediator) in FAMILY.items():
        way = B_TO_A if start == "back_pain" else A_TO_B
        rows += [answer(way, estimate(0.1, 0.04), estimand=part, facet=Facet.PATHWAY, pathway=mediator,
                        name=f"{key}.{part.value}", headline=False) for part in MEDIATED]  # fmt: skip
    for key in CIRCUMSTANCES:
        for kind in (Estimand.CROSS_LAG, Estimand.INTERACTION):
            row = answer(A_TO_B, estimate(0.1, 0.04), estimand=kind, facet=Facet.WHOM, subgroup=f"with {key}",
                         name=f"{key}.{kind.value}", headline=False)  # fmt: skip
            rows.append(replace(row, question=replace(row.question, population=Population("others", key))))
    made = outcome(replace(panel(), answers=(*panel().answers, *rows)))
    return facts_of(replace(made, topic=TOPIC))


def test_topic_simulation_and_article_name_the_same_pathways() -> None:
    assert {p.key: (p.starts_from, p.mediator) for p in TOPIC.pathways} == FAMILY
    assert {key: mediator for key, (_, mediator) in FAMILY.items()} == PATHWAYS
    assert {(f.source, m) for f in FAMILIES for m, _ in f.shares} == set(FAMILY.values())
    assert {m.key: m.label for m in TOPIC.mediators} == {m: PROCESSES[m].label for m in PATHWAYS.values()}


@pytest.mark.parametrize("key", FAMILY)
def test_each_pathway_has_a_world_in_which_it_alone_carries_the_effect(key: str) -> None:
    start, mediator = FAMILY[key]
    names = next(p.worlds for p in TOPIC.pathways if p.key == key)
    assert names
    for name in names:
        assert find(name).carried_by == mediator
        world = simulate(name, people=20, waves=3, seed=1)
        assert mediator in world.records.roles.pathways
        way = BACK if start == "back_pain" else THERE
        question = ask(world, way, Facet.PATHWAY)
        parts = {p: world.truth(replace(question, pathway=key), p).value for p in MEDIATED[2:]}
        assert parts[Estimand.INDIRECT] > 0
        assert parts[Estimand.TOTAL] == pytest.approx(parts[Estimand.DIRECT] + parts[Estimand.INDIRECT])


@pytest.mark.parametrize("key", FAMILY)
def test_each_pathway_has_its_claim_and_its_evidence(key: str) -> None:
    mediator = FAMILY[key][1]
    label = next(m.label for m in TOPIC.mediators if m.key == mediator)
    claims = [c for c in TOPIC.claims if c.kind == f"pathway: {label}"]
    assert claims
    rows = [e for e in TOPIC.evidence if e.pathway == mediator]
    cited = any(re.search(r"\d{4}.*abstracts? only", c.evidence) for c in claims)
    assert bool(rows) != (mediator in ABSTRACT_ONLY)
    assert rows or cited


@pytest.mark.parametrize("key", FAMILY)
def test_each_pathway_stands_in_the_facts_and_in_every_reading(key: str, facts: dict) -> None:
    start, mediator = FAMILY[key]
    way = "b_to_a" if start == "back_pain" else "a_to_b"
    lane = next(x for x in facts["loop"]["lanes"] if x["direction"] == way and x["mediators"] == [mediator])
    assert lane["asked"]
    assert lane["pathways"] == [key]
    assert set(lane["answers"]) == {part.value for part in MEDIATED}
    assert lane["label"] in {row[2] for row in published_grid(facts).rows}
    sentence = facts["words"]["pathways"][f"{way}.{mediator}"]["sentence"]
    assert f"seems to run through {lane['label']}" in sentence
    for form in ("markdown", "terminal", "html"):
        assert sentence in " ".join(render_once(facts, form).split())


READINGS: dict[str, str] = {}


def render_once(facts: dict, form: str) -> str:
    """Each form rendered once for all tests of this module."""
    if form not in READINGS:
        READINGS[form] = render(facts, form, "researcher")
    return READINGS[form]


def test_the_topic_names_the_articles_circumstances_and_no_others() -> None:
    assert [c.key for c in TOPIC.circumstances] == list(CIRCUMSTANCES)


@pytest.mark.parametrize("key", CIRCUMSTANCES)
def test_each_circumstance_has_a_world_evidence_a_claim_and_its_place(key: str, facts: dict) -> None:
    circumstance = next(c for c in TOPIC.circumstances if c.key == key)
    assert all(find(name) for name in circumstance.worlds)
    assert circumstance.worlds
    published = {e.id for e in TOPIC.evidence}
    assert circumstance.estimates
    assert set(circumstance.estimates) <= published
    claims = [c for c in TOPIC.claims if c.number in CIRCUMSTANCES[key]]
    assert all(c.kind == "circumstance" for c in claims)
    assert len(claims) == len(CIRCUMSTANCES[key])
    group = next(g for g in facts["whom"] if g["circumstance"] == key)
    assert group["label"] == circumstance.label
    row = next(r for r in circumstances_grid(facts).rows if r[0] == circumstance.label)
    assert row[1] == "asked"
    assert row[3] != "none read"
    assert circumstance.label in render_once(facts, "markdown")


def test_the_worlds_of_the_circumstances_hold_what_they_say() -> None:
    """Severity and sites: both carry, duration makes no difference. Strain: only lasting pain acts. Clinical: an
    episode, present or absent, where it is seen as onset, and a score where it is asked at waves."""
    sites = simulate("severity-and-sites", people=50, waves=3, seed=1)
    assert {"chronic_pain", "pain_sites"} <= set(sites.records.values)
    assert sites.records.roles.by == ("chronic_pain", "pain_sites")
    question = ask(sites, BACK)
    assert sites.truth(replace(question, facet=Facet.WHOM)).value == 0.0
    through = replace(question, facet=Facet.PATHWAY, pathway="pain_sites")
    assert 0 < sites.truth(through, Estimand.INDIRECT).value < sites.truth(through, Estimand.TOTAL).value
    strain = simulate("strain-and-chronic", people=20, waves=3, seed=1)
    parts = [strain.truth(replace(ask(strain, BACK), pathway=p, horizon=7.0)).value for p in ("strain", "lasting_pain")]
    assert abs(parts[0]) < 0.2 * parts[1]
    assert simulate("depression-first", people=20, design="onset", seed=1).records.pair.a.kind.value == "state"
    assert simulate("depression-first", people=20, seed=1).records.pair.a.kind.value == "score"


def test_direct_is_not_total_where_sensitivity_carries_all() -> None:
    """Pain sensitivity before and after the mediators: adjusting for them leaves a direct effect, not the whole."""
    world = simulate("only-sensitivity", people=20, waves=3, seed=1)
    question = replace(ask(world, THERE, Facet.PATHWAY), pathway="dep_sensitivity", horizon=360.0)
    total, direct = (world.truth(question, part).value for part in (Estimand.TOTAL, Estimand.DIRECT))
    assert abs(direct) < 0.1 * total


def test_rivals_and_the_loop_have_their_worlds_their_evidence_and_their_place(facts: dict) -> None:
    rivals = {row[0] for row in rivals_grid(facts).rows}
    assert {"anxiety", "shared genes", "education", "each condition's own persistence"} <= rivals
    assert "anxiety" in simulate("anxiety-rival", people=20, waves=2, seed=1).records.values
    loop = find("pain-loop")
    assert loop.effects == (0.0, 0.0)
    assert {(a.source, a.target) for a in loop.arrows} >= {("back_pain", "inactivity"), ("inactivity", "back_pain")}
    assert next(c for c in TOPIC.claims if c.number == 24).kind == "loop"
    assert any(e.role == "persistence" for e in TOPIC.evidence)
    assert "own" in facts["loop"]
