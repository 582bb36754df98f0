# Reference values of panel models by lavaan 0.6-14, R 4.2 (Debian bookworm). Run from this folder: Rscript panel.R
# Writes the data it simulates to data/panel_*.csv (4 decimals, empty = missing) and lavaan's answers to panel.json.
# Labels are those of the Python models; parameters of group g end in ".g1", ".g2". The saturated model's EM and the
# optimiser run to tighter tolerances than lavaan's defaults, so that digits beyond the sixth can be compared.
suppressMessages({ library(lavaan); library(jsonlite) })
dir.create("data", showWarnings = FALSE)
answers <- list()

## ---- data -------------------------------------------------------------------------------------------------------
simulate <- function(n, waves, B, phi, psi, skew = FALSE) {
  k <- nrow(B)
  draw <- function(S) matrix(rnorm(n * k), n) %*% chol(S)
  b <- draw(phi); w <- draw(diag(k) * 0.7 + 0.3); y <- NULL
  for (t in seq_len(waves)) {
    if (t > 1) w <- w %*% t(B) + draw(psi)
    y <- cbind(y, b + w + 0.1 * t)
  }
  if (skew) y <- exp(0.4 * y)
  d <- as.data.frame(y)
  names(d) <- as.vector(outer(seq_len(k), seq_len(waves), function(i, t) sprintf("y%d_%d", i, t)))
  d
}
B2 <- matrix(c(.35, .15, .10, .30), 2); phi2 <- matrix(c(1, .4, .4, .9), 2); psi2 <- matrix(c(.8, .2, .2, .7), 2)
B3 <- matrix(c(.3, .1, .1, .1, .3, .05, .05, .1, .3), 3); phi3 <- diag(3) * .6 + .3; psi3 <- diag(3) * .6 + .15
holes <- function(d, share) { d[matrix(runif(prod(dim(d))) < share, nrow(d))] <- NA; d }
dropout <- function(d, k, waves, share) {            # the chance of leaving depends on the wave before (MAR)
  gone <- rep(FALSE, nrow(d))
  for (t in 2:waves) {
    before <- d[[sprintf("y1_%d", t - 1)]]
    gone <- gone | (!is.na(before) & runif(nrow(d)) < plogis(qlogis(share) + 0.5 * before))
    d[gone, sprintf("y%d_%d", seq_len(k), t)] <- NA
  }
  d
}
keep <- function(name, d) {                          # `d` is drawn only after the seed: R evaluates arguments when used
  set.seed(sum(utf8ToInt(name))); d <- round(d, 4)
  write.csv(d, sprintf("data/panel_%s.csv", name), row.names = FALSE, na = "", quote = FALSE)
  d
}

## ---- lavaan syntax ----------------------------------------------------------------------------------------------
cov_lines <- function(names, prefix, suffix = "") {
  out <- NULL
  for (i in seq_along(names)) for (j in seq_len(i))
    out <- c(out, sprintf("%s ~~ %s%d%d%s*%s", names[i], prefix, i, j, suffix, names[j]))
  out
}
y <- function(k, t) sprintf("y%d_%d", k, t); w <- function(k, t) sprintf("w%d_%d", k, t)
lag_lines <- function(K, T, lags, state = w) {
  out <- NULL
  for (t in 2:T) for (i in 1:K) for (j in 1:K)
    out <- c(out, sprintf("%s ~ B%d%d%s*%s", state(i, t), i, j, if (lags == "free") sprintf("_%d", t) else "", state(j, t - 1)))
  out
}
residual_lines <- function(K, T, residuals = "free", state = w) {
  out <- cov_lines(state(1:K, 1), "Psi", "_1")
  for (t in 2:T) out <- c(out, cov_lines(state(1:K, t), "Psi", if (residuals == "free") sprintf("_%d", t) else ""))
  out
}
within_lines <- function(K, T) {
  out <- NULL
  for (t in 1:T) for (k in 1:K)
    out <- c(out, sprintf("%s =~ 1*%s", w(k, t), y(k, t)), sprintf("%s ~~ 0*%s", y(k, t), y(k, t)))
  out
}
mean_lines <- function(K, T, equal = FALSE) {
  out <- NULL
  for (t in 1:T) for (k in 1:K)
    out <- c(out, sprintf("%s ~ mean.y%d%s*1", y(k, t), k, if (equal) "" else sprintf("_%d", t)))
  out
}
trait_lines <- function(K, T) c(
  sapply(1:K, function(k) sprintf("b%d =~ %s", k, paste0("1*", y(k, 1:T), collapse = " + "))), cov_lines(sprintf("b%d", 1:K), "Phi"))
