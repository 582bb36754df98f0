# Reference values for the Cox engine: R package survival, coxph and cox.zph on start-stop rows.
# Run: Rscript tests/reference/survival.R   (writes survival.json beside this file)
suppressPackageStartupMessages({library(survival); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
set.seed(20)
n <- 300
rows <- do.call(rbind, lapply(seq_len(n), function(i) {
  cuts <- sort(unique(c(0, round(runif(3, .5, 9.5), 1), 10)))
  data.frame(id = i, start = head(cuts, -1), stop = tail(cuts, -1), age = rnorm(1), site = sample(3, 1))
}))
rows$exposed <- as.numeric(runif(nrow(rows)) < .4)
rows$event <- as.numeric(runif(nrow(rows)) < 1 - exp(-.12 * (rows$stop - rows$start) * exp(.7 * rows$exposed + .3 * rows$age)))
done <- ave(rows$event, rows$id, FUN = cumsum) - rows$event
rows <- rows[done == 0, ]
rows$w <- .5 + (rows$id %% 7) / 3
rows$clinic <- rows$id %% 25
shown <- function(formula, ...) {
  precise <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)
  f <- do.call(coxph, list(formula, data = rows, ..., control = precise))
  z <- function(tr) { t <- cox.zph(f, transform = tr)$table; list(chisq = unname(t[, 1]), p = unname(t[, 3])) }
  list(beta = unname(coef(f)), naive = if (is.null(f$naive.var)) f$var else f$naive.var, var = f$var, loglik = f$loglik,
       zph = list(km = z("km"), identity = z("identity"), log = z("log"), rank = z("rank")))
}
y <- Surv(start, stop, event) ~ exposed + age
out <- list(R = R.version.string, survival = as.character(packageVersion("survival")), data = rows,
  efron = shown(y, ties = "efron"), breslow = shown(y, ties = "breslow"),
  strata = shown(Surv(start, stop, event) ~ exposed + age + strata(site)),
  cluster = shown(y, cluster = rows$id), cluster_breslow = shown(y, ties = "breslow", cluster = rows$id),
  weighted_cluster = shown(y, weights = rows$w, cluster = rows$clinic),
  weighted_cluster_breslow = shown(y, weights = rows$w, cluster = rows$clinic, ties = "breslow"),
  cluster_strata = shown(Surv(start, stop, event) ~ exposed + age + strata(site), cluster = rows$id))
write_json(out, file.path(here, "survival.json"), digits = NA, auto_unbox = TRUE, dataframe = "columns")
