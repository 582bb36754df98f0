"""Every challenger: what its outcome must be in a world where the answer is known, and what the budget leaves out."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import t as student
from tests.verdicts.lagged import answer, lagged, records_of, wide, world

import bothways as bw
from bothways.designs.panel import PanelDesign
from bothways.terms.answer import DesignResult, Estimate
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Kind, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges import challenge
from bothways.verdicts.challenges.base import Case, outcome
from bothways.verdicts.challenges.confounding import control_outcome, degrees_of_freedom, robustness_value
from bothways.verdicts.challenges.errors import filled, measurement_error, noisier, shifted
from bothways.verdicts.challenges.links import exchanged, people_shuffled, time_reversed
from bothways.verdicts.challenges.parts import distance, fewer_waves, other_cuts, unusual_people
from bothways.verdicts.challenges.run import CHALLENGERS

SETTINGS = Settings()
STATES = {"uncertain": (-0.1, 0.3), "little": (-0.02, 0.03), "more": (0.06, 0.3), "less": (-0.3, -0.06)}
BY_HAND = {
    ("more", "more"): "stands",
    ("less", "less"): "stands",
    ("little", "little"): "stands",
    ("uncertain", "uncertain"): "stands",
    ("more", "less"): "broken",
    ("less", "more"): "broken",
    ("more", "little"): "broken",
    ("less", "little"): "broken",
    ("little", "more"): "broken",
    ("little", "less"): "broken",
}


def estimate(low: float, high: float, scale: Scale = Scale.SD_PER_SD) -> Estimate:
    return Estimate((low + high) / 2, low, high, (high - low) / 3.92, scale, 400)


def case_of(records: Records, result: DesignResult | None = None, ask=lagged, settings: Settings = SETTINGS) -> Case:
    return Case(records, result or ask(records, settings), settings, ask, np.random.default_rng(1))


def outcomes(challenges: object) -> dict[str, str]:
    return {c.answer_id.removeprefix("panel."): c.outcome for c in challenges}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("before", "after"), list(product(STATES, repeat=2)))
def test_every_cell_of_the_outcome_table(before: str, after: str) -> None:
    said = outcome(estimate(*STATES[before]), estimate(*STATES[after]), SETTINGS)
    assert said == BY_HAND.get((before, after), "weakened")


def test_no_new_answer_is_not_run() -> None:
    assert outcome(estimate(0.06, 0.3), None, SETTINGS) == "not run"
    assert outcome(estimate(0.06, 0.3), estimate(math.nan, math.nan), SETTINGS) == "not run"


def test_a_real_link_survives_the_shuffles_and_an_artefact_does_not() -> None:
    """An answer that comes out the same whoever's course it is was never about the link between the two."""
    records = records_of(*world())
    assert outcomes(people_shuffled(case_of(records))) == {"a_to_b": "stands", "b_to_a": "stands"}

    def artefact(altered: Records, settings: Settings) -> DesignResult:
        spread = float(np.nanstd(altered.values["back_pain"]))  # the same in every shuffle
        return DesignResult("panel", (answer(Direction.A_TO_B, 0.1 * spread, 0.01),))

    assert outcomes(people_shuffled(case_of(records, ask=artefact))) == {"a_to_b": "broken"}


@pytest.mark.parametrize(("beaten", "became"), [(0, "stands"), (1, "weakened"), (2, "weakened"), (3, "broken")])
def test_the_number_of_shuffles_that_beat_it_decides(beaten: int, became: str) -> None:
    records = records_of(*world(people=20))
    left = iter([0.5] * beaten + [-0.1] * (19 - beaten))
    first = DesignResult("panel", (answer(Direction.A_TO_B, 0.3, 0.05),))

    def drawn(altered: Records, settings: Settings) -> DesignResult:
        return DesignResult("panel", (answer(Direction.A_TO_B, next(left), 0.05),))

    assert outcomes(people_shuffled(case_of(records, first, drawn))) == {"a_to_b": became}


def test_in_a_world_without_a_link_what_seems_to_predict_falls_to_the_shuffles() -> None:
    """Random walks that share nothing look related within one person; shuffled, they look as related."""
    random = np.random.default_rng(5)
    a, b = np.cumsum(random.normal(size=(2, 30, 12)), axis=2)
    records = records_of(a, b)

    def trending(altered: Records, settings: Settings) -> DesignResult:
        """A wrong design: it reads two trends as a link, and its interval is far too narrow."""
        x, y = (wide(altered, c.key) for c in (altered.pair.a, altered.pair.b))
        r = float(np.mean([abs(np.corrcoef(p, q)[0, 1]) for p, q in zip(x, y, strict=True)]))
        return DesignResult("panel", (answer(Direction.A_TO_B, r, 0.02),))

    assert outcomes(people_shuffled(case_of(records, ask=trending))) == {"a_to_b": "broken"}