clpm <- function(K, T, lags = "free", residuals = "free", means = FALSE)
  c(within_lines(K, T), lag_lines(K, T, lags), residual_lines(K, T, residuals), mean_lines(K, T, means))
ri_clpm <- function(K, T, ...) c(trait_lines(K, T), clpm(K, T, ...))
for_groups <- function(lines, shared) {              # c(label.g1, label.g2)* except for shared families
  hit <- regmatches(lines, regexpr("[A-Za-z.]+[0-9][A-Za-z0-9._]*(?=\\*)", lines, perl = TRUE), invert = NA)
  sapply(hit, function(x) if (length(x) < 3 || sub("[0-9.].*", "", x[2]) %in% shared) paste(x, collapse = "") else
    paste0(x[1], sprintf("c(%s.g1,%s.g2)", x[2], x[2]), x[3]))
}
indicators <- function(K, I, T, invariance) {
  out <- NULL
  single <- invariance == "single"
  item <- function(k, i, t) sprintf("y%d%d_%d", k, i, t)
  for (t in 1:T) for (k in 1:K) {
    loading <- sapply(1:I, function(i) if (i == 1) paste0("1*", item(k, i, t)) else
      sprintf("lambda%d%d%s*%s", k, i, if (invariance == "configural") sprintf("_%d", t) else "", item(k, i, t)))
    out <- c(out, sprintf("f%d_%d =~ %s", k, t, paste(loading, collapse = " + ")), sprintf("f%d_%d ~~ 0*f%d_%d", k, t, k, t),
             sprintf("%s =~ 1*f%d_%d", w(k, t), k, t))
    if (t > 1 && invariance %in% c("intercepts", "single")) out <- c(out, sprintf("f%d_%d ~ mean.f%d_%d*1", k, t, k, t))
    for (i in 1:I) out <- c(out, sprintf("%s ~~ theta%d%d_%d*%s", item(k, i, t), k, i, t, item(k, i, t)),
      sprintf("%s ~ mean.y%d%d%s*1", item(k, i, t), k, i, if (invariance %in% c("intercepts", "single")) "" else sprintf("_%d", t)))
  }
  if (single) {
    for (k in 1:K) out <- c(out, sprintf("b%d =~ %s", k, paste0("1*f", k, "_", 1:T, collapse = " + ")))
    out <- c(out, cov_lines(sprintf("b%d", 1:K), "Phi"))
  } else {
    for (k in 1:K) for (i in 1:I) out <- c(out, sprintf("b%d%d =~ %s", k, i, paste0("1*", item(k, i, 1:T), collapse = " + ")))
    out <- c(out, cov_lines(as.vector(sapply(1:K, function(k) sprintf("b%d%d", k, 1:I))), "Phi"))
  }
  c(out, lag_lines(K, T, "free"), residual_lines(K, T))
}

## ---- one fit, one record ----------------------------------------------------------------------------------------
fit_it <- function(syntax, d, start = NULL, ...) { # lavaan's own defaults first, then ever tighter from there
  one <- function(...) lavaan(paste(syntax, collapse = "\n"), data = d, fixed.x = FALSE, meanstructure = TRUE,
                              em.h1.tol = 1e-12, em.h1.iter.max = 10000, ...)
  best <- if (is.null(start)) one(...) else one(..., start = start)
  for (tolerance in c(1e-12, 1e-13, 1e-14)) {
    control <- list(rel.tol = tolerance, x.tol = tolerance * 100, iter.max = 20000, eval.max = 40000)
    next_one <- suppressWarnings(tryCatch(one(..., start = parTable(best), control = control, optim.force.converged = TRUE), error = function(e) NULL))
    if (!is.null(next_one) && is.finite(logLik(next_one)) && logLik(next_one) > logLik(best)) best <- next_one
  }
  best
}
record <- function(case, data, fit, extra = list()) {
  p <- parameterEstimates(fit, remove.nonfree = FALSE)
  p <- p[p$label != "" & !duplicated(p$label) & p$op != "==", ]
  m <- suppressWarnings(fitMeasures(fit))
  answers[[case]] <<- c(list(data = data, converged = lavInspect(fit, "converged"),
    estimates = as.list(setNames(p$est, p$label)), errors = as.list(setNames(p$se, p$label)),
    measures = as.list(m[is.finite(m)])), extra)
  cat(sprintf("%-40s logl %.6f  chisq %.4f  df %d\n", case, m["logl"], m["chisq"], m["df"]))
  invisible(fit)
}

