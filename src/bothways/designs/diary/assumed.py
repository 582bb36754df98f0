"""The diary that a plan assumes: two processes in balance, asked at uneven times by day and not at night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import logm

from bothways.designs.diary.lags import KNOWN
from bothways.engine.statespace.series import MINUTE, Series, make_series
from bothways.engine.statespace.structure import Structure, multivariate
from bothways.terms.errors import QuestionError

HOURS = 24.0


@dataclass(frozen=True, slots=True)
class AssumedDiary:
    """What is taken to be true of a diary to come.

    ``effects`` are standardised total effects (A on B, B on A) after ``lag`` hours, ``carry_over`` what is left of a
    process itself by then; ``correlation`` is that of the two at one moment, within persons. ``error`` is the share of
    what varies within a person that is chance in answering, ``missing`` the share of prompts without an answer.
    Prompts fall at random within equal stretches of the day outside ``night`` hours. ``icc`` is the share of the
    variance between people. A ``lag`` of None is the familiar one nearest to the time between prompts.
    """

    people: int = 1
    days: int = 60
    prompts: int = 5
    effects: tuple[float, float] = (0.1, 0.0)
    lag: float | None = None
    carry_over: float = 0.5
    correlation: float = 0.3
    error: float = 0.2
    missing: float = 0.2
    night: float = 10.0
    icc: float = 0.5

    def __post_init__(self) -> None:
        for name, least in (("people", 1), ("days", 1), ("prompts", 1)):
            if not getattr(self, name) >= least:
                raise QuestionError(f"--{name}", "there must be one at least", f"Give {least} or more")
        for name in ("error", "missing", "icc"):
            if not 0 <= getattr(self, name) < 1:
                raise QuestionError(f"--{name}", "it must be at least 0 and below 1", "Give a share such as 0.2")
        if not 0 < self.carry_over < 1:
            raise QuestionError("--carry-over", "what carries over lies between none and all", "Give 0.5, or such")
        if not -1 < self.correlation < 1:
            raise QuestionError("--correlation", "it must lie between −1 and 1", "Give 0.3, or such")
        if not 0 <= self.night < HOURS:
            raise QuestionError("--night", "a night lasts 0 to 24 hours", "Give the hours without prompts, such as 10")
        if self.prompts * MINUTE * HOURS > self.awake / 2:
            raise QuestionError("--prompts", "prompts would stand closer than two minutes", "Give fewer a day")
        if self.lag is not None and not 0 < self.lag < np.inf:
            raise QuestionError("--lag", "an effect takes time", "Give hours above 0, such as 3")
        if not np.isfinite(self.effects).all():
            raise QuestionError("--effect", "it is no finite number", "Give one effect such as 0.1, or two: 0.1,0.05")
        self.matrices()

    @property
    def awake(self) -> float:
        """Hours of a day in which prompts fall."""
        return HOURS - self.night

    @property
    def lag_hours(self) -> float:
        """The lag, chosen as the design chooses it where none is stated."""
        if self.lag is not None:
            return self.lag
        between = (HOURS if self.prompts == 1 else self.awake / self.prompts) / HOURS
        return HOURS * min((known for known, _ in KNOWN), key=lambda known: abs(np.log(known / between)))

    @property
    def answers_each(self) -> float:
        """Answers expected of one person."""
        return self.days * self.prompts * (1 - self.missing)

    def matrices(self) -> tuple[Float[np.ndarray, "2 2"], Float[np.ndarray, "2 2"]]:
        """Drift A = log T(h) / h and diffusion Q = −(AS + SA'), with T(h) and S, of unit variances, as stated."""
        T = np.array([[self.carry_over, self.effects[1]], [self.effects[0], self.carry_over]])
        S = np.array([[1.0, self.correlation], [self.correlation, 1.0]])
        roots = np.linalg.eigvals(T)
        if np.abs(roots).max() < 1 and not (np.isreal(roots) & (roots.real <= 0)).any():
            A = np.real(logm(T)) / (self.lag_hours / HOURS)
            Q = -(A @ S + S @ A.T)
            if np.linalg.eigvalsh(Q).min() > 1e-9:
                return A, Q
        raise QuestionError(
            "--effect", "no two processes have such effects beside this carry-over and correlation",
            "Lower the effects, or the correlation, or give a carry-over nearer to 0.5",
        )  # fmt: skip


def analysed(assumed: AssumedDiary) -> tuple[Structure, Float[np.ndarray, " q"]]:
    """The model that the diary will be answered with, and its free vector at what is assumed."""
    structure = multivariate(("a", "b"), random_means=assumed.people > 1, error=assumed.error > 0)
    A, Q = assumed.matrices()
    noise = assumed.error / (1 - assumed.error)
    usual = (1 + noise) * assumed.icc / (1 - assumed.icc)
    filled = structure.patterns(np.zeros(structure.size))
    filled |= {"drift": A, "diffusion_root": np.linalg.cholesky(Q)}
    filled |= {"static_root": np.eye(len(structure.static_root)) * np.sqrt(max(usual, 1e-4))}
    filled |= {"noise": np.full(2, noise), "level": np.zeros((2, 1))}
    return structure, structure.theta(filled)


def occasions(assumed: AssumedDiary, people: int, rng: np.random.Generator) -> Series:
    """The prompts of ``people``, answered (0, to be filled) or not (NaN); whole prompts are skipped."""
    n, k = assumed.days, assumed.prompts
    stretch = assumed.awake / HOURS / k
    day, slot = np.divmod(np.arange(n * k), k)
    time = (day + stretch * slot) + stretch * rng.random((people, n * k))
    time = np.maximum.accumulate(np.rint(time / MINUTE), axis=1)
    time = (time + np.cumsum(np.diff(time, axis=1, prepend=-1) == 0, axis=1)) * MINUTE
    answered = rng.random((people, n * k)) >= assumed.missing
    answered[:, 0] = True
    rows = np.flatnonzero(answered.ravel())
    person, values = np.repeat(np.arange(people), n * k)[rows], np.zeros((rows.size, 2))
    basis = np.ones((rows.size, 1)) if assumed.people > 1 else None
    return make_series(person, time.ravel()[rows], values, basis=basis)
