# Interventional direct and indirect effects with an exposure-mediator product, in plain R, for
# tests/engine/test_gmethods_interaction.py. Run: Rscript interaction.R
#   writes mediated.csv and interaction.json beside itself (R 4, jsonlite)
#
# 500 people at four visits: outcome y, confounder l (changed by the exposure), mediator m, exposure a, all 0/1; x is
# fixed. Within a visit y comes first, then l, m, a. The mediator acts on the outcome more under the exposure. Effects
# are sums over every history of visits 2 and 3, person by person, and over every course of the mediator.
suppressMessages(library(jsonlite))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
if (length(here) == 0) here <- "."
set.seed(20261122)
n <- 500; K <- 4
x <- rbinom(n, 1, 0.5)
Y <- L <- M <- A <- matrix(NA, n, K)
for (k in 1:K) {
  past <- function(V) if (k > 1) V[, k - 1] else rep(0, n)
  y0 <- past(Y); l0 <- past(L); m0 <- past(M); a0 <- past(A)
  Y[, k] <- rbinom(n, 1, plogis(-1.5 + 1.0 * y0 + 0.5 * l0 + 0.3 * m0 + 0.2 * a0 + 1.2 * a0 * m0 + 0.3 * x))
  L[, k] <- rbinom(n, 1, plogis(-0.8 + 0.4 * Y[, k] + 0.8 * l0 + 0.7 * a0))
  M[, k] <- rbinom(n, 1, plogis(-0.9 + 0.4 * L[, k] + 0.8 * m0 + 1.0 * a0))
  A[, k] <- rbinom(n, 1, plogis(-0.7 + 0.3 * Y[, k] + 0.5 * L[, k] + 1.0 * a0))
}
wide <- data.frame(id = rep(1:n, K), visit = rep(0:(K - 1), each = n), x = rep(x, K), y = c(Y), l = c(L), m = c(M),
                   a = c(A))
write.csv(wide[order(wide$id, wide$visit), ], file.path(here, "mediated.csv"), row.names = FALSE, quote = FALSE)

rows <- do.call(rbind, lapply(2:K, function(k) data.frame(
  t = (k - 2) / (K - 2), x = x, y = Y[, k], l = L[, k], m = M[, k],
  y0 = Y[, k - 1], l0 = L[, k - 1], m0 = M[, k - 1], a0 = A[, k - 1]
)))
rows$t2 <- rows$t^2
tight <- glm.control(epsilon = 1e-14, maxit = 100)
effects_of <- function(product) {
  right <- "t + t2 + x + y0 + l0 + m0 + a0"
  fy <- glm(paste("y ~", right, if (product) "+ I(a0 * m0)"), binomial, rows, control = tight)
  fl <- glm(paste("l ~", right, "+ y"), binomial, rows, control = tight)
  fm <- glm(paste("m ~", right, "+ y + l"), binomial, rows, control = tight)
  chance <- function(fit, at, value) { p <- predict(fit, at, type = "response"); if (value) p else 1 - p }
  at <- function(k, a, y0, l0, m0) data.frame(t = (k - 2) / (K - 2), t2 = ((k - 2) / (K - 2))^2, x = x, y0 = y0,
                                              l0 = l0, m0 = m0, a0 = a)
  path <- expand.grid(y2 = 0:1, l2 = 0:1, m2 = 0:1, y3 = 0:1, l3 = 0:1, m3 = 0:1)
  # P(m2, m3 | first visit) with the exposure at level throughout
  course <- function(level) {
    out <- array(0, c(n, 2, 2))
    for (j in seq_len(nrow(path))) {
      h <- path[j, ]
      b <- at(2, level, Y[, 1], L[, 1], M[, 1]); d <- at(3, level, h$y2, h$l2, h$m2)
      p <- chance(fy, b, h$y2) * chance(fl, cbind(b, y = h$y2), h$l2) *
        chance(fm, cbind(b, y = h$y2, l = h$l2), h$m2)
      p <- p * chance(fy, d, h$y3) * chance(fl, cbind(d, y = h$y3), h$l3) *
        chance(fm, cbind(d, y = h$y3, l = h$l3), h$m3)
      out[, h$m2 + 1, h$m3 + 1] <- out[, h$m2 + 1, h$m3 + 1] + p
    }
    out
  }
  # Q(level, other): the exposure at level, the course of the mediator from the other regime
  end <- function(level, other) {
    drawn <- course(other); total <- 0
    for (j in seq_len(nrow(path))) {
      h <- path[j, ]
      b <- at(2, level, Y[, 1], L[, 1], M[, 1]); d <- at(3, level, h$y2, h$l2, h$m2)
      p <- chance(fy, b, h$y2) * chance(fl, cbind(b, y = h$y2), h$l2) *
        chance(fy, d, h$y3) * chance(fl, cbind(d, y = h$y3), h$l3) * drawn[, h$m2 + 1, h$m3 + 1]
      total <- total + p * predict(fy, at(4, level, h$y3, h$l3, h$m3), type = "response")
    }
    mean(total)
  }
  list(outcome = unname(coef(fy)), both = end(1, 1), exposed = end(1, 0), none = end(0, 0), mediated = end(0, 1))
}
write_json(list(R = R.version.string, with = effects_of(TRUE), without = effects_of(FALSE)),
           file.path(here, "interaction.json"), digits = 15, auto_unbox = TRUE, pretty = TRUE)
