"""Methods for exposures that last and for confounders that they change: g-formula, weights, interventional effects."""
