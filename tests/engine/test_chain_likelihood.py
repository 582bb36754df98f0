"""The chain likelihood against its definition: Kolmogorov's equations, block exponentials, finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from tests.engine.chain_witness import block, differences, hidden_loglik, kolmogorov, loglik

from bothways.engine.chain.emission import FixedErrors, Initial, MultinomialErrors, PairErrors
from bothways.engine.chain.graph import Graph, four_states, graph
from bothways.engine.chain.likelihood import ChainModel, evaluate, unit_scores
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.roots import decompose
from bothways.engine.chain.sequences import DATED, ENTERED, SEEN, observe, sequences
from bothways.engine.kernels.chain.exponential import block_exponential

PAIR = graph(("0", "1"), ("0>1", "1>0"))
CYCLE = graph(("0", "A", "B", "AB"), ("0>A", "A>AB", "B>0", "AB>B"))
DEFECTIVE = graph(("0", "1", "2", "3"), ("0>1", "1>2", "2>3"))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[str], list[float]]:
    """A connected graph of 2 to 5 states with log rates over four orders of magnitude, repeats among them."""
    K = draw(st.integers(2, 5))
    names = tuple(str(k) for k in range(K))
    ring = [f"{k}>{(k + 1) % K}" for k in range(K)]
    more = [f"{r}>{s}" for r in names for s in names if r != s and f"{r}>{s}" not in ring]
    extra = draw(st.lists(st.sampled_from(more), unique=True)) if more else []
    level = st.sampled_from([-4.0, -1.0, 0.0, 0.0, 0.7, 2.0])
    rates = draw(st.lists(level, min_size=K + len(extra), max_size=K + len(extra)))
    return K, ring + extra, rates


def built(case: tuple[int, list[str], list[float]]) -> tuple[Graph, np.ndarray]:
    """Outside the strategy, because shape checks draw random numbers of their own."""
    return graph(tuple(str(k) for k in range(case[0])), case[1]), np.array(case[2])


def walk(states: Graph, seed: int, units: int = 6, rows: int = 4, masks: bool = True):
    """Observations of every kind on an irreducible graph; any state may follow any other."""
    rng = np.random.default_rng(seed)
    K, n = states.size, units * rows
    time = np.cumsum(rng.choice([0.1, 0.5, 1.0, 3.0], n)).astype(float)
    seen = rng.integers(0, K + masks, n)
    table = np.ones((1, K))
    table[0, -1] = 0.0
    return observe(np.repeat(np.arange(units), rows), time, seen, states=K, x=rng.normal(size=(n, 1)), masks=table)


@settings(max_examples=40)
@given(graphs(), st.integers(0, 10_000))
def test_likelihood_and_gradient_are_those_of_the_definition(
    case: tuple[int, list[str], list[float]], seed: int
) -> None:
    states, rates = built(case)
    seen = walk(states, seed)
    model = ChainModel(predictor(states, {"x": None}), sequences(states, seen))
    theta = np.concatenate([rates, np.linspace(-0.2, 0.3, rates.size)])
    x = np.column_stack([np.ones(seen.unit.size), seen.x])
    here = evaluate(model, theta, 2)
    assert here.loglik == pytest.approx(loglik(states, seen, model.predictor.log_rates(theta, x)), rel=1e-10, abs=1e-10)
    brute = differences(lambda p: loglik(states, seen, model.predictor.log_rates(p, x)), theta, 1e-3)
    np.testing.assert_allclose(here.gradient, brute, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(unit_scores(model, theta).sum(0), here.gradient, rtol=1e-9, atol=1e-9)
    assert np.linalg.eigvalsh(here.information).min() > -1e-8 * np.abs(here.information).max()


@pytest.mark.parametrize("states", [PAIR, CYCLE, DEFECTIVE, four_states(exit_state=True)], ids=lambda g: str(g.size))
def test_transition_probabilities_solve_kolmogorovs_equations(states: Graph) -> None:
    seen = walk(four_states(), 1, masks=False) if states.size == 4 else walk(states, 1, masks=False)
    log_rates = np.zeros((seen.unit.size, len(states.transitions)))
    Q = states.generators(np.exp(log_rates[:1]))[0]
    for t in (0.1, 1.0, 7.0):
        np.testing.assert_allclose(kolmogorov(Q, t), expm(Q * t), atol=1e-9)
    allowed = expm(Q)[seen.seen[:-1], seen.seen[1:]] > 0
    if states is DEFECTIVE or states.absorbing:
        first = np.flatnonzero(allowed & (np.diff(seen.unit) == 0))[0]
        seen = observe(
            seen.unit[[first, first + 1]] * 0, seen.time[[first, first + 1]], seen.seen[[first, first + 1]],
            states=states.size,
        )  # fmt: skip
        log_rates = log_rates[:2]
    model = ChainModel(predictor(states, {"x": None} if seen.x.shape[1] else None), sequences(states, seen))
    ours = evaluate(model, np.zeros(len(model.names))).loglik
    assert ours == pytest.approx(loglik(states, seen, log_rates, lambda A: kolmogorov(A, 1.0)), rel=1e-8)


@pytest.mark.parametrize("nearly", [0.0, 1e-9, 1e-7, 1e-5, 1e-3, 1e-1])
def test_repeated_and_nearly_repeated_eigenvalues(nearly: float) -> None:
    """0 > 1 > 2 > 3 at (nearly) equal rates is (nearly) defective; ours must match the block exponential throughout."""
    rates = np.log(np.array([1.0, 1.0 + nearly, 1.0 + 2 * nearly]))
    seen = observe(np.zeros(4, int), np.array([0.0, 1, 2.5, 3]), np.array([0, 1, 1, 3]), states=4)
    model = ChainModel(predictor(DEFECTIVE), sequences(DEFECTIVE, seen))
    here = evaluate(model, rates, 1)
    Q = DEFECTIVE.generators(np.exp(rates)[None])[0]
    total = np.zeros(3)
    for f, s, t in ((0, 1, 1.0), (1, 1, 1.5), (1, 3, 0.5)):
        D = block(Q, t, np.eye(4)[f], np.eye(4)[s])
        p = expm(Q * t)[f, s]
        total += [Q[r, r + 1] * (D[r, r + 1] - D[r, r]) / p for r in range(3)]
    np.testing.assert_allclose(here.gradient, total, rtol=1e-8)


@settings(max_examples=40)
@given(graphs(), st.floats(0.01, 20.0))
def test_the_fallback_is_the_block_exponential(case: tuple[int, list[str], list[float]], t: float) -> None:
    states, rates = built(case)
    Q = states.generators(np.exp(rates)[None])[0]
    a, c = np.linspace(0.1, 1, states.size), np.linspace(1, 0.2, states.size)
    X, D = np.empty_like(Q), np.empty_like(Q)
    block_exponential(Q, t, a, c, X, D)
    np.testing.assert_allclose(X.T, expm(Q * t), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(D, block(Q, t, a, c), rtol=1e-8, atol=1e-12)


def test_the_fallback_keeps_relative_precision_where_probabilities_are_tiny() -> None:
    """P_03 over a short gap is (qt)^3 / 6 to leading order; subtraction of exponentials would lose all of it."""
    Q = DEFECTIVE.generators(np.array([[1e-4, 1.5e-4, 2e-4]]))[0]
    X, D = np.empty((4, 4)), np.empty((4, 4))
    block_exponential(Q, 1e-2, np.eye(4)[0], np.eye(4)[3], X, D)
    t, q = 1e-2, np.array([1e-4, 1.5e-4, 2e-4])
    assert X[3, 0] == pytest.approx(q.prod() * t**3 / 6 * (1 - q.sum() * t / 4), rel=1e-10)


def test_tiny_probabilities_leave_the_eigenvector_route() -> None:
    rates = np.log([1e-4, 1.5e-4, 2e-4])
    seen = observe(np.zeros(2, int), np.array([0.0, 1e-2]), np.array([0, 3]), states=4)
    model = ChainModel(predictor(DEFECTIVE), sequences(DEFECTIVE, seen))
    here = evaluate(model, rates, 1)
    assert here.loglik == pytest.approx(np.log(3e-12 * 1e-6 / 6), abs=2e-6)
    np.testing.assert_allclose(here.gradient, 1.0, atol=1e-5)


def test_defective_generators_are_marked_and_others_decomposed() -> None:
    log_rates = np.log(np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]]))
    roots = decompose(DEFECTIVE.generators(np.exp(log_rates)))
    assert roots.sound.tolist() == [False, True]
    assert not decompose(CYCLE.generators(np.ones((1, 4)))).real[0]


def test_expected_information_is_that_of_enumeration() -> None:
    states = four_states()
    rng = np.random.default_rng(5)
    unit, rows = np.repeat(np.arange(30), 2), 60
    x = rng.choice([0.0, 1.0], size=(rows, 1))
    seen = observe(unit, np.tile([0.0, 1.5], 30), rng.integers(0, 4, rows), states=4, x=x)
    model = ChainModel(predictor(states, {"x": None}), sequences(states, seen))
    theta = rng.normal(-1, 0.5, 16)
    here = evaluate(model, theta, 2)
    total = np.zeros((16, 16))
    for i in range(0, rows, 2):
        row = np.concatenate([[1.0], x[i]])

        def reach(p: np.ndarray, row: np.ndarray = row, f: int = int(seen.seen[i])) -> np.ndarray:
            Q = states.generators(np.exp(model.predictor.log_rates(p, row[None])))[0]
            return expm(Q * 1.5)[f]

        P, d = reach(theta), differences(reach, theta, 1e-4)
        total += (d / P) @ d.T
    np.testing.assert_allclose(here.information, total, rtol=1e-6, atol=1e-8)


def test_grouping_changes_nothing() -> None:
    states = four_states()
    rng = np.random.default_rng(8)
    unit, n = np.repeat(np.arange(200), 5), 1000
    x = rng.choice([0.0, 1.0], size=(n, 1))
    seen = observe(unit, np.tile(np.arange(5.0), 200), rng.integers(0, 4, n), states=4, x=x)
    grouped = sequences(states, seen)
    assert grouped.size < 150
    assert grouped.counts.sum() == 800
    theta = rng.normal(-1, 0.5, 16)
    model = ChainModel(predictor(states, {"x": None}), grouped)
    single = x + 1e-13 * np.arange(n)[:, None]
    apart = ChainModel(
        predictor(states, {"x": None}),
        sequences(states, observe(unit, seen.time, seen.seen, states=4, x=single)),
    )
    assert apart.sequences.size == 800
    one, two = evaluate(model, theta, 1), evaluate(apart, theta, 1)
    assert one.loglik == pytest.approx(two.loglik, rel=1e-10)
    np.testing.assert_allclose(one.gradient, two.gradient, rtol=1e-9)


def test_entries_and_dated_transitions() -> None:
    states = four_states(exit_state=True)
    unit = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3])
    time = np.array([0.0, 1, 1.7, 0, 2, 3, 0, 1, 2, 0, 2])
    seen = np.array([0, 1, 4, 0, 3, 3, 2, 5, 4, 1, 1])
    kind = np.array([SEEN, SEEN, ENTERED, SEEN, SEEN, DATED, SEEN, SEEN, ENTERED, SEEN, DATED])
    masks = np.array([[1.0, 1, 1, 1, 0]])
    obs = observe(unit, time, seen, states=5, kind=kind, masks=masks)
    model = ChainModel(predictor(states), sequences(states, obs))
    theta = np.linspace(-2, -0.3, 12)
    here = evaluate(model, theta, 2)
    tiled = lambda p: np.tile(p, (unit.size, 1))  # noqa: E731
    assert here.loglik == pytest.approx(loglik(states, obs, tiled(theta)), rel=1e-12)
    brute = differences(lambda p: loglik(states, obs, tiled(p)), theta, 1e-3)
    np.testing.assert_allclose(here.gradient, brute, rtol=1e-7, atol=1e-8)


def test_dated_data_give_events_over_time_at_risk() -> None:
    from bothways.engine.chain.fit import fit

    states = four_states()
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(40), 9)
    time = np.tile(np.arange(9.0), 40) + rng.uniform(0, 0.5, 360)
    seen = np.zeros(360, dtype=int)
    steps = {0: [1, 2, 0], 1: [3, 0, 1], 2: [3, 0, 2], 3: [1, 2, 3]}
    for i in range(1, 360):
        seen[i] = seen[i] if unit[i] != unit[i - 1] else rng.choice(steps[int(seen[i - 1])])
    obs = observe(unit, time, seen, states=4, kind=np.full(360, DATED))
    found = fit(ChainModel(predictor(states), sequences(states, obs)))
    same = np.diff(unit) == 0
    spent = np.bincount(seen[:-1][same], weights=np.diff(time)[same], minlength=4)
    for k, (r, s) in enumerate(zip(states.source, states.target, strict=True)):
        events = int(((seen[:-1] == r) & (seen[1:] == s) & same).sum())
        assert np.exp(found.theta[k]) == pytest.approx(events / spent[r], rel=1e-10)
        assert found.errors[k] == pytest.approx(events**-0.5, rel=1e-6)


def test_piecewise_rates_are_chained() -> None:
    states = four_states()
    seen = observe(np.array([0, 0, 0, 1, 1]), np.array([0.0, 1.5, 4.0, 0.0, 5.0]), np.array([0, 1, 3, 2, 0]), states=4)
    cut = sequences(states, seen, clock=seen.time + np.array([10, 10, 10, 9, 9.0]), breaks=[11.0, 13.0])
    model = ChainModel(predictor(states, {"second": None, "third": ["0>A"]}), cut)
    theta = np.linspace(-1.5, 0.4, 17)

    def brute(p: np.ndarray) -> float:
        B = model.predictor.coefficients(p)
        Q = [states.generators(np.exp(np.array([1.0, k == 1, k == 2]) @ B)[None])[0] for k in range(3)]
        parts = [
            (0, 1, [(0, 1.0), (1, 0.5)]),
            (1, 3, [(1, 1.5), (2, 1.0)]),
            (2, 0, [(0, 2.0), (1, 2.0), (2, 1.0)]),
        ]
        total = 0.0
        for f, s, pieces in parts:
            P = np.eye(4)
            for band, t in pieces:
                P = P @ expm(Q[band] * t)
            total += np.log(P[f, s])
        return total

    here = evaluate(model, theta, 2)
    assert here.loglik == pytest.approx(brute(theta), rel=1e-12)
    np.testing.assert_allclose(here.gradient, differences(brute, theta, 1e-3), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("kind", ["fixed", "multinomial", "pair"])
def test_hidden_chains_are_the_product_written_out(kind: str) -> None:
    states = four_states()
    seen = walk(states, 3, units=20, rows=5, masks=False)
    half_known = PairErrors(4, (np.nan, 0.95, 0.8, np.nan))
    allowed = np.ones((4, 4), bool)
    errors = {
        "fixed": FixedErrors(PairErrors(4, (0.9, 0.8, 0.7, 0.95)).table(np.zeros(0))),
        "multinomial": MultinomialErrors(states.states, allowed, np.full((4, 4), 0.05)),
        "pair": half_known,
    }[kind]
    model = ChainModel(
        predictor(states, {"x": None}),
        sequences(states, seen, hidden=True),
        errors,
        Initial(np.array([0.4, 0.3, 0.2, 0.1]), free=True),
    )
    rng = np.random.default_rng(2)
    theta = rng.normal(-0.7, 0.4, len(model.names))
    x = np.column_stack([np.ones(seen.unit.size), seen.x])

    def brute(p: np.ndarray) -> float:
        rates, psi, phi = model.split(p)
        assert model.initial is not None
        return hidden_loglik(
            states, seen, model.predictor.log_rates(rates, x), errors.table(psi), model.initial.vector(phi)
        )

    here = evaluate(model, theta, 2)
    assert here.loglik == pytest.approx(brute(theta), rel=1e-11)
    np.testing.assert_allclose(here.gradient, differences(brute, theta, 1e-3), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(unit_scores(model, theta).sum(0), here.gradient, rtol=1e-9, atol=1e-9)


def test_impossible_and_disordered_observations_are_refused() -> None:
    from bothways.engine.chain.fit import fit

    states = four_states(recovery=False)
    back = observe(np.zeros(2, int), np.array([0.0, 1.0]), np.array([1, 0]), states=4)
    with pytest.raises(ValueError, match="impossible"):
        fit(ChainModel(predictor(states), sequences(states, back)))
    with pytest.raises(ValueError, match="sorted"):
        observe(np.zeros(2, int), np.array([1.0, 1.0]), np.array([1, 0]), states=4)
    with pytest.raises(ValueError, match="outside"):
        observe(np.zeros(2, int), np.array([0.0, 1.0]), np.array([1, 4]), states=4)