two <- keep("two_waves", simulate(300, 2, B2, phi2, psi2))
record("clpm two waves", "two_waves", fit_it(clpm(2, 2), two, estimator = "MLR"))
three <- keep("three_waves", simulate(400, 3, B2, phi2, psi2, skew = TRUE))
record("ri-clpm three waves, skewed, complete", "three_waves", fit_it(ri_clpm(2, 3), three, estimator = "MLR"))
record("ri-clpm three waves, expected information", "three_waves", fit_it(ri_clpm(2, 3), three, estimator = "ML"))
record("clpm three waves, Satorra-Bentler", "three_waves", fit_it(clpm(2, 3), three, estimator = "MLM"))
four <- keep("four_waves", dropout(simulate(400, 4, B2, phi2, psi2), 2, 4, .15))
free4 <- record("ri-clpm four waves, dropout", "four_waves", fit_it(ri_clpm(2, 4), four, estimator = "MLR", missing = "ml"))
equal4 <- record("ri-clpm four waves, dropout, equal lags", "four_waves", fit_it(ri_clpm(2, 4, lags = "equal"), four, estimator = "MLR", missing = "ml"))
all4 <- record("ri-clpm four waves, dropout, all equal", "four_waves",
  fit_it(ri_clpm(2, 4, lags = "equal", residuals = "equal", means = TRUE), four, estimator = "MLR", missing = "ml"))
lrt <- function(small, large, method) { x <- lavTestLRT(large, small, method = method); list(chisq = x[2, "Chisq diff"], df = x[2, "Df diff"]) }
answers[["difference tests"]] <- list(
  "equal lags" = list("2001" = lrt(equal4, free4, "satorra.bentler.2001"), "2010" = lrt(equal4, free4, "satorra.bentler.2010")),
  "all equal" = list("2001" = lrt(all4, free4, "satorra.bentler.2001"), "2010" = lrt(all4, free4, "satorra.bentler.2010")))
record("clpm four waves, dropout", "four_waves", fit_it(clpm(2, 4), four, estimator = "MLR", missing = "ml"))
record("ri-clpm four waves, ML", "four_waves", fit_it(ri_clpm(2, 4), four, estimator = "ML", missing = "ml"))

five <- keep("five_waves", holes(simulate(500, 5, B2, phi2, psi2, skew = TRUE), .2))
free5 <- record("ri-clpm five waves, holes", "five_waves", fit_it(ri_clpm(2, 5), five, estimator = "MLR", missing = "ml"))
equal5 <- record("ri-clpm five waves, holes, equal lags", "five_waves", fit_it(ri_clpm(2, 5, lags = "equal"), five, estimator = "MLR", missing = "ml"))
s <- standardizedSolution(equal5); s <- s[s$op == "~" & grepl("^w", s$lhs), ]
answers[["ri-clpm five waves, holes, equal lags"]]$standardised <- list(lhs = s$lhs, rhs = s$rhs, est = s$est.std, se = s$se)
set.seed(1); people <- nrow(five); clusters <- rep(1:50, length.out = people); weights <- round(runif(people, 0.3, 2), 3)
answers[["clusters and weights"]] <- list(clusters = clusters, weights = weights)
record("ri-clpm five waves, clusters", "five_waves", fit_it(ri_clpm(2, 5, lags = "equal"), cbind(five, cl = clusters), estimator = "MLR", missing = "ml", cluster = "cl"))
record("ri-clpm five waves, weights", "five_waves", fit_it(ri_clpm(2, 5, lags = "equal"), cbind(five, wt = weights), estimator = "MLR", missing = "ml", sampling.weights = "wt"))
group <- rep(1:2, length.out = people); grouped <- cbind(five, g = group)
record("two groups, free", "five_waves", fit_it(for_groups(ri_clpm(2, 5, lags = "equal"), character()), grouped, group = "g", estimator = "MLR", missing = "ml"))
record("two groups, equal lags", "five_waves", fit_it(for_groups(ri_clpm(2, 5, lags = "equal"), "B"), grouped, group = "g", estimator = "MLR", missing = "ml"))