def test_a_lag_that_is_stronger_backwards_is_weakened() -> None:
    a, b = world(lag=0.4)
    assert outcomes(time_reversed(case_of(records_of(a, b)))) == {"a_to_b": "stands", "b_to_a": "stands"}
    backwards = case_of(records_of(a[:, ::-1], b[:, ::-1]))  # what is told here is the world read from its end
    assert outcomes(time_reversed(backwards))["b_to_a"] in ("stands", "weakened")
    weak = DesignResult("panel", (answer(Direction.A_TO_B, 0.10, 0.01),))
    strong = DesignResult("panel", (answer(Direction.A_TO_B, 0.20, 0.01),))
    told = case_of(records_of(a, b), weak, lambda r, s: strong)
    assert outcomes(time_reversed(told)) == {"a_to_b": "weakened"}
    near = DesignResult("panel", (answer(Direction.A_TO_B, 0.11, 0.01),))
    told = case_of(records_of(a, b), weak, lambda r, s: near)
    assert outcomes(time_reversed(told)) == {"a_to_b": "stands"}


def test_exchanging_breaks_only_an_answer_that_depends_on_the_order_of_names() -> None:
    records = records_of(*world())
    assert set(outcomes(exchanged(case_of(records))).values()) == {"stands"}

    def partial(altered: Records, settings: Settings) -> DesignResult:
        """A wrong design: it remembers which name stood first."""
        found = lagged(altered, settings)
        return found if altered.pair.a.key == "depression" else DesignResult("panel", found.answers[:1])

    said = outcomes(exchanged(case_of(records, ask=partial)))
    assert said == {"a_to_b": "broken", "b_to_a": "stands"}


def test_an_answer_that_rests_on_one_wave_does_not_survive_without_it() -> None:
    a, b = world(people=300, lag=0.0, seed=3)
    b[:, 1] += 1.5 * a[:, 0]
    told = list(fewer_waves(case_of(records_of(a, b))))
    assert [c.outcome for c in told if c.answer_id == "panel.a_to_b"] == ["weakened", "stands"]
    assert "without the first wave" in told[0].title
    assert list(fewer_waves(case_of(records_of(a[:, :3], b[:, :3])))) == []


def test_an_answer_that_rests_on_a_few_people_does_not_survive_without_them() -> None:
    a, b = world(people=200, lag=0.0, seed=4)
    a[:8] += 12
    b[:8] += 12 * np.linspace(0.5, 1.5, a.shape[1])
    case = case_of(records_of(a, b))
    far = np.argsort(distance(case.records))[::-1][:8]
    assert set(far.tolist()) == set(range(8))
    assert next(c.outcome for c in unusual_people(case)) in ("weakened", "broken")
    assert list(unusual_people(case_of(records_of(a[:50], b[:50])))) == []


def test_distance_is_mahalanobis_by_its_definition() -> None:
    records = records_of(*world(people=40))
    means = np.column_stack([wide(records, k).mean(axis=1) for k in ("depression", "back_pain")])
    inverse = np.linalg.inv(np.cov(means.T))
    expected = [(m - means.mean(0)) @ inverse @ (m - means.mean(0)) for m in means]
    np.testing.assert_allclose(distance(records), expected)


def test_cut_offs_move_in_the_settings_that_decide() -> None:
    records = records_of(*world(people=120))
    condition = replace(records.pair.a, threshold=0.5, kind=Kind.SCORE)
    records = replace(records, pair=replace(records.pair, a=condition))
    asked: list[float] = []

    def listening(altered: Records, settings: Settings) -> DesignResult:
        asked.append(settings.cuts["depression"])
        return lagged(altered, settings)

    case = case_of(records, lagged(records, SETTINGS), listening)
    assert len(list(other_cuts(case))) == 4
    scores = records.values["depression"]
    step = 0.1 * (scores.max() - scores.min())
    assert asked == pytest.approx([0.5 - step, 0.5 + step])


