"""Numerical engines: arrays in, small shaped results out; nothing here has heard of people or illness.

Panel structural models (few occasions, many people):

    model  = panel_models.cross_lagged.ri_clpm(processes=2, waves=5, lags="equal")      also clpm, starts_model
             panel_models.dynamic_panel.dynamic_panel | predetermined_panel, panel_models.growth.lcm_sr,
             panel_models.indicators.indicator_ri_clpm, panel_models.groups.over_groups(model, groups, equal)
    data   = patterns.pattern_statistics(Y, weights=None, groups=None)                  NaN = missing
    fit    = fitting.fit_model(model, data)                                             fit.status says how it ended
    errors = inference.robust(fit, clusters=None)              or uncertainty(fit, "expected" | "observed" | "sandwich")
    fitindices.indices(fit, errors)                            plain, scaled and robust, with missing-data corrections
    scaled.difference_test(small, large), scaled.yuan_bentler, scaled.satorra_bentler, chibar.boundary_test
    effects.standardised | pooled | direction_contrast | state_correlation | explained(fit, errors.covariance)
    profile.profile_interval(fit, function), inference.delta_method(function, fit, covariance)
    resample.bootstrap(fit, draws, rng, workers, progress), then percentile | bca(found, function)
    batch.fit_batch(model, covariances, people)                many complete data sets at once
    power.planned_covariance(model, alpha, people, coverage), wald_power, needed_people

`function` is smooth, maps (..., free) to (..., values), and must accept complex numbers.
"""