eight <- keep("eight_waves", holes(simulate(500, 8, B2, phi2, psi2), .12))
record("ri-clpm eight waves, holes", "eight_waves", fit_it(ri_clpm(2, 8, lags = "equal"), eight, estimator = "MLR", missing = "ml"))
k3 <- keep("three_processes", dropout(simulate(500, 4, B3, phi3, psi3), 3, 4, .1))
record("ri-clpm three processes", "three_processes", fit_it(ri_clpm(3, 4), k3, estimator = "MLR", missing = "ml"))

set.seed(2); base <- simulate(500, 4, B2, phi2, psi2)
base$x1 <- rnorm(500); base[paste0("y1_", 1:4)] <- base[paste0("y1_", 1:4)] + 0.3 * base$x1
base$z1 <- 0.4 * base$y1_4 + 0.2 * base$y2_3 + rnorm(500)
extra <- keep("predictor_outcome", holes(base, .08))
on_waves <- c(as.vector(outer(1:2, 1:4, function(k, t) sprintf("%s ~ G%d1_%d*x1", y(k, t), k, t))), "x1 ~~ X11*x1", "x1 ~ mean.x1*1")
marginal <- function(lines) gsub("mean.y", "intercept.y", lines)   # with predictors lavaan's intercepts are not means
record("predictor on waves", "predictor_outcome", fit_it(c(marginal(ri_clpm(2, 4, lags = "equal")), on_waves), extra, estimator = "MLR", missing = "ml"))
on_traits <- c("b1 ~ G11*x1", "b2 ~ G21*x1", "x1 ~~ X11*x1", "x1 ~ mean.x1*1")
distal <- c("z1 ~ H11*b1 + H12*b2 + h11*w1_4 + h12*w2_4", "z1 ~~ Z11*z1", "z1 ~ 1")
record("predictor on intercepts, distal outcome", "predictor_outcome", fit_it(c(marginal(ri_clpm(2, 4, lags = "equal")), on_traits, distal), extra, estimator = "MLR", missing = "ml"))

set.seed(3); core <- dropout(simulate(400, 4, B2, phi2, psi2), 2, 4, .1)
items <- do.call(cbind, lapply(1:4, function(t) do.call(cbind, lapply(1:2, function(k) sapply(1:3, function(i)
  c(1, .8, 1.2)[i] * core[[y(k, t)]] + .3 * i + rnorm(400, sd = .6))))))
factors_only <- setNames(as.data.frame(items), unlist(lapply(1:4, function(t) lapply(1:2, function(k) sprintf("y%d%d_%d", k, 1:3, t)))))
factors_only <- keep("indicators_single", factors_only)
traits <- matrix(rnorm(400 * 6, sd = .6), 400); items <- as.data.frame(items + traits[, rep(1:6, 4)])
names(items) <- unlist(lapply(1:4, function(t) lapply(1:2, function(k) sprintf("y%d%d_%d", k, 1:3, t))))
items <- keep("indicators", items)
for (step in c("configural", "loadings", "intercepts"))
  record(paste("indicators,", step), "indicators", fit_it(indicators(2, 3, 4, step), items, estimator = "MLR", missing = "ml"))
record("indicators, single", "indicators_single", fit_it(indicators(2, 3, 4, "single"), factors_only, estimator = "MLR", missing = "ml"))

dpm <- function(K, T, lags) c(
  sapply(1:K, function(k) sprintf("a%d =~ %s", k, paste0("1*", y(k, 2:T), collapse = " + "))), cov_lines(sprintf("a%d", 1:K), "Phi"),
  as.vector(outer(1:K, 1:K, function(i, j) sprintf("a%d ~~ C%d%d*%s", i, i, j, y(j, 1)))),
  lag_lines(K, T, lags, y), residual_lines(K, T, "free", y), sprintf("%s ~ 1", as.vector(outer(1:K, 1:T, y))))
record("dynamic panel", "five_waves", fit_it(dpm(2, 5, "equal"), five, estimator = "MLR", missing = "ml"))
exogenous <- c("a1", "y1_1", y(2, 1:4))
predetermined <- c(paste("a1 =~", paste0("1*", y(1, 2:5), collapse = " + ")), cov_lines(exogenous, "X."),
  sprintf("y1_%d ~ B11*y1_%d + B12*y2_%d", 2:5, 1:4, 1:4), sprintf("y1_%d ~~ Psi11_%d*y1_%d", 2:5, 2:5, 2:5),
  unlist(lapply(2:4, function(t) sprintf("y1_%d ~~ E%d.2_%d*y2_%d", t, t, t:4, t:4))), sprintf("%s ~ 1", c(y(1, 1:5), y(2, 1:4))))
