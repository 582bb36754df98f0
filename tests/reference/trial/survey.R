# Taylor-linearised errors of a weighted regression by formula in base R (4.2); no survey package is needed.
# Run from this folder: Rscript survey.R. Writes survey.json and survey.csv. The rule for a stratum of one cluster is
# that of R's survey package under options(survey.lonely.psu = "adjust"): its total about the mean of all clusters.
suppressMessages(library(jsonlite))
set.seed(20091)
n <- 240
strata <- sample(1:6, n, replace = TRUE)
psu <- ifelse(strata == 6, 1, sample(1:4, n, replace = TRUE))      # stratum 6 is lonely; labels repeat over strata
shift <- rnorm(6 * 4)[(strata - 1) * 4 + psu]
x <- rnorm(n) + 0.4 * shift; y <- 1 + 0.5 * x + shift + rnorm(n)
w <- round(exp(rnorm(n, 0, 0.5)), 4); x <- round(x, 5); y <- round(y, 5)
write.csv(data.frame(strata, psu, w, x, y), "survey.csv", row.names = FALSE)

middle <- function(z, unit, layer) {                               # z: people x q, weighted scores
  M <- matrix(0, ncol(z), ncol(z))
  totals <- rowsum(z, unit); of <- layer[match(rownames(totals), unit)]
  grand <- colMeans(totals)
  for (h in unique(of)) {
    mine <- totals[of == h, , drop = FALSE]; k <- nrow(mine)
    about <- if (k == 1) sweep(mine, 2, grand) else sweep(mine, 2, colMeans(mine))
    M <- M + (if (k == 1) 1 else k / (k - 1)) * crossprod(about)
  }
  M
}
fit <- lm(y ~ x, weights = w); X <- model.matrix(fit)
bread <- solve(crossprod(X, w * X)); z <- X * (w * residuals(fit))
nested <- paste(strata, psu)
errors <- function(unit, layer) sqrt(diag(bread %*% middle(z, unit, layer) %*% bread))
write_json(list(
  coefficients = unname(coef(fit)),
  strata_and_clusters = unname(errors(nested, strata)),
  strata_alone = unname(errors(as.character(seq_len(n)), strata)),
  clusters_alone = unname(errors(nested, rep(1, n)))
), "survey.json", digits = 15, auto_unbox = TRUE)
