# The scripts that bothways exports (exported/*.R), fitted by lavaan 0.6-14, R 4.2 (Debian bookworm).
# Run from this folder: Rscript exported.R
# Writes the data it simulates to data/exported.csv (wide, 4 decimals, empty = missing) and what each script found to
# exported.json: log-likelihood, chi-square (plain and scaled), estimates and robust standard errors by label.
suppressMessages({ library(lavaan); library(jsonlite) })
set.seed(20260322)
people <- 400; waves <- 4
days <- c(0, 90, 270, 330)                              # unequal gaps: 90, 180 and 60 days
clinic <- sample(1:40, people, replace = TRUE)
age <- round(rnorm(people, 48, 12)); sex <- rbinom(people, 1, 0.6)
place <- matrix(rnorm(40 * 3, 0, 0.5), 40)[clinic, ]
b <- matrix(rnorm(people * 3), people) %*% chol(matrix(c(1, .4, .3, .4, 1, .3, .3, .3, 1), 3)) + place
b <- b + cbind(0.02 * (age - 48), 0.3 * sex, 0)
w <- matrix(rnorm(people * 3), people) %*% chol(diag(3) * 0.7 + 0.3)
B <- matrix(c(.35, .15, .05, .10, .40, .05, .10, .05, .30), 3)
d <- data.frame(row.names = seq_len(people))
for (t in 1:waves) {
  if (t > 1) w <- w %*% t(B) + matrix(rnorm(people * 3), people) %*% chol(diag(3) * 0.6 + 0.15)
  for (k in 1:3) d[[sprintf("%s_%d", c("depression", "back_pain", "sleep")[k], t)]] <-
    c(9, 4, 6)[k] + c(3, 1.5, 2)[k] * exp(0.25 * (b[, k] + w[, k]))
}
d[matrix(runif(prod(dim(d))) < 0.08, nrow(d))] <- NA
gone <- rep(FALSE, people)
for (t in 2:waves) {
  before <- d[[sprintf("depression_%d", t - 1)]]
  gone <- gone | (!is.na(before) & runif(people) < plogis(-3 + 0.2 * (before - 12)))
  d[gone, sprintf("%s_%d", c("depression", "back_pain", "sleep"), t)] <- NA
}
d$age <- age; d$sex <- sex; d$cluster <- clinic
d <- round(d, 4)
write.csv(d, "data/exported.csv", row.names = FALSE, na = "", quote = FALSE)

answers <- list()
place <- tempfile(); dir.create(place)
file.copy("data/exported.csv", file.path(place, "panel.csv"))
for (script in list.files("exported", "[.]R$", full.names = TRUE)) {
  here <- normalizePath(script); room <- new.env(); back <- setwd(place)
  invisible(capture.output(sys.source(here, room)))
  setwd(back)
  found <- parTable(room$fit); found <- found[found$free > 0 & found$label != "", ]
  found <- found[!duplicated(found$label), ]
  index <- fitMeasures(room$fit, c("chisq", "chisq.scaled", "chisq.scaling.factor", "df"))
  answers[[sub("[.]R$", "", basename(script))]] <- list(
    loglik = as.numeric(logLik(room$fit)), chisq = index[["chisq"]], df = index[["df"]],
    chisq_scaled = index[["chisq.scaled"]], scaling = index[["chisq.scaling.factor"]],
    estimates = as.list(setNames(found$est, found$label)), errors = as.list(setNames(found$se, found$label)))
}
answers$versions <- list(lavaan = as.character(packageVersion("lavaan")), R = R.version.string)
write_json(answers, "exported.json", digits = 12, auto_unbox = TRUE, pretty = TRUE)
