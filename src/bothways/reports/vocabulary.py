"""The words for people, as data: readings, verdicts, scales, estimands, certainty, and the glossary."""

from __future__ import annotations

from collections.abc import Mapping

READINGS: Mapping[str, str] = {
    "predicts": "comes before and predicts",
    "little_or_no_effect": "little or no effect",
    "too_uncertain": "too uncertain",
    "no_data": "no data",
}
VERDICTS: Mapping[str, str] = {
    "no_data": "no data",
    "too_uncertain": "too uncertain",
    "little_or_no_effect": "little or no effect",
    "predicts": "comes before and predicts",
    "supported_by_independent_designs": "supported by independent designs",
    "designs_disagree": "designs disagree",
}
ORDER_WORDS: Mapping[str, str] = {**VERDICTS, "predicts": "not the order of two unrelated conditions"}
CERTAINTIES: Mapping[str, str] = {
    "high": "high certainty",
    "moderate": "moderate certainty",
    "low": "low certainty",
    "very_low": "very low certainty",
}
CERTAINTY_MEANS: Mapping[str, str] = {
    "high": "More research is unlikely to change this word.",
    "moderate": "More research may change this word.",
    "low": "More research is likely to change this word.",
    "very_low": "This word is a first hint and no more.",
}
CERTAINTY_MEANS_ALONE: Mapping[str, str] = {
    **CERTAINTY_MEANS,
    "moderate": "A longer record may change this word.",
    "low": "A longer record is likely to change this word.",
}
"""In a report about one person, whom research on others does not tell."""
WORD_MEANS: Mapping[str, str] = {
    "too_uncertain": "The data agree both with nothing and with something that matters: this is not a “no”.",
    "no_data": "Nothing here speaks for or against it.",
}
"""What stands in place of the certainty's meaning where no word was decided."""
SCALES: Mapping[str, str] = {
    "sd_per_sd": "standard deviations per standard deviation",
    "sd": "standard deviations",
    "hazard_ratio": "hazard ratio",
    "rate_ratio": "rate ratio",
    "odds_ratio": "odds ratio",
    "risk_ratio": "risk ratio",
    "prevalence_ratio": "prevalence ratio",
    "risk_difference": "difference in risk",
    "probability": "probability",
    "share": "share of people",
    "correlation": "correlation",
    "days": "days",
    "waves": "waves",
    "points": "points of the questionnaire",
}
SCALES_IN_TABLES: Mapping[str, str] = {**SCALES, "sd_per_sd": "SD per SD"}
ESTIMANDS: Mapping[str, str] = {
    "cross_lag": "lagged effect",
    "rate_ratio": "ratio of onset rates",
    "recovery_ratio": "ratio of recovery rates",
    "persistence_ratio": "ratio of the rates at which a recent episode turns lasting",
    "order_share": "who had it first",
    "direction_contrast": "difference between the two ways",
    "total": "total effect",
    "direct": "direct effect",
    "indirect": "effect through a pathway",
    "first_leg": "from the condition to the mediator",
    "second_leg": "from the mediator to the other condition",
    "person_share": "share of people in whom it holds",
    "arm_effect": "effect of being randomised",
    "peak_lag": "lag of the greatest effect",
    "interaction": "difference between groups",
    "state_probability": "share of people in a state",
    "attributable_share": "attributable share",
    "pooled": "pooled published estimates",
    "association": "association",
}
READABLE = frozenset(
    {
        "cross_lag",
        "rate_ratio",
        "recovery_ratio",
        "persistence_ratio",
        "total",
        "direct",
        "indirect",
        "first_leg",
        "second_leg",
        "arm_effect",
        "pooled",
        "interaction",
        "direction_contrast",
    }
)
"""Estimands whose interval is read against a smallest effect of interest; the others have no "no effect"."""

DIRECTED = frozenset({"cross_lag", "rate_ratio", "recovery_ratio", "total", "direct", "indirect", "pooled"})
"""Of these, the ones for which "comes before and predicts" is a sentence about two conditions."""