def test_simex_undoes_attenuation() -> None:
    """With a fifth of the variance error, the naive slope is about 0.8 of the truth."""
    a, b = world(people=20_000, waves=4, lag=0.3, seed=2)
    random = np.random.default_rng(9)
    noisy = [x + random.normal(0, x.std() * math.sqrt(0.25), x.shape) for x in (a, b)]
    case = case_of(records_of(*noisy))
    told = {c.title: c for c in measurement_error(case) if c.answer_id == "panel.a_to_b"}
    naive = case.result.answers[0].estimate
    middle = next(c for title, c in told.items() if "a fifth" in title)
    assert naive is not None
    assert middle.value is not None
    assert naive.value < 0.26  # the truth is 0.3; a quadratic is known to bring back most of it and not all
    assert 0.3 - middle.value < 0.6 * (0.3 - naive.value)
    assert middle.value < 0.31
    assert middle.high - middle.low == pytest.approx(naive.high - naive.low)  # type: ignore[operator]
    tenth = next(c for title, c in told.items() if "a tenth" in title)
    assert naive.value < tenth.value < middle.value  # type: ignore[operator]


def test_added_error_has_the_variance_that_is_said() -> None:
    case = case_of(records_of(*world(people=20_000)))
    added = noisier(case, 0.3).values["back_pain"] - case.records.values["back_pain"]
    assert added.var() == pytest.approx(0.3 * case.records.values["back_pain"].var(), rel=0.03)


def test_a_ratio_is_moved_on_its_logarithm() -> None:
    moved = shifted(Estimate(2.0, 1.0, 4.0, 0.35, Scale.RATE_RATIO, 10), math.log(3.0))
    assert (moved.low, moved.value, moved.high) == pytest.approx((1.5, 3.0, 6.0))


def test_gaps_are_filled_around_the_person_and_the_occasion_and_tilted() -> None:
    random = np.random.default_rng(0)
    level = random.normal(0, 3, (4000, 1))
    a = level + np.array([0.0, 1.0, 2.0, 3.0]) + random.normal(0, 0.1, (4000, 4))
    whole = a.copy()
    gone = random.random(a.shape) < 0.2
    a[gone] = np.nan
    case = case_of(records_of(a, whole), DesignResult("panel"))
    plain, up = (filled(case, "depression", tilt) for tilt in (0.0, 0.5))
    missing = ~np.isfinite(case.records.values["depression"])
    truth = case.records.values["back_pain"]
    assert np.corrcoef(plain[missing], truth[missing])[0, 1] > 0.95
    assert (plain - truth)[missing].mean() == pytest.approx(0, abs=0.05)
    spread = np.nanstd(case.records.values["depression"])
    assert (up - truth)[missing].mean() == pytest.approx(0.5 * spread, abs=0.05)
    assert np.array_equal(plain[~missing], truth[~missing])


@pytest.mark.parametrize(
    ("own", "control", "became"),
    [
        ((0.10, 0.30), (0.15, 0.30), "broken"),
        ((0.10, 0.30), (-0.30, -0.15), "broken"),
        ((0.10, 0.30), (0.06, 0.14), "weakened"),
        ((0.10, 0.30), (-0.04, 0.12), "stands"),
        ((0.10, 0.30), (-0.04, 0.04), "stands"),
        ((0.10, 0.30), (-0.10, 0.40), "not run"),
        ((-0.10, 0.30), (0.10, 0.40), "for scale"),
    ],
)
def test_what_a_negative_control_makes_of_an_answer(
    own: tuple[float, float], control: tuple[float, float], became: str
) -> None:
    case = case_of(records_of(*world(people=20)))
    assert control_outcome(case, estimate(*own), estimate(*control))[0] == became


def test_a_shared_hidden_course_breaks_the_answer_by_its_control() -> None:
    """A hidden course drives both conditions and the control: what cannot be affected is "predicted" as well."""
    random = np.random.default_rng(1)
    hidden = np.zeros((800, 5))
    hidden[:, 0] = random.normal(size=800)
    for t in range(1, 5):
        hidden[:, t] = 0.8 * hidden[:, t - 1] + 0.6 * random.normal(size=800)
    a, b, control = (hidden + 0.7 * random.normal(size=hidden.shape) for _ in range(3))
    records = records_of(a, b)
    records = replace(records, values={**records.values, "shoe_size": control.ravel()})
    settings = Settings(negative_control="shoe_size")
    told = challenge(records, (lagged(records, settings),), lambda _, r, s: lagged(r, s), settings)
    assert {c.outcome for c in told if c.key == "negative_control"} <= {"broken", "weakened"}
    assert sum(c.key == "negative_control" for c in told) == 2
    clean = replace(records, values={**records.values, "shoe_size": random.normal(size=control.size)})
    honest = records_of(*world(people=800))
    clean = replace(honest, values={**honest.values, "shoe_size": random.normal(size=control.size)})
    told = challenge(clean, (lagged(clean, settings),), lambda _, r, s: lagged(r, s), settings)
    assert next(c.outcome for c in told if c.key == "negative_control") == "stands"


