"""The paragraph to paste into a paper."""

from __future__ import annotations

from bothways.designs.panel.missing import missing_answers
from bothways.designs.panel.models import FAMILIES
from bothways.designs.panel.room import Room
from bothways.designs.panel.setup import PanelSetup
from bothways.designs.sampling import sampling_words

CITED = {
    "ri-clpm": "Hamaker, Kuiper & Grasman 2015; Mulder & Hamaker 2021",
    "clpm": "Rogosa 1980, who also says why it misleads",
    "dpm": "Allison, Williams & Moral-Benito 2017",
    "lcm-sr": "Curran et al. 2014",
    "starts": "Kenny & Zautra 2001",
}


def methods_of(room: Room) -> str:
    """What was fitted to whom, how, and how the lags were standardised and chosen."""
    parts = (_model(room), _estimation(room), _lags(room), _beside(room))
    return " ".join(part for part in parts if part)


def _model(room: Room) -> str:
    setup, key = room.setup, room.headline.chosen.form.key
    names = [setup.label(name) for name in setup.processes]
    third = f", with {_listed(names[2:])} as further processes," if len(names) > 2 else ""
    fixed = f" Every score was adjusted for {_listed([setup.label(n) for n in setup.fixed])}." if setup.fixed else ""
    return (
        f"The {FAMILIES[key].label} ({CITED[key]}) was fitted to {names[0]} and {names[1]}{third} of {setup.people:,} "
        f"people at {setup.T} waves{_gaps(setup)}.{fixed}"
    )


def _gaps(setup: PanelSetup) -> str:
    if not setup.waves.in_days:
        return ""
    days = list(dict.fromkeys(f"{gap:g}" for gap in setup.waves.gaps))
    return f", {_listed(days)} days apart"


def _estimation(room: Room) -> str:
    setup = room.setup
    missing, asked = missing_answers(setup)
    weights, people = sampling_words(setup.records, setup.sampling)
    return (
        f"Estimation was by full-information maximum likelihood{weights}, which uses every answer ({missing:,} of "
        f"{asked:,} were missing) and is right if missing answers depend only on recorded ones; standard errors are "
        f"sandwich estimates over {people}, robust against skewed scores, from the exact observed information, and "
        "test statistics are scaled (Yuan & Bentler 2000)."
    )


def _lags(room: Room) -> str:
    headline = room.headline
    standard = (
        "Lags are standardised by the model's standard deviations within people; intervals are by the delta method"
    )
    if headline.chosen.form.key == "clpm":
        standard = "Lags are standardised by the model's standard deviations; intervals are by the delta method"
    if headline.test is None:
        return standard + "."
    form = "one drift matrix over all gaps" if headline.chosen.form.lags == "drift" else "lags equal over time"
    what = (
        f"{form} stood"
        if headline.pooled
        else "lags equal over time were rejected, and the mean of all intervals speaks"
    )
    named = headline.test.method.replace("-", " & ")
    return f"{standard}. By a scaled difference test ({named}) {what}."


def _beside(room: Room) -> str:
    keys = dict.fromkeys(fitted.form.key for fitted in room.others)
    models = [f"the {FAMILIES[key].label} ({CITED[key]})" for key in keys if key != room.headline.chosen.form.key]
    return f"Beside it were fitted {_listed(models)}." if models else ""


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
