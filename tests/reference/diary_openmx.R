# The smallest case that shows how OpenMx integrates process noise in continuous time.
#
# Three rows of two processes, nothing free: -2 log-likelihood under a symmetric and under an uneven drift. The
# values are read by tests/engine/test_kalman_reference.py, which finds the second of them only when the noise
# integral is taken with A' in place of A.
#
# Run from the folder that holds this file:  Rscript diary_openmx.R
suppressMessages(library(OpenMx))

y <- data.frame(y1 = c(0.3, -0.8, 1.1), y2 = c(-0.2, 0.9, 0.4), time = c(0, 0.7, 1.9))
P0 <- matrix(c(1.2, 0.3, 0.3, 0.9), 2)
Q <- matrix(c(1.0, 0.2, 0.2, 0.5), 2)
R <- diag(c(0.3, 0.4))

minus2 <- function(A) {
  model <- mxModel(
    "steps",
    mxMatrix("Full", 2, 2, FALSE, A, name = "A"),
    mxMatrix("Zero", 2, 1, name = "B"),
    mxMatrix("Iden", 2, 2, name = "C", dimnames = list(c("y1", "y2"), c("x1", "x2"))),
    mxMatrix("Zero", 2, 1, name = "D"),
    mxMatrix("Symm", 2, 2, FALSE, Q, name = "Q"),
    mxMatrix("Symm", 2, 2, FALSE, R, name = "R"),
    mxMatrix("Zero", 2, 1, name = "x0"),
    mxMatrix("Symm", 2, 2, FALSE, P0, name = "P0"),
    mxMatrix("Zero", 1, 1, name = "u"),
    mxMatrix("Full", 1, 1, FALSE, labels = "data.time", name = "time"),
    mxExpectationStateSpaceContinuousTime("A", "B", "C", "D", "Q", "R", "x0", "P0", "u", "time"),
    mxFitFunctionML(),
    mxData(y, "raw")
  )
  fit <- mxRun(model, silent = TRUE, useOptimizer = FALSE)
  fit$output$fit
}

symmetric <- matrix(c(-1.0, 0.4, 0.4, -0.6), 2)
uneven <- matrix(c(-1.0, 2.0, 0.0, -0.4), 2) # the second process follows the first, and not the other way round
write(
  sprintf(
    '{"openmx": "%s", "minus2_symmetric": %.12f, "minus2_uneven": %.12f, "minus2_uneven_transposed": %.12f}',
    as.character(packageVersion("OpenMx")), minus2(symmetric), minus2(uneven), minus2(t(uneven))
  ),
  "diary_openmx.json"
)
