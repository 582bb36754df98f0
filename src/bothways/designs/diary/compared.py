"""Models of one diary side by side: AIC, and for people who were drawn with weights or clusters its like for surveys.

AIC = −2ℓ + 2q,    dAIC = −2ℓ + 2 tr(H⁻¹ J)                (Lumley & Scott 2015, J. Surv. Stat. Methodol. 3:1)
"""

from __future__ import annotations

import numpy as np

from bothways.designs.diary.estimation import Fitted
from bothways.engine.statespace.series import Series
from bothways.engine.survey import effective_parameters

SURVEY_NOTE = (
    "AIC allows for the sampling design by tr(H⁻¹ J) in place of the number of parameters (Lumley & Scott 2015); "
    "where fewer people were drawn than its errors need, models are not compared."
)


def is_sampled(series: Series) -> bool:
    """Whether weights, clusters or strata are stated."""
    return series.weight is not None or series.drawn is not None


def criterion(model: Fitted) -> float | None:
    """AIC, or dAIC for a sample; None where too few people were drawn to know the sample's own chance."""
    fit = model.fit
    if not is_sampled(fit.series):
        return fit.aic
    if not model.usable or model.covariance is None or model.covariance.kind != "sandwich":
        return None
    return -2.0 * fit.loglik + 2.0 * effective_parameters(np.linalg.inv(fit.hessian), model.covariance.matrix)
