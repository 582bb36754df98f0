# Seconds that msm takes for the chains of benchmarks/onset.py. Usage: Rscript onset_msm.R data.csv covariates
suppressPackageStartupMessages(library(msm))
a <- commandArgs(TRUE)
d <- read.csv(a[1])
Q <- rbind(c(0, 1, 1, 0), c(1, 0, 0, 1), c(1, 0, 0, 1), c(0, 1, 1, 0)) * .2
Q <- crudeinits.msm(state ~ time, subject, data = d, qmatrix = Q)
control <- list(fnscale = 20000, maxit = 1000)
took <- system.time(m <- if (a[2] == "yes") {
  msm(state ~ time, subject = subject, data = d, qmatrix = Q, covariates = ~ x + z, control = control)
} else msm(state ~ time, subject = subject, data = d, qmatrix = Q, control = control))
cat(took["elapsed"], sum(took[c("user.self", "sys.self")]), sprintf("%.6f", m$minus2loglik), "\n")
