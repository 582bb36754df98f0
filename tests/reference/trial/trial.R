# A randomised comparison of three arms at three waves: lavaan 0.6-14 (FIML with robust errors), lm with sandwich errors
# by hand, and AER's two-stage least squares, R 4.2. Run from this folder: Rscript trial.R
# Writes trial.csv (complete; the column `lost` marks the cells that the incomplete case removes) and trial.json.
suppressMessages({ library(lavaan); library(AER); library(sandwich); library(jsonlite) })
set.seed(7)
n <- 180
arm <- rep(0:2, length.out = n); x1 <- as.numeric(arm == 1); x2 <- as.numeric(arm == 2)
trait <- matrix(rnorm(n * 2), n) %*% chol(matrix(c(1, .4, .4, 1), 2))
w <- matrix(rnorm(n * 2), n); y <- list(trait + w)
push <- list(c(-0.8, 0), c(-0.6, -0.1)); half <- c(0.5, 0.5)
for (t in 1:2) {
  w <- w %*% matrix(c(.4, .05, .35, .4), 2) + matrix(rnorm(n * 2), n) + outer(x1 + 0.4 * x2, push[[t]])
  y[[t + 1]] <- trait + w
}
d <- round(as.data.frame(do.call(cbind, y)), 4); names(d) <- c("a0", "b0", "a1", "b1", "a2", "b2")
leaves <- runif(n) < plogis(-1.5 + 0.7 * d$a1); gone <- runif(n) < 0.08
d <- cbind(arm, d, leaves = as.numeric(leaves), gone = as.numeric(gone))
write.csv(d, "trial.csv", row.names = FALSE)
d$x1 <- x1; d$x2 <- x2

model <- '
  a1 + b1 + a2 + b2 ~ x1 + x2
  a0 ~~ a0 + b0 + a1 + b1 + a2 + b2
  b0 ~~ b0 + a1 + b1 + a2 + b2
  a1 ~~ a1 + b1 + a2 + b2
  b1 ~~ b1 + a2 + b2
  a2 ~~ a2 + b2
  b2 ~~ b2
  x1 ~~ x1 + x2
  x2 ~~ x2
  a0 ~ 1
  b0 ~ 1
  a1 ~ 1
  b1 ~ 1
  a2 ~ 1
  b2 ~ 1
  x1 ~ 1
  x2 ~ 1
'
told <- function(data) {
  fit <- lavaan(model, data, missing = "fiml", estimator = "MLR", fixed.x = FALSE,
                em.h1.tol = 1e-10, control = list(rel.tol = 1e-10))
  p <- parameterEstimates(fit); p <- p[p$op == "~", ]
  list(loglik = as.numeric(logLik(fit)), name = paste0(p$lhs, ",", p$rhs), effect = p$est, error = p$se)
}
holes <- d; holes[d$leaves == 1, c("a2", "b2")] <- NA; holes[d$gone == 1, "b1"] <- NA
hc0 <- function(fit, one) { V <- vcovHC(fit, type = "HC0"); c(coef(fit)[[one]], sqrt(V[one, one])) }

two <- d[d$arm < 2, ]                                               # one arm beside the reference: exact closed forms
ancova <- lapply(c("a1", "b1", "a2", "b2"), function(out) hc0(lm(reformulate(c("x1", "a0", "b0"), out), two), "x1"))
iv <- ivreg(b2 ~ a1 + a0 + b0 | x1 + a0 + b0, data = two)
second <- lm(b2 ~ a1 + b1 + x1 + a0 + b0, two)
left <- function(out) residuals(lm(reformulate(c("b1", "x1", "a0", "b0"), out), two))
first <- lm(a1 ~ x1 + a0 + b0, two); last <- lm(b2 ~ x1 + a0 + b0, two)
X <- model.matrix(first); bread <- solve(crossprod(X))
pieces <- lapply(list(first, last), function(f) X * residuals(f))
joint <- function(i, j) (bread %*% crossprod(pieces[[i]], pieces[[j]]) %*% bread)["x1", "x1"]
V <- matrix(c(joint(1, 1), joint(1, 2), joint(2, 1), joint(2, 2)), 2); ab <- c(coef(first)[["x1"]], coef(last)[["x1"]])
fieller <- function(q) {                                            # roots of (b - beta a)^2 = q Var(b - beta a)
  A <- ab[1]^2 - q * V[1, 1]; B <- -2 * (ab[1] * ab[2] - q * V[1, 2]); C <- ab[2]^2 - q * V[2, 2]
  sort((-B + c(-1, 1) * sqrt(B^2 - 4 * A * C)) / (2 * A))
}
write_json(list(
  complete = told(d), incomplete = told(holes),
  ancova = ancova, iv = hc0(iv, "a1"), fieller_normal = fieller(qchisq(.95, 1)), fieller_t = fieller(qt(.975, 116)^2),
  second = hc0(second, "a1"), partial = cor(left("a1"), left("b2"))
), "trial.json", digits = 15, auto_unbox = TRUE)