record("predetermined regressor", "five_waves", fit_it(predetermined, five, estimator = "MLR", missing = "ml"))

set.seed(4); grow <- simulate(600, 5, B2, phi2, psi2); slopes <- matrix(rnorm(1200), 600) %*% chol(matrix(c(.25, .08, .08, .2), 2))
for (t in 1:5) for (k in 1:2) grow[[y(k, t)]] <- grow[[y(k, t)]] + (t - 1) * (slopes[, k] + .2)
grow <- keep("growth", holes(grow, .1))
lcm <- c(unlist(lapply(1:2, function(k) c(sprintf("i%d =~ %s", k, paste0("1*", y(k, 1:5), collapse = " + ")),
  sprintf("s%d =~ %s", k, paste0(0:4, "*", y(k, 1:5), collapse = " + ")), sprintf("i%d ~ mean.i%d*1", k, k), sprintf("s%d ~ mean.s%d*1", k, k)))),
  cov_lines(c("i1", "s1", "i2", "s2"), "Phi"), within_lines(2, 5), lag_lines(2, 5, "equal"), residual_lines(2, 5), sprintf("%s ~ 0*1", as.vector(outer(1:2, 1:5, y))))
record("latent curve, structured residuals", "growth", fit_it(lcm, grow, estimator = "MLR", missing = "ml"))

## constrained models: complete data, expected information (lavaan's observed one leaves out the constraints' curvature)
set.seed(5); six <- simulate(500, 6, B2, phi2, psi2)[c(1:6, 7:8, 11:12)]; names(six) <- as.vector(outer(1:2, 1:5, y))
six <- keep("unequal_gaps", six)                     # waves at 1, 2, 3, 4, 6
gap <- ri_clpm(2, 5, lags = "free")
for (t in 2:4) gap <- gsub(sprintf("B(\\d\\d)_%d", t), "A\\1", gap)
unconstrained <- fit_it(gap, six, estimator = "ML")  # start there: from its own starts lavaan ends 102 log units lower
gap <- c(gap, "B11_5 == A11*A11 + A12*A21", "B12_5 == A11*A12 + A12*A22", "B21_5 == A21*A11 + A22*A21", "B22_5 == A21*A12 + A22*A22")
record("unequal gaps", "unequal_gaps", fit_it(gap, six, start = parTable(unconstrained), estimator = "ML"))
balance <- c("Psi11 == Psi11_1 - (B11*B11*Psi11_1 + 2*B11*B12*Psi21_1 + B12*B12*Psi22_1)",
  "Psi21 == Psi21_1 - (B21*B11*Psi11_1 + (B21*B12 + B22*B11)*Psi21_1 + B22*B12*Psi22_1)",
  "Psi22 == Psi22_1 - (B21*B21*Psi11_1 + 2*B21*B22*Psi21_1 + B22*B22*Psi22_1)")
whole <- keep("stationary", simulate(500, 5, B2, phi2, psi2))
record("stationary", "stationary", stationary <- fit_it(c(ri_clpm(2, 5, lags = "equal", residuals = "equal"), balance), whole, estimator = "ML"))
every <- parTable(stationary); every <- every[every$label != "" & every$free > 0, ]   # equal labels are equal to 1e-5 only
answers[["stationary"]]$every <- split(every$est, every$label)
set.seed(6); noisy <- simulate(800, 6, matrix(.6), matrix(1), matrix(.64)); noisy <- keep("starts", noisy + matrix(rnorm(4800, sd = .7), 800))
starts <- c("b1 =~ 1*y1_1+1*y1_2+1*y1_3+1*y1_4+1*y1_5+1*y1_6", "b1 ~~ Phi11*b1", sprintf("w1_%d =~ 1*y1_%d", 1:6, 1:6), sprintf("y1_%d ~~ e1*y1_%d", 1:6, 1:6),
  lag_lines(1, 6, "equal"), residual_lines(1, 6, "equal"), mean_lines(1, 6), "Psi11 == Psi11_1 - B11*B11*Psi11_1")
record("starts", "starts", fit_it(starts, noisy, estimator = "ML"))

answers$versions <- list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")))
write_json(answers, "panel.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
