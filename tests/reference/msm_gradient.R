# msm's analytic gradient where the generator has complex eigenvalues, against central differences of its own value.
# Run: Rscript tests/reference/msm_gradient.R   (writes msm_gradient.json beside this file)
#
# Four states with recovery cycling 0 > A > AB > B > 0 at rate 1: eigenvalues -1 +- i. One gap of length 3, 6, 10.
suppressPackageStartupMessages({library(msm); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
Q <- matrix(0, 4, 4); Q[1, 2] <- Q[2, 4] <- Q[4, 3] <- Q[3, 1] <- 1
cycle <- c(1, 2, 4, 3, 1)
case <- function(gap) {
  d <- data.frame(subject = rep(1:8, each = 2), time = rep(c(0, gap), 8),
                  state = c(1, 1, 1, 2, 1, 4, 2, 2, 2, 4, 4, 3, 3, 1, 3, 4))
  at <- function(log_rates, deriv) {
    q <- Q; q[cbind(c(1, 2, 3, 4), c(2, 4, 1, 3))] <- exp(log_rates)
    msm(state ~ time, subject = subject, data = d, qmatrix = q, fixedpars = TRUE, center = FALSE)
  }
  analytic <- as.numeric(at(rep(0, 4))$deriv)
  numeric <- sapply(1:4, function(k) {
    e <- replace(rep(0, 4), k, 1e-5); (at(e)$minus2loglik - at(-e)$minus2loglik) / 2e-5 })
  list(gap = gap, data = d, analytic = analytic, numeric = numeric, minus2loglik = at(rep(0, 4))$minus2loglik)
}
out <- list(R = R.version.string, msm = as.character(packageVersion("msm")), cases = lapply(c(3, 6, 10), case))
write_json(out, file.path(here, "msm_gradient.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns")
for (k in out$cases) { cat("gap", k$gap, "\n analytic", k$analytic, "\n numeric ", k$numeric, "\n") }
