"""What a diary says of itself: reasons in plain words, how many people it speaks of, and peaks that stand out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.diary import DiaryDesign, items, pathways, persons, whom
from bothways.designs.diary.answers import Run, answers_of
from bothways.designs.diary.checks import caveats_of
from bothways.designs.diary.estimation import Fitted, Models, base_structure, fitted
from bothways.designs.diary.lags import choose_lags
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.designs.diary.tables import fit_of, models_table
from bothways.designs.diary.words import methods
from bothways.engine.statespace.fit import Outcome
from bothways.engine.statespace.moderated import ModeratedFit
from bothways.engine.statespace.personal_fit import PersonalFit, Share
from bothways.simulation import Observation, simulate
from bothways.terms.answer import Answer, Status
from bothways.terms.records import Records
from bothways.terms.settings import Settings

ENGINE_WORDS = ("hessian", "definite", "gradient", "converge", "eigenvalue", "singular")


def diary(people: int, answers: int, seed: int = 4) -> Records:
    look = Observation(error=0.2, missing=0.1)
    return simulate("null", people=people, waves=answers, seed=seed, design="diary", observation=look).records


def run_of(setup: DiarySetup, model: Fitted) -> Run:
    return Run(
        setup, Settings(quick=True), Models(model, model, model, None, None, None), choose_lags(setup, ()), (), ()
    )


@pytest.fixture(scope="module")
def run() -> Run:
    setup = set_up(diary(9, 12))
    return run_of(setup, fitted("ct-var", base_structure(setup, error=False), setup, False))


def broken(model: Fitted, outcome: Outcome) -> Fitted:
    return replace(model, fit=replace(model.fit, outcome=outcome), covariance=None)


def ended(kind: type, outcome: Outcome) -> object:
    """A fit of which nothing is known but how it ended."""
    found = object.__new__(kind)
    object.__setattr__(found, "outcome", outcome)
    return found


@pytest.mark.parametrize("outcome", [Outcome.NOT_CONVERGED, Outcome.NOT_POSITIVE])
def test_a_failed_fit_is_told_in_plain_words(run: Run, outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every kind of answer; the table of fits alone keeps the engine's word."""
    model = broken(run.models.chosen, outcome)
    failing = run_of(run.setup, model)
    monkeypatch.setattr(pathways, "fit_pair", lambda _: (model, model))
    monkeypatch.setattr(pathways, "set_up", lambda *_: run.setup)
    monkeypatch.setattr(items, "items_in", lambda _: (("x", "y"), ("z",)))
    monkeypatch.setattr(items, "fit_items", lambda *_: (run.setup, model))
    monkeypatch.setattr(persons, "fit_personal", lambda *_: ended(PersonalFit, outcome))
    monkeypatch.setattr(whom, "fit_split", lambda *_: ended(ModeratedFit, outcome))
    split = whom.Split("sex", "sex", ("sex: 1", "sex: 2"), (np.arange(4), np.arange(4, 9)))
    monkeypatch.setattr(whom, "splits_of", lambda _: iter([split]))
    rows: list[Answer] = [*answers_of(failing), *pathways.pathway_answers(failing, "sleep")[0]]
    for told in (items.item_answers, persons.person_answers, whom.whom_answers):
        rows += told(failing)[0]
    failed = [row for row in rows if row.status is Status.FAILED]
    assert {row.id.split(".")[1] for row in failed} == {"strength", "contrast", "pathway", "items", "persons", "whom"}
    table = models_table(failing.models, "day")
    for text in (*(row.status_says for row in failed), str(table.rows)):
        assert not [word for word in ENGINE_WORDS if word in text.lower()], text
        assert "did not settle" in text or "fit about equally well" in text
    assert fit_of(failing.models, model, 0.95).status == outcome.value


@pytest.mark.parametrize(("people", "said"), [(2, True), (9, True), (24, False)])
def test_a_few_people_speak_for_themselves(people: int, said: bool) -> None:
    """Words and target name these people; from twenty on the interval rests on how people differ."""
    setup = set_up(diary(people, 12 if people > 2 else 60))
    run = run_of(setup, fitted("ct-var", base_structure(setup, error=False), setup, False))
    found = {c.code: c.text for c in caveats_of(setup, run.models, run.lags, None)}
    assert ("few_people" in found) is said
    targets = {a.target for a in answers_of(run) if a.headline and a.estimate is not None and a.target}
    told = f"these {people} people"
    assert any(told in target for target in targets) is said
    assert (told in methods(setup, run.models, run.lags)) is said
    if said:
        assert f"{told} and not of people in general" in found["few_people"]


def test_one_occasion_is_told_as_one() -> None:
    records = diary(30, 4)
    first = np.flatnonzero(np.r_[True, np.diff(records.person) > 0])
    values = {key: column[first] for key, column in records.values.items()}
    once = replace(
        records, person=records.person[first], time=records.time[first] * 0, values=values, events={},
        wave=np.zeros(first.size, np.int64),
    )  # fmt: skip
    refusal = DiaryDesign().refuse(once, Settings())
    assert refusal is not None
    assert "one occasion only" in refusal.reason
    assert "--time" in refusal.mend


def test_what_is_alike_in_all_people_is_told_in_words(run: Run) -> None:
    a, b = run.setup.processes
    told = persons.alike_in_all(run, (f"sd drift[{b},{a}]", f"sd log drift[{a},{a}]"))
    assert told == ("how soon depression comes back to its usual level", "how depression moves back pain")
    assert persons.alike_in_all(run, ()) == ()


@pytest.mark.parametrize(("low", "high", "status"), [(0.0, 1.0, Status.REFUSED), (0.4, 1.0, Status.ANSWERED)])
def test_a_share_that_may_be_anything_is_not_told(
    run: Run, low: float, high: float, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "It holds in 100 % (0 % to 100 %) of people" would be read as a finding."""
    found = ended(PersonalFit, Outcome.CONVERGED)
    for name in ("at_limit", "check"):
        object.__setattr__(found, name, () if name == "at_limit" else None)
    monkeypatch.setattr(persons, "fit_personal", lambda *_: found)
    monkeypatch.setattr(persons, "share_beyond", lambda *_, **__: Share(1.0, low, high, 0.07, 0.02))
    monkeypatch.setattr(persons, "persons_effects", lambda *_: np.linspace(0.0, 0.1, 9))
    answers, tables = persons.person_answers(run)
    assert {a.status for a in answers} == {status}
    assert all((a.estimate is None) == ("nearly nobody" in a.status_says) for a in answers)
    assert tables[0].rows[0][-2:] == (low, high)  # the numbers stay where numbers are looked for
