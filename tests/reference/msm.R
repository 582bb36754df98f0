# Reference values for the chain engine: R package msm, at fixed parameters and fitted.
# Run: Rscript tests/reference/msm.R   (writes msm.json beside this file)
#
# Fits use use.deriv = FALSE: msm's analytic gradient is wrong where the generator has complex eigenvalues
# (see msm_gradient.R), and a fit that trusts it stops early.
suppressPackageStartupMessages({library(msm); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
states4 <- c("0", "A", "B", "AB")

generator <- function(names, rates) {
  Q <- matrix(0, length(names), length(names), dimnames = list(names, names))
  for (k in names(rates)) { e <- strsplit(k, ">")[[1]]; Q[e[1], e[2]] <- rates[[k]] }
  Q
}
forward  <- c("0>A" = .20, "0>B" = .10, "A>AB" = .25, "B>AB" = .30)
recovery <- c("A>0" = .30, "B>0" = .25, "AB>A" = .15, "AB>B" = .20)
exits    <- c("0>D" = .02, "A>D" = .04, "B>D" = .05, "AB>D" = .10)

visits <- function(people, each, seed) {
  set.seed(seed)
  d <- data.frame(subject = rep(seq_len(people), each = each))
  d$time <- ave(round(runif(nrow(d), 200, 700)) / 365.25, d$subject, FUN = function(x) cumsum(x) - x[1])
  d$x <- ave(rnorm(nrow(d)), d$subject, FUN = function(v) v[1])
  d$z <- as.numeric(runif(nrow(d)) < .5)
  d
}
run <- function(d, Q, fixed_effects = NULL, ...) {
  at <- msm(state ~ time, subject = subject, data = d, qmatrix = Q, center = FALSE, fixedpars = TRUE,
            covinits = fixed_effects, ...)
  best <- msm(state ~ time, subject = subject, data = d, qmatrix = Q, center = FALSE, use.deriv = FALSE,
              covinits = fixed_effects, control = list(maxit = 5000, reltol = 1e-14, fnscale = at$minus2loglik), ...)
  list(at = at$minus2loglik, fitted = best$minus2loglik, converged = best$opt$convergence,
       estimates = unname(best$estimates.t), errors = unname(sqrt(diag(best$covmat))),
       log_rates = unname(best$estimates[names(best$estimates) == "qbase"]))
}
out <- list(R = R.version.string, msm = as.character(packageVersion("msm")))
simulate <- function(d, Q, ...) simmulti.msm(d[c("subject", "time", "x", "z")], Q, ...)
pick <- function(s) {  # drop rows after a death, and subjects seen once
  s <- s[order(s$subject, s$time), ]
  s <- s[ave(s$state == 5, s$subject, FUN = cumsum) <= (s$state == 5), ]
  s[ave(s$time, s$subject, FUN = length) > 1, ]
}

# 1. Forward only
Q <- generator(states4, forward)
d <- pick(simulate(visits(200, 5, 1), Q, start = rep(1:4, 50)))
out$forward <- c(list(data = d[c("subject", "time", "state")], rates = as.list(forward)), run(d, Q))
# 2. With recovery
rates <- c(forward, recovery); Q <- generator(states4, rates)
d <- pick(simulate(visits(200, 5, 2), Q, start = rep(1:4, 50)))
out$recovery <- c(list(data = d[c("subject", "time", "state")], rates = as.list(rates)), run(d, Q))
# 3. Exact death
five <- c(states4, "D"); rates <- c(forward, recovery, exits); Q <- generator(five, rates)
d <- pick(simulate(visits(200, 5, 3), Q, start = rep(1:4, 50), death = 5))
out$death <- c(list(data = d[c("subject", "time", "state")], rates = as.list(rates)), run(d, Q, deathexact = 5))
# 4. Exact death and a censored end state (alive, state unknown), and unknown states midway
d <- pick(simulate(visits(200, 5, 4), Q, start = rep(1:4, 50), death = 5))
last <- !duplicated(d$subject, fromLast = TRUE); first <- !duplicated(d$subject)
set.seed(4); d$state[last & d$state < 5 & runif(nrow(d)) < .6] <- 99
d$state[!last & !first & d$state < 5 & runif(nrow(d)) < .1] <- 99
out$censored <- c(list(data = d[c("subject", "time", "state")], rates = as.list(rates)),
                  run(d, Q, deathexact = 5, censor = 99, censor.states = 1:4))
# 5. Covariates, one fixed and one varying over time, the effect of x shared by the two first onsets
rates <- c(forward, recovery); Q <- generator(states4, rates)
order4 <- as.vector(t(Q)); n <- sum(order4 > 0)
beta <- list(x = seq(-.3, .4, length.out = 7)[c(1, 1, 2:7)], z = seq(.5, -.2, length.out = 8))
d <- pick(simulate(visits(300, 5, 5), Q, start = rep(1:4, 75), covariates = beta))
out$covariates <- c(list(data = d[c("subject", "time", "state", "x", "z")], rates = as.list(rates), beta = beta),
                    run(d, Q, fixed_effects = beta, covariates = ~ x + z, constraint = list(x = c(1, 1, 2:7))))
# 6. Misclassified states, errors fixed and errors estimated
sens <- c(.85, .8); spec <- c(.95, .9)
side <- function(k) matrix(c(spec[k], 1 - spec[k], 1 - sens[k], sens[k]), 2, byrow = TRUE)
E <- kronecker(side(2), side(1)); Q <- generator(states4, forward)
start <- c(.6, .2, .15, .05)
observed <- function(E, seed) {
  d <- pick(simulate(visits(300, 6, seed), Q, start = sample(1:4, 300, TRUE, start)))
  set.seed(seed); d$state <- sapply(d$state, function(s) sample(1:4, 1, prob = E[s, ])); d[c("subject", "time", "state")]
}
hidden <- function(d, E, fixed) {
  go <- function(f) msm(state ~ time, subject = subject, data = d, qmatrix = Q, ematrix = E, initprobs = start,
                        use.deriv = FALSE, fixedpars = f, control = list(maxit = 5000, reltol = 1e-14, fnscale = 3000))
  list(data = d, rates = as.list(forward), E = E, start = start, at = go(TRUE)$minus2loglik,
       fitted = go(fixed)$minus2loglik)
}
out$misclassified <- hidden(observed(E, 6), E, 5:16)
E2 <- diag(4); E2[1, 2] <- .08; E2[2, 1] <- .15; E2[1, 1] <- .92; E2[2, 2] <- .85
out$misclassified_free <- hidden(observed(E2, 9), E2, NULL)
# 7. Exactly dated transitions
rates <- c(forward, recovery); Q <- generator(states4, rates)
d <- pick(simulate(visits(200, 4, 7), Q, start = rep(1:4, 50)))
path <- do.call(rbind, lapply(1:200, function(i) {
  s <- sim.msm(Q, maxtime = 6, start = 1 + i %% 4); data.frame(subject = i, time = s$times, state = s$states) }))
path <- path[ave(path$time, path$subject, FUN = length) > 1, ]
out$dated <- c(list(data = path, rates = as.list(rates)), run(path, Q, exacttimes = TRUE))
# 8. Rates that change at time 2
d <- pick(simulate(visits(300, 5, 8), Q, start = rep(1:4, 75)))
out$piecewise <- c(list(data = d[c("subject", "time", "state")], rates = as.list(rates)),
  run(d, Q, fixed_effects = list("timeperiod[2,Inf)" = rep(.3, 8)), pci = 2))
write_json(out, file.path(here, "msm.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns")
