"""Is anything lasting? The random-intercept model against the one without, whose null lies on a boundary."""

from __future__ import annotations

import numpy as np

from bothways.designs.panel.room import Room
from bothways.engine.chibar import boundary_test
from bothways.terms.answer import Table

LEAST_P = 1 / 20_001  # of 20,000 simulated statistics, none was larger


def stability_table(room: Room) -> Table:
    """The chi-bar-square test of random intercepts, where both models could be fitted in the same form."""
    chosen = room.headline.chosen
    rivals = [f for f in room.others if f.form.key == "clpm" and f.form.lags == chosen.form.lags and f.usable]
    empty = Table("panel.stability", "Do people differ lastingly?", (), ())
    if chosen.form.key != "ri-clpm" or not chosen.usable or not rivals:
        return empty
    try:
        test = boundary_test(rivals[0].fit, chosen.fit, np.random.default_rng(room.settings.seed))
    except (ValueError, np.linalg.LinAlgError):
        return empty
    return Table(
        "panel.stability",
        "Do people differ lastingly?",
        ("statistic", "p", "Monte Carlo error of p", "naive p", "variances and covariances tested"),
        ((test.statistic, max(test.p, LEAST_P), test.p_error, test.naive_p, test.df),),
        "The model without random intercepts against the one with them: no variance is a boundary, so that the law of "
        "the statistic is simulated (chi-bar-square; Stoel et al. 2006); the naive p is too large. Scores as normal.",
    )
