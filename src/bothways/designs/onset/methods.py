"""The paragraph to paste into a paper."""

from __future__ import annotations

from bothways.designs.onset.misclassified import accuracies
from bothways.designs.onset.room import Room
from bothways.designs.onset.states import cut_of
from bothways.designs.sampling import sampling_words
from bothways.terms.question import Kind

AS_THEY_ARE = " Numbers of people and moves, and observed shares and prevalences, count people unweighted."


def methods_of(room: Room) -> str:
    """What was fitted to whom, how, and what stands beside it."""
    parts = (_model(room), _states(room), _estimation(room), _beside(room), _errors(room))
    return " ".join(part for part in parts if part)


def _model(room: Room) -> str:
    setup, pair = room.setup, room.setup.records.pair
    seen = "exactly dated" if setup.rows.dated else "seen at visits (interval-censored)"
    death = f", with death dated exactly ({setup.rows.deaths:,} deaths)" if setup.mortal else ""
    return (
        f"A Markov chain in continuous time with the states neither, {pair.a.label} only, {pair.b.label} only and both"
        f"{death} was fitted to {setup.people:,} people, with changes {seen} (Kalbfleisch & Lawless 1985; Jackson "
        "2011)."
    )


def _states(room: Room) -> str:
    setup = room.setup
    cuts = [
        f"{c.label} counted as present at {cut_of(c, room.settings):g} or above"
        for c in (setup.records.pair.a, setup.records.pair.b)
        if c.kind is Kind.SCORE
    ]
    names = ", ".join(setup.covariates.names)
    adjusted = f"Rates were adjusted for {names}." if names else ""
    filled = ", ".join(setup.covariates.missing)
    gaps = f" Gaps in {filled} were filled by the person's nearest value, else by the mean." if filled else ""
    return " ".join(part for part in (". ".join(cuts) + "." if cuts else "", adjusted + gaps) if part)


def _estimation(room: Room) -> str:
    weights, over = sampling_words(room.setup.records, room.setup.drawn)
    robust = "robust by person" if over == "people" else f"sandwich estimates over {over}"
    return (
        f"The likelihood, given each person's first observation{weights}, was maximised by scoring with exact "
        f"derivatives; standard errors are {robust}, and shares, probabilities and times come by the delta method from "
        "the plain chain. People with a condition at entry count from entry on."
        + (AS_THEY_ARE if weights else "")
        + _drawn(room)
    )


def _drawn(room: Room) -> str:
    if not room.resampled.values:
        return ""
    return (
        f" Intervals of the ratios, of who came first and of the attributable shares are percentiles of "
        f"{room.settings.bootstrap:,} samples of {_again(room)}, each fitted anew."
    )


def _again(room: Room) -> str:
    if room.setup.drawn is None:
        return "people drawn with replacement"
    over = sampling_words(room.setup.records, room.setup.drawn)[1].removesuffix(" (Taylor linearisation)")
    return f"all but one of the {over} drawn with replacement and reweighted (Rao & Wu 1988)"


def _beside(room: Room) -> str:
    if room.fits.rival is None and room.fits.frailty is not None:
        return (
            "Beside it was fitted the chain with a lasting proneness of each person on all four onsets (normal on the "
            "log scale, its mean free by state at entry, 11-point quadrature); a hidden cause that drifts is not "
            f"fitted to dated records. The ratios are those of {room.fits.speaks.says}, by AIC{_survey(room)}."
        )
    if room.fits.rival is None:
        return "Rival explanations by a common cause were left out of this quick run."
    return (
        "Beside it were fitted the chain with a lasting proneness of each person on all four onsets (normal on the log "
        "scale, its mean free by state at entry, 11-point quadrature), the chain with a hidden two-state cause that "
        "drifts, and that hidden cause without any influence between the conditions. The ratios are those of "
        f"{room.fits.speaks.says}, which had the smallest AIC{_survey(room)}; all are shown."
    )


def _survey(room: Room) -> str:
    """How AIC allows for a sampling design, in brackets."""
    told = " (of a weighted likelihood: −2ℓ + 2 tr(H⁻¹ J), Lumley & Scott 2015)"
    return told if room.fits.sampled else ""


def _errors(room: Room) -> str:
    errors = room.fits.errors
    if errors is None:
        return ""
    found = accuracies(room.setup, errors, room.settings.accuracy, room.settings.level)
    told = ", ".join(f"{what} of {label} {value:.3g}" for label, what, value, *_ in found)
    return (
        "The states were also read as seen with error, by a hidden Markov model whose errors are independent from "
        f"visit to visit and between the conditions (Jackson et al. 2003): {told}."
    )
