"""What an answer of this design rests on, and what in these records calls for care. Codes are stable."""

from __future__ import annotations

from collections.abc import Sequence

from bothways.designs.panel.estimation import Fitted, Headline
from bothways.designs.panel.missing import Leaving, at_the_floor, left_unlike, missing_answers, two_valued
from bothways.designs.panel.models import FAMILIES
from bothways.designs.panel.setup import PanelSetup
from bothways.designs.sampling import sampling_caveats
from bothways.terms.answer import Assumption, Caveat
from bothways.terms.question import Kind

FLOOR = 0.25  # share of answers at the lowest value from which a scale can hardly show improvement
MISSED = 0.05
PEOPLE_PER_PARAMETER = 5

MIXED = Caveat(
    "between_and_within_mixed",
    "Lasting differences between people are mixed in: people who always have more of both would show a lag as well.",
)
TWO_WAVES = Caveat(
    "two_waves",
    "With two waves, lasting differences between people cannot be told from change within them, and are mixed in.",
)
SHARED = Caveat(
    "common_cause",
    "Lasting shared causes are removed, but a shared cause that itself changes over time, or a way of answering that "
    "drifts, could look the same.",
)


SHARED_BY_ALL = Caveat(
    "common_cause",
    "A shared cause, whether it lasts or changes over time, or a way of answering, could look the same.",
)


def caveats_of(setup: PanelSetup, headline: Headline, gone: Sequence[Leaving]) -> tuple[Caveat, ...]:
    """Every caveat of the headline, the gravest first."""
    found = [TWO_WAVES] if setup.T == 2 else []
    found += [SHARED_BY_ALL if setup.T == 2 else SHARED, *_measurement(setup), *_sample(setup, headline.chosen, gone)]
    if headline.chosen.improper:
        found.append(improper(setup, headline.chosen))
    if not setup.waves.even and headline.chosen.form.lags != "drift":
        found.append(
            Caveat(
                "unequal_gaps_equal_lags",
                "The gaps between waves differ and the lags were estimated gap by gap; their mean speaks of no one "
                "span of time.",
            )
        )
    return tuple(found)


def improper(setup: PanelSetup, fitted: Fitted) -> Caveat:
    """What is impossible in the estimates, named; they are shown as they are and not trimmed."""
    status = fitted.fit.status
    states = (*status.negative_variances, *status.excessive_correlations)
    parts = ", ".join(dict.fromkeys(state_words(setup, state) for state in states))
    return Caveat(
        "improper",
        f"The model's estimate is impossible for {parts}. Lasting differences may be small or the model wrong; "
        "compare the other models.",
    )


def state_words(setup: PanelSetup, state: str) -> str:
    """A state of a model, or a pair of states, as a person reads it."""
    if "~~" in state:
        return "the correlation of " + " and ".join(state_words(setup, part) for part in state.split("~~"))
    letter, _, rest = state.partition("_")
    kind, number = letter[:1], letter[1:]
    if not number.isdigit():
        return state
    name = setup.label(setup.processes[int(number) - 1]) if int(number) <= setup.K else state
    words = {"b": "the usual level of", "a": "the lasting cause of", "i": "the starting level of", "s": "the trend of"}
    if kind in words:
        return f"{words[kind]} {name}"
    return f"{name} at wave {setup.wave_name(int(rest) - 1)}" if rest.isdigit() else name


def _measurement(setup: PanelSetup) -> list[Caveat]:
    found = []
    for k, condition in enumerate((setup.records.pair.a, setup.records.pair.b)):
        if condition.kind is not Kind.SCORE or two_valued(setup, k):
            found.append(
                Caveat(
                    "binary_outcome",
                    f"{condition.label.capitalize()} is only present or absent; a model of scores is rough for it, and "
                    "the onset design is made for it.",
                )
            )
            continue
        low, all_answers = at_the_floor(setup, k)
        if low > FLOOR * all_answers:
            found.append(
                Caveat(
                    "floor",
                    f"{low:,} of {all_answers:,} answers on {condition.label} stand at the lowest value, below which "
                    "no change can show.",
                )
            )
    return found


def _sample(setup: PanelSetup, fitted: Fitted, gone: Sequence[Leaving]) -> list[Caveat]:
    found = []
    missing, asked = missing_answers(setup)
    if missing > MISSED * asked:
        unlike = " Those who were missing at a wave had differed at the wave before." if left_unlike(gone) else ""
        found.append(
            Caveat(
                "missing_not_random",
                f"{missing:,} of {asked:,} answers are missing. The estimate is right if what is missing depends only "
                f"on what was recorded.{unlike}",
            )
        )
    if setup.people < PEOPLE_PER_PARAMETER * len(fitted.fit.alpha):
        found.append(
            Caveat(
                "few_people",
                f"{setup.people:,} people stand behind {len(fitted.fit.alpha)} parameters; intervals are approximate.",
            )
        )
    return [*found, *sampling_caveats(setup.sampling)]


def assumptions_of(setup: PanelSetup, headline: Headline, gone: Sequence[Leaving]) -> tuple[Assumption, ...]:
    """What must hold for the headline to mean what it says; what data can check is checked."""
    family = FAMILIES[headline.chosen.form.key]
    missing, _ = missing_answers(setup)
    found = [
        Assumption("No unmeasured cause that changes over time drives both conditions."),
        Assumption(f"About people: {family.assumes}."),
        Assumption("What happens at a wave depends on the wave before and, given it, on no earlier one."),
        Assumption("Scores are measured without error; error makes lags smaller and can spill into the other lag."),
    ]
    if missing:
        found.append(
            Assumption(
                "Missing answers depend only on what was recorded.",
                False if left_unlike(gone) else None,
                "That missing answers are completely random can be ruled out."
                if left_unlike(gone)
                else "No sign that those who were missing had differed before.",
            )
        )
    return (*found, *_time_assumptions(setup, headline))


def _time_assumptions(setup: PanelSetup, headline: Headline) -> list[Assumption]:
    found = []
    if not setup.waves.in_days and setup.T > 2:
        found.append(Assumption("The waves are evenly spaced; the records do not say how far apart they are."))
    if headline.test is not None:
        words = "one drift over all gaps" if headline.chosen.form.lags == "drift" else "the same in every interval"
        found.append(
            Assumption(
                f"The lags are {words}.",
                headline.pooled,
                "The scaled difference test against lags that are free lets it stand."
                if headline.pooled
                else "The scaled difference test rejects it; the answer is the mean of the lags of all intervals.",
            )
        )
    return found


def disagreement(others: Sequence[str]) -> Caveat:
    """The caveat of a direction in which rival models decide otherwise."""
    return Caveat(
        "models_disagree",
        f"The answer depends on the model: {'; '.join(others)}.",
    )
