# The peer of benchmarks/panel.py: the same jobs by lavaan, on the data that script wrote. CPU seconds as JSON.
# Usage: Rscript panel_lavaan.R FOLDER DRAWS FITS REPEATS
suppressMessages({ library(lavaan); library(jsonlite) })
args <- commandArgs(TRUE); folder <- args[1]; draws <- as.integer(args[2]); fits <- as.integer(args[3]); repeats <- as.integer(args[4])
cpu <- function(expr) { gc(); before <- proc.time(); force(expr); sum((proc.time() - before)[c("user.self", "sys.self")]) }

waves <- 1:5
model <- c(
  sprintf("b%d =~ %s", 1:2, sapply(1:2, function(k) paste0("1*y", k, "_", waves, collapse = " + "))),
  "b1 ~~ b1 + b2", "b2 ~~ b2",
  sprintf("w%d_%d =~ 1*y%d_%d", rep(1:2, 5), rep(waves, each = 2), rep(1:2, 5), rep(waves, each = 2)),
  sprintf("w1_%d ~ B11*w1_%d + B12*w2_%d", 2:5, 1:4, 1:4), sprintf("w2_%d ~ B21*w1_%d + B22*w2_%d", 2:5, 1:4, 1:4),
  sprintf("w1_%d ~~ w1_%d + w2_%d", waves, waves, waves), sprintf("w2_%d ~~ w2_%d", waves, waves))
model <- paste(model, collapse = "\n")
one <- function(d, ...) lavaan(model, data = d, estimator = "MLR", missing = "ml", meanstructure = TRUE, int.ov.free = TRUE, fixed.x = FALSE, ...)
answer <- function(d) { fit <- one(d); list(fit = fit, table = parameterEstimates(fit), indices = fitMeasures(fit)) }

out <- list(version = as.character(packageVersion("lavaan")), blas = extSoftVersion()[["BLAS"]])
for (file in list.files(folder, "^people_.*csv$")) {
  d <- read.csv(file.path(folder, file)); n <- nrow(d); found <- NULL
  times <- replicate(if (n > 10000) 1 else repeats, cpu(found <<- answer(d)))
  out[[sprintf("fit_%d", n)]] <- list(seconds = median(times), logl = unname(found$indices["logl"]), cfi = unname(found$indices["cfi.robust"]),
    B21 = unname(coef(found$fit)["B21"]), se = found$table$se[found$table$label == "B21"][1])
  if (n <= 10000) {  # bootstrapLavaan stops with an error on such data in 0.6-14; its loop by hand, from the estimates, without extras
    set.seed(1); start <- parTable(found$fit); kept <- 0
    seconds <- cpu(for (r in seq_len(draws)) {
      again <- try(one(d[sample(n, replace = TRUE), ], start = start, se = "none", test = "none", baseline = FALSE, h1 = FALSE), silent = TRUE)
      kept <- kept + !inherits(again, "try-error")
    })
    out$bootstrap <- list(seconds = seconds, draws = draws, kept = kept)
  }
}
covs <- as.matrix(read.csv(file.path(folder, "covariances.csv"), header = FALSE)); p <- 10; names <- sprintf("y%d_%d", rep(1:2, 5), rep(waves, each = 2))
B21 <- NULL; se <- NULL
out$batch <- list(fits = fits, seconds = cpu(for (r in seq_len(fits)) {
  S <- matrix(covs[r, ], p, dimnames = list(names, names))
  fit <- lavaan(model, sample.cov = S, sample.nobs = 1000, sample.cov.rescale = FALSE)
  B21 <- c(B21, coef(fit)[["B21"]]); se <- c(se, sqrt(vcov(fit)["B21", "B21"]))
}))
out$batch$B21 <- B21; out$batch$se <- se
cat(toJSON(out, auto_unbox = TRUE, digits = NA))
