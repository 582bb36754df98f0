# Single-mediator panel products by lavaan 0.6-14, R 4.2 (Debian bookworm). Run from this folder: Rscript pathways.R
# Simulates x, m and y at four waves (300 people, a tenth of the answers missing), writes them to pathways.csv, fits the
# random-intercept model with lags equal over time by FIML, and writes the products of lags over two waves with their
# delta-method errors, and the same within-standardised by the model's own variances, to pathways.json.
suppressMessages({ library(lavaan); library(jsonlite) })
set.seed(20260); n <- 300; T <- 4; K <- 3
B <- matrix(c(.30, .35, .10, .05, .25, .30, .08, .00, .30), 3)          # column j to row i: x -> m .35, m -> y .30
trait <- matrix(rnorm(n * K), n) %*% chol(diag(K) * .6 + .4)
w <- matrix(rnorm(n * K), n); y <- NULL
for (t in 1:T) { if (t > 1) w <- w %*% t(B) + matrix(rnorm(n * K), n) %*% chol(diag(K) * .6 + .2); y <- cbind(y, trait + w) }
y[matrix(runif(length(y)) < .1, n)] <- NA
d <- as.data.frame(round(y, 4)); names(d) <- as.vector(outer(c("x", "m", "y"), 1:T, paste0))
write.csv(d, "pathways.csv", row.names = FALSE, na = "", quote = FALSE)

v <- c("x", "m", "y"); lines <- NULL
for (k in v) lines <- c(lines, sprintf("i%s =~ %s", k, paste(sprintf("1*%s%d", k, 1:T), collapse = " + ")))
for (t in 1:T) for (k in v) lines <- c(lines, sprintf("w%s%d =~ 1*%s%d", k, t, k, t), sprintf("%s%d ~~ 0*%s%d", k, t, k, t))
for (t in 2:T) for (i in v) for (j in v) lines <- c(lines, sprintf("w%s%d ~ %s%s*w%s%d", i, t, j, i, j, t - 1))
for (t in 1:T) lines <- c(lines, sprintf("wx%d ~~ wm%d + wy%d", t, t, t), sprintf("wm%d ~~ wy%d", t, t))
lines <- c(lines, "ix ~~ im + iy", "im ~~ iy")
for (k in v) for (j in v) for (t in 1:T) lines <- c(lines, sprintf("i%s ~~ 0*w%s1", k, j))
defined <- c("forth := xm*my", "back := ym*mx", "total_forth := xx*xy + xm*my + xy*yy", "total_back := yy*yx + ym*mx + yx*xx",
             "direct_forth := xx*xy + xy*yy", "direct_back := yy*yx + yx*xx")
run <- function(...) lavaan(c(unique(lines), defined), d, missing = "fiml", estimator = "MLR", auto.var = TRUE,
                            int.ov.free = TRUE, meanstructure = TRUE, em.h1.tol = 1e-12, em.h1.iter.max = 10000, ...)
fit <- run()                                       # then tighter from there, as far as the optimiser can go
for (tolerance in c(1e-11, 1e-12, 1e-13)) {
  more <- suppressWarnings(run(start = parTable(fit), optim.force.converged = TRUE,
                               control = list(rel.tol = tolerance, iter.max = 20000, eval.max = 40000)))
  if (as.numeric(logLik(more)) > as.numeric(logLik(fit))) fit <- more
}
stopifnot(lavInspect(fit, "converged"))
p <- parameterEstimates(fit); own <- p[p$op == ":=", ]
V <- diag(lavInspect(fit, "cov.lv")); sd <- function(k, t) sqrt(V[[sprintf("w%s%d", k, t)]])
b <- coef(fit); lag <- function(j, i) unname(b[paste0(j, i)][1])
two <- function(value, from, to) mean(sapply(1:(T - 2), function(t) value * sd(from, t) / sd(to, t + 2)))
one <- function(from, to) mean(sapply(1:(T - 1), function(t) lag(from, to) * sd(from, t) / sd(to, t + 1)))
raw <- setNames(own$est, own$label)
standardised <- list(
  forth = list(first_leg = one("x", "m"), second_leg = one("m", "y"), indirect = two(raw[["forth"]], "x", "y"),
               total = two(raw[["total_forth"]], "x", "y"), direct = two(raw[["direct_forth"]], "x", "y")),
  back = list(first_leg = one("y", "m"), second_leg = one("m", "x"), indirect = two(raw[["back"]], "y", "x"),
              total = two(raw[["total_back"]], "y", "x"), direct = two(raw[["direct_back"]], "y", "x")))
write_json(list(lavaan = as.character(packageVersion("lavaan")), loglik = as.numeric(logLik(fit)),
                raw = as.list(raw), errors = as.list(setNames(own$se, own$label)), standardised = standardised),
           "pathways.json", auto_unbox = TRUE, digits = 12, pretty = TRUE)