DESIGNS: Mapping[str, str] = {
    "panel": "Panel of waves",
    "onset": "Onset cohort",
    "diary": "Diary",
    "literature": "Published studies",
    "records": "Health records",
    "sustained": "Sustained exposure (g-methods)",
    "trial": "Randomised arm",
}
LINES: Mapping[str, str] = {
    "A": "records of the same lives",
    "B": "families",
    "C": "genes",
    "D": "randomised trials",
    "E": "remembered ages of onset",
}
OUTCOMES: Mapping[str, str] = {
    "stands": "it stands",
    "weakened": "it is weakened",
    "broken": "it breaks",
    "for scale": "for scale",
    "not run": "not run",
}
EVIDENCE_SCALES: Mapping[str, str] = {
    "OR": "odds_ratio",
    "HR": "hazard_ratio",
    "RR": "risk_ratio",
    "IRR": "rate_ratio",
    "PR": "prevalence_ratio",
    **{scale: scale for scale in SCALES if scale.endswith("_ratio")},
}
MODELS: Mapping[str, str] = {
    "ri-clpm": "RI-CLPM",
    "clpm": "CLPM",
    "dpm": "DPM",
    "lcm-sr": "LCM-SR",
    "starts": "STARTS",
    "ct-ri-clpm": "RI-CLPM in continuous time",
    "ct-clpm": "CLPM in continuous time",
    "ct-dpm": "DPM in continuous time",
    "ct-lcm-sr": "LCM-SR in continuous time",
    "ct-starts": "STARTS in continuous time",
    "ct": "continuous time",
    "ct-var": "continuous time",
    "ct-var-error": "continuous time, answers with error",
    "ct-var-hidden": "continuous time, beside an unseen common cause",
    "ct-var-items": "continuous time, item by item",
    "hidden-cause": "an unseen common cause alone",
    "clda": "constrained longitudinal model",
    "chain": "Markov chain of four states",
    "chain-with-window": "Markov chain with an early window",
    "chain-with-errors": "Markov chain, states seen with error",
    "stages": "Markov chain of six states",
    "frailty": "Markov chain with proneness",
    "drifting-cause": "Markov chain with a drifting cause",
    "drifting-cause-alone": "a drifting cause alone",
    "observed": "as observed",
    "g-formula": "g-formula",
    "weighting": "inverse-probability weights",
    "weighting-truncated": "inverse-probability weights, truncated",
}
"""By the key of a model; MODEL_FORMS say what a longer key adds to it."""
MODEL_FORMS: tuple[tuple[str, str], ...] = (
    ("-by-", "by group"),
    ("-along-", "along a number"),
    ("-personal", "each person by themselves"),
    ("-untrended", "without a trend"),
)
FINDINGS: Mapping[str, str] = {
    "association": "a link, in words only",
    "no_association": "no link, in words only",
    "criteria_not_met": "criteria not met",
    "mixed": "mixed, in words only",
}
STANDINGS: Mapping[str, str] = {
    "supported": "supported",
    "partly": "partly supported",
    "not_found": "no evidence found",
    "corrected": "corrected",
}

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "comes before and predicts",
        "People (or times) with more of the first condition have, later, more or less of the "
        "second than can be put down to chance. It does not say that one makes the other.",
    ),
    (
        "little or no effect",
        "The whole interval lies inside the bounds of what would matter. “Effect” means the "
        "estimated number under the assumptions listed, nothing more.",
    ),
    ("too uncertain", "The data agree both with nothing and with something that matters. It is not a “no”."),
    ("designs disagree", "Sound ways of looking give different words; the report says what differs between them."),
    (
        "interval",
        "The range of values that the data are compatible with. At 95%, about 19 of 20 such ranges hold the "
        "true value when the assumptions hold.",
    ),
    ("smallest effect of interest", "The least number that would matter, set before looking at the data."),
    ("standard deviation (SD)", "How far people usually lie from the average; two in three lie within one of them."),
    ("ratio", "How many times as often something happens with a condition as without it; 1 means no difference."),
    ("mediator", "Something that may lie between the two: the first moves it, and it moves the second."),
    (
        "sensitivity value",
        "How strong an unseen cause would have to be to undo a result, on the scale named beside it. Larger is firmer.",
    ),
    ("model-implied", "What a fitted model says would follow. Nobody did it, and nobody saw it."),
    ("line of evidence", "Designs that could be wrong for the same reason. They count once."),
    ("shared cause", "Something else that brings on both conditions, and so makes one seem to lead to the other."),
    (
        "within and between people",
        "Within: the same person at a worse time and a better time. Between: different people.",
    ),
    ("certainty", "How likely further research is to change the word. It starts low; every move is listed."),
)

METHOD_REFERENCES: tuple[tuple[str, str], ...] = (
    (
        "Lawlor DA, Tilling K, Davey Smith G. Triangulation in aetiological epidemiology. "
        "Int J Epidemiol 2016;45:1866–1886",
        "10.1093/ije/dyw314",
    ),
    (
        "Higgins JPT et al. A tool to assess risk of bias in non-randomized follow-up studies of exposure effects "
        "(ROBINS-E). Environ Int 2024;186:108602",
        "10.1016/j.envint.2024.108602",
    ),
    (
        "VanderWeele TJ, Ding P. Sensitivity analysis in observational research: introducing the E-value. "
        "Ann Intern Med 2017;167:268–274",
        "10.7326/M16-2607",
    ),
    (
        "Guyatt GH et al. GRADE: an emerging consensus on rating quality of evidence and strength of recommendations. "
        "BMJ 2008;336:924–926",
        "10.1136/bmj.39489.470347.AD",
    ),
)
NO_ADVICE = (
    "This report describes records. It gives no medical advice and makes no diagnosis: a score is a screen. "
    "Talk with a doctor or another health worker about your own health."
)
