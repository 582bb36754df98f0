# Reference values of pooling by metafor 3.8-1, R 4.2 (Debian bookworm). Run from this folder: Rscript metafor.R
# Writes metafor.json: the estimates and variances of six data sets and metafor's answers. tau^2 and the Q-profile
# interval are iterated to tighter tolerances than metafor's defaults (1e-5 and about 1e-4), so that digits beyond
# the sixth can be compared.
suppressMessages({ library(metafor); library(jsonlite) })

bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
smoke <- dat.hackshaw1998
teach <- dat.raudenbush1985
set.seed(20240501)
alike <- data.frame(yi = rnorm(6, 0.3, 0.2), vi = rep(c(0.09, 0.16, 0.25), 2))   # less spread than chance: tau^2 = 0
few <- data.frame(yi = c(0.64, 1.06, 1.22), vi = c(0.09, 0.20, 0.16))            # three studies, the least we pool
apart <- data.frame(yi = rnorm(12, 0.5, 1.2), vi = rexp(12, 8) + 0.01)           # very mixed, unequal variances
half <- function(k) rep(c(0, 1), length.out = k)
sets <- list(
  bcg   = list(y = as.numeric(bcg$yi), v = as.numeric(bcg$vi), x = bcg$ablat,
               g = as.integer(factor(bcg$alloc)) - 1),
  smoke = list(y = as.numeric(smoke$yi), v = as.numeric(smoke$vi), x = smoke$year - 1990,
               g = as.integer(smoke$design == "cohort")),
  teach = list(y = as.numeric(teach$yi), v = as.numeric(teach$vi), x = teach$weeks,
               g = as.integer(teach$setting == "indiv")),
  alike = list(y = alike$yi, v = alike$vi, x = seq_len(6), g = half(6)),
  few   = list(y = few$yi, v = few$vi, x = c(1, 2, 4), g = NULL),
  apart = list(y = apart$yi, v = apart$vi, x = seq_len(12)^1.5, g = rep(0:2, 4))
)

tight <- list(threshold = 1e-13, maxiter = 10000, tol = 1e-13)
tests <- c(z = "z", knapp = "knha", adhoc = "adhoc")
num <- function(x) unname(as.numeric(x))

fitted <- function(r) list(beta = num(r$beta), se = num(r$se), low = num(r$ci.lb), high = num(r$ci.ub),
  statistic = num(r$zval), p = num(r$pval), tau2 = r$tau2, q = r$QE, q_p = r$QEp, i2 = r$I2 / 100, h2 = r$H2)

mean_of <- function(s, method, test) {
  r <- rma(s$y, s$v, method = method, test = test, control = tight)
  band <- predict(r); classic <- predict(r, pi.type = "riley")
  c(fitted(r), list(pi = num(c(band$pi.lb, band$pi.ub)), pi_riley = num(c(classic$pi.lb, classic$pi.ub)),
    weights = num(weights(r)) / 100, loglik = num(logLik(r))))
}

line_of <- function(s, method, test) {
  r <- rma(s$y, s$v, mods = cbind(s$x), method = method, test = test, control = tight)
  c(fitted(r), list(qm = r$QM, qm_p = r$QMp))
}

groups_of <- function(s, test) {
  if (is.null(s$g)) return(NULL)
  f <- factor(s$g)
  r <- rma(s$y, s$v, mods = ~ f, test = test, control = tight)
  each <- rma(s$y, s$v, mods = ~ f - 1, test = test, control = tight)
  c(list(means = num(each$beta), low = num(each$ci.lb), high = num(each$ci.ub)),
    list(qm = r$QM, qm_p = r$QMp, tau2 = r$tau2))
}

answers <- lapply(sets, function(s) {
  k <- length(s$y)
  ci <- suppressWarnings(confint(rma(s$y, s$v, control = tight),
                                 control = list(tol = 1e-14, maxiter = 10000, tau2.max = 1000)))$random
  out <- list(y = s$y, v = s$v, x = s$x, g = s$g, tau2_interval = num(ci[1, 2:3]))
  for (method in c("REML", "DL", "PM")) for (test in names(tests)) {
    key <- paste(tolower(method), test, sep = "_")
    out$mean[[key]] <- mean_of(s, method, tests[[test]])
    if (k > 3) out$line[[key]] <- line_of(s, method, tests[[test]])
  }
  for (test in names(tests)) out$groups[[test]] <- groups_of(s, tests[[test]])
  left <- leave1out(rma(s$y, s$v, test = "knha", control = tight))
  out$left <- list(beta = num(left$estimate), se = num(left$se), tau2 = num(left$tau2), q = num(left$Q),
                   i2 = num(left$I2) / 100)
  if (k >= 10) {
    e <- regtest(s$y, s$v, model = "lm")
    out$egger <- list(t = e$zval, df = e$dfs, p = e$pval, limit = num(e$est))
  }
  out
})
write_json(answers, "metafor.json", digits = NA, auto_unbox = TRUE, null = "null")
