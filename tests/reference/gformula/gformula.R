# The g-formula and a weighted marginal structural model in plain R, for tests/engine/test_gmethods_reference.py.
# Run: Rscript gformula.R    writes visits.csv and gformula.json beside itself (R 4, jsonlite)
#
# 900 people at four visits: outcome y, confounder l (changed by the exposure), exposure a, all 0/1; x is fixed.
# Within a visit y comes first, then l, then a. Some people leave. The g-formula is summed exactly over histories.
suppressMessages(library(jsonlite))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
if (length(here) == 0) here <- "."
set.seed(20260711)
n <- 900; K <- 4
x <- rbinom(n, 1, 0.5)
Y <- L <- A <- matrix(NA, n, K)
for (k in 1:K) {
  y0 <- if (k > 1) Y[, k - 1] else 0; l0 <- if (k > 1) L[, k - 1] else 0; a0 <- if (k > 1) A[, k - 1] else 0
  Y[, k] <- rbinom(n, 1, plogis(-1.4 + 1.2 * y0 + 0.7 * l0 + 0.6 * a0 + 0.3 * x))
  L[, k] <- rbinom(n, 1, plogis(-0.9 + 0.5 * Y[, k] + 1.0 * l0 + 0.7 * a0))
  A[, k] <- rbinom(n, 1, plogis(-0.9 + 0.4 * Y[, k] + 0.8 * L[, k] + 1.1 * a0 - 0.2 * x))
}
gone <- matrix(FALSE, n, K)
for (k in 2:K) gone[, k] <- gone[, k - 1] | rbinom(n, 1, plogis(-3.2 + 0.8 * L[, k - 1])) == 1
Y[gone] <- L[gone] <- A[gone] <- NA
wide <- data.frame(id = rep(1:n, K), visit = rep(0:(K - 1), each = n), x = rep(x, K), y = c(Y), l = c(L), a = c(A))
write.csv(wide[order(wide$id, wide$visit), ], file.path(here, "visits.csv"), row.names = FALSE, na = "", quote = FALSE)

rows <- do.call(rbind, lapply(2:K, function(k) data.frame(
  id = 1:n, t = (k - 2) / (K - 2), x = x, y = Y[, k], l = L[, k], a = A[, k],
  y0 = Y[, k - 1], l0 = L[, k - 1], a0 = A[, k - 1], stay = as.numeric(!gone[, k]), risk = !gone[, k - 1], k = k
)))
rows$t2 <- rows$t^2
tight <- glm.control(epsilon = 1e-14, maxit = 100)
fy <- glm(y ~ t + t2 + x + y0 + l0 + a0, binomial, rows, control = tight)
fl <- glm(l ~ t + t2 + x + y0 + l0 + a0 + y, binomial, rows, control = tight)

# Exact: the chance of each (y, l) given the exposure held at level, forward in time, person by person.
ends <- function(level) {
  state <- expand.grid(y = 0:1, l = 0:1)
  P <- outer(1:n, 1:4, function(i, s) as.numeric(Y[i, 1] == state$y[s] & L[i, 1] == state$l[s]))
  for (k in 2:K) {
    t <- (k - 2) / (K - 2)
    Q <- matrix(0, n, 4)
    for (s in 1:4) {
      from <- data.frame(t = t, t2 = t^2, x = x, y0 = state$y[s], l0 = state$l[s], a0 = level)
      py <- predict(fy, from, type = "response")
      for (s2 in 1:4) {
        pl <- predict(fl, cbind(from, y = state$y[s2]), type = "response")
        chance <- (if (state$y[s2]) py else 1 - py) * (if (state$l[s2]) pl else 1 - pl)
        Q[, s2] <- Q[, s2] + P[, s] * chance
      }
    }
    P <- Q
  }
  mean(P[, state$y == 1] %*% c(1, 1))
}
always <- ends(1); never <- ends(0)

# Stabilised weights: exposure at visits 1 to 3, staying at visits 2 to 4.
short <- glm(a ~ t + a0, binomial, rows[rows$k < K, ], control = tight)   # two waves: a straight line in time
full <- glm(a ~ t + x + y0 + l0 + a0 + y + l, binomial, rows[rows$k < K, ], control = tight)
first_short <- glm(A[, 1] ~ 1, family = binomial, control = tight)
first_full <- glm(A[, 1] ~ x + Y[, 1] + L[, 1], family = binomial, control = tight)
stay_short <- glm(stay ~ t + t2 + a0, binomial, rows[rows$risk, ], control = tight)
stay_full <- glm(stay ~ t + t2 + x + y0 + l0 + a0, binomial, rows[rows$risk, ], control = tight)
seen <- function(p, a) ifelse(a == 1, p, 1 - p)
ratio <- matrix(1, n, K)
ratio[, 1] <- seen(fitted(first_short), A[, 1]) / seen(fitted(first_full), A[, 1])
for (k in 2:K) {
  at <- rows[rows$k == k, ]
  if (k < K) {
    line <- function(f) predict(f, at, type = "response")
    ratio[, k] <- seen(line(short), at$a) / seen(line(full), at$a)
  }
  ratio[, k] <- ratio[, k] * predict(stay_short, at, type = "response") / predict(stay_full, at, type = "response")
}
w <- apply(ratio, 1, prod)
kept <- !gone[, K]
X <- cbind(1, A[kept, K - 1], rowMeans(A[kept, 1:(K - 2)]))
msm <- suppressWarnings(glm(Y[kept, K] ~ X - 1, family = binomial, weights = w[kept], control = tight))
p <- fitted(msm)
bread <- solve(t(X) %*% (X * (w[kept] * p * (1 - p))))
lever <- w[kept] * p * (1 - p) * rowSums((X %*% bread) * X)   # Mancl & DeRouen (2001) for clusters of one person
scores <- X * (w[kept] * (Y[kept, K] - p) / (1 - lever))
robust <- bread %*% (t(scores) %*% scores) %*% bread
means <- plogis(c(sum(coef(msm)), coef(msm)[1]))

write_json(list(
  R = R.version.string,
  outcome = unname(coef(fy)), confounder = unname(coef(fl)),
  always = always, never = never,
  weight_mean = mean(w[kept]), weight_max = max(w[kept]), weights = unname(w[kept][1:20]),
  msm = unname(coef(msm)), robust = unname(sqrt(diag(robust))), msm_always = means[1], msm_never = means[2]
), file.path(here, "gformula.json"), digits = 15, auto_unbox = TRUE, pretty = TRUE)
