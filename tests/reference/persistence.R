# Reference values for the chain of recent and lasting (six states, with and without death): R package msm.
# Run: Rscript tests/reference/persistence.R   (writes persistence.json beside this file)
#
# All three at fixed rates; "alive" fitted as well. States: 0, O, R, OR, L, OL (and D): O the other condition, R the staged one while recent, L once lasting. Fits use
# use.deriv = FALSE, as in msm.R. "unknown" has visits at which the stage was not said: R or L (98), OR or OL (99).
suppressPackageStartupMessages({library(msm); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
states <- c("0", "O", "R", "OR", "L", "OL")
rates <- c("0>O" = .12, "R>OR" = .15, "L>OL" = .3, "O>0" = .6, "OR>R" = .5, "OL>L" = .5, "0>R" = .3, "O>OR" = .45,
           "R>L" = .6, "OR>OL" = 1.2, "R>0" = 1.2, "OR>O" = .8, "L>0" = .3, "OL>O" = .2)
exits <- setNames(c(.02, .03, .02, .04, .05, .08), paste0(states, ">D"))
generator <- function(names, rates) {
  Q <- matrix(0, length(names), length(names), dimnames = list(names, names))
  for (k in names(rates)) { e <- strsplit(k, ">")[[1]]; Q[e[1], e[2]] <- rates[[k]] }
  Q
}
visits <- function(people, each, seed) {
  set.seed(seed)
  d <- data.frame(subject = rep(seq_len(people), each = each))
  d$time <- ave(round(runif(nrow(d), 200, 500)) / 365.25, d$subject, FUN = function(x) cumsum(x) - x[1])
  d
}
drawn <- function(Q, seed, ...) {
  s <- simmulti.msm(visits(240, 5, seed), Q, start = rep(1:6, 40), ...)
  s <- s[order(s$subject, s$time), ]
  s <- s[ave(s$state == 7, s$subject, FUN = cumsum) <= (s$state == 7), ]
  s[ave(s$time, s$subject, FUN = length) > 1, ]
}
value <- function(d, Q, ...) msm(state ~ time, subject = subject, data = d, qmatrix = Q, fixedpars = TRUE, ...)$minus2loglik
best <- function(d, Q, ...) {
  m <- msm(state ~ time, subject = subject, data = d, qmatrix = Q, use.deriv = FALSE,
           control = list(maxit = 200, reltol = 1e-11, fnscale = value(d, Q)), ...)
  list(fitted = m$minus2loglik, converged = m$opt$convergence, estimates = unname(m$estimates),
       errors = unname(sqrt(diag(m$covmat))), order = order_of(Q))
}
order_of <- function(Q) {  # msm's order of the rates: by row of Q
  e <- which(t(Q) > 0, arr.ind = TRUE); paste0(rownames(Q)[e[, 2]], ">", colnames(Q)[e[, 1]])
}
out <- list(R = R.version.string, msm = as.character(packageVersion("msm")))
keep <- c("subject", "time", "state")

Q <- generator(states, rates)
d <- drawn(Q, 1)
out$alive <- c(list(data = d[keep], rates = as.list(rates)), list(at = value(d, Q)), best(d, Q))
both <- c(rates, exits); Q7 <- generator(c(states, "D"), both)
d <- drawn(Q7, 2, death = 7)
out$death <- c(list(data = d[keep], rates = as.list(both)), list(at = value(d, Q7, deathexact = 7)))
d <- drawn(Q, 3)
set.seed(3); later <- duplicated(d$subject) & runif(nrow(d)) < .2
d$state[later & d$state %in% c(3, 5)] <- 98
d$state[later & d$state %in% c(4, 6)] <- 99
out$unknown <- c(list(data = d[keep], rates = as.list(rates)),
                 list(at = value(d, Q, censor = c(98, 99), censor.states = list(c(3, 5), c(4, 6)))))
write_json(out, file.path(here, "persistence.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns")
for (k in c("alive", "death", "unknown")) cat(k, out[[k]]$at, out[[k]]$fitted, out[[k]]$converged, "\n")