def test_the_robustness_value_is_the_strength_that_just_explains_away() -> None:
    """Brute force: a confounder of partial R² = RV with both takes the adjusted estimate to exactly zero.

    The bias of omitting a confounder is se sqrt(R²y R²d / (1 - R²d)) sqrt(df) (Cinelli & Hazlett 2020, eq. 14).
    """
    for t, free in ((2.5, 100), (4.0, 800), (10.0, 50)):
        rv = robustness_value(t, free)
        bias = math.sqrt(rv * rv / (1 - rv)) * math.sqrt(free)  # in standard errors
        assert bias == pytest.approx(t)
    assert robustness_value(4.18, 783) == pytest.approx(0.1387, abs=2e-4)  # Darfur example of the article
    assert robustness_value(4.18, 783, 0.05) == pytest.approx(0.0763, abs=2e-4)
    critical = float(student.isf(0.025, 99))
    assert robustness_value(critical * math.sqrt(100 / 99) - 1e-9, 100, 0.05) == pytest.approx(0.0, abs=1e-6)
    assert robustness_value(0.3, 100, 0.05) == 0.0


def test_degrees_of_freedom_count_steps() -> None:
    a = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, np.nan, 3.0, 4.0], [1.0, np.nan, np.nan, np.nan]])
    b = np.arange(12.0).reshape(3, 4)
    # steps with both known at both ends: three of the first, one of the second (waves 3 to 4), none of the third.
    assert degrees_of_freedom(records_of(a, b)) == 4 - 2 - 2


def run(records: Records, seconds: float = 60.0, seed: int = 1, pause: float = 0.0) -> tuple[Challenge, ...]:
    settings = Settings(seed=seed)

    def ask(_: str, altered: Records, asked: Settings) -> DesignResult:
        time.sleep(pause)
        return lagged(altered, asked)

    return challenge(records, (lagged(records, settings),), ask, settings, seconds=seconds)


def test_a_seed_fixes_every_outcome_and_a_short_budget_changes_none_that_it_reaches() -> None:
    a, b = world(people=150)
    a[np.random.default_rng(0).random(a.shape) < 0.1] = np.nan
    records = records_of(a, b, baseline={"age": np.arange(150.0)})
    whole = run(records)
    assert whole == run(records)
    assert {c.key for c in whole} >= {"exchanged", "missing_for_a_reason", "measurement_error", "people_shuffled"}
    start = time.perf_counter()
    short = run(records, seconds=0.2, pause=0.03)
    assert time.perf_counter() - start < 1.0
    reached = [c for c in short if c.says != "The time budget was spent before it was done."]
    assert 0 < len(reached) < len(whole)
    assert set(reached) <= set(whole)
    left = {c.key for c in short} - {c.key for c in reached}
    assert "people_shuffled" in left
    assert {c.key for c in whole} == {c.key for c in short}


def test_no_time_at_all_leaves_what_needs_no_question() -> None:
    told = run(records_of(*world(people=150)), seconds=-1.0)
    assert {c.outcome for c in told if c.key != "robustness_value"} == {"not run"}


def test_a_design_without_an_answer_is_not_challenged() -> None:
    records = records_of(*world(people=20))
    failed = DesignResult("panel", (replace(answer(Direction.A_TO_B, 0.1, 0.1), estimate=None),))
    assert challenge(records, (failed, DesignResult("onset", refused="no")), _never, SETTINGS) == ()


def _never(design: str, records: Records, settings: Settings) -> DesignResult:
    raise AssertionError("it was asked")


def test_every_challenger_has_a_key_of_its_own() -> None:
    assert len({c.key for c in CHALLENGERS}) == len(CHALLENGERS)


def test_the_panel_design_survives_in_its_own_world_and_its_headline_alone_is_the_same() -> None:
    world_ = bw.simulate("both-ways", people=600, waves=4, seed=5, effect=0.2)
    design = PanelDesign()
    lean = Settings(headline_only=True)
    alone, whole = (design.answer(world_.records, s, silent) for s in (lean, Settings(quick=True)))
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        one, other = alone.headline(direction), whole.headline(direction)
        assert one is not None
        assert other is not None
        assert one.estimate == other.estimate
    assert alone.tables == ()
    told = challenge(world_.records, (whole,), lambda _, r, s: design.answer(r, lean, silent), SETTINGS, seconds=30)
    shuffled = [c.outcome for c in told if c.key == "people_shuffled"]
    assert shuffled == ["stands", "stands"]
    assert [c.outcome for c in told if c.key == "exchanged"] == ["stands", "stands"]
