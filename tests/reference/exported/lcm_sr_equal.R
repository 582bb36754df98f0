# latent curve model with structured residuals, lags equal over time
library(lavaan)
data <- read.csv("panel.csv")
model <- '
  i1 =~ 1*depression_1 + 1*depression_2 + 1*depression_3 + 1*depression_4
  s1 =~ 1*depression_2 + 2*depression_3 + 3*depression_4
  i2 =~ 1*back_pain_1 + 1*back_pain_2 + 1*back_pain_3 + 1*back_pain_4
  s2 =~ 1*back_pain_2 + 2*back_pain_3 + 3*back_pain_4
  w1_1 =~ 1*depression_1
  w2_1 =~ 1*back_pain_1
  w1_2 =~ 1*depression_2
  w2_2 =~ 1*back_pain_2
  w1_3 =~ 1*depression_3
  w2_3 =~ 1*back_pain_3
  w1_4 =~ 1*depression_4
  w2_4 =~ 1*back_pain_4
  w1_2 ~ B11*w1_1 + B12*w2_1
  w2_2 ~ B21*w1_1 + B22*w2_1
  w1_3 ~ B11*w1_2 + B12*w2_2
  w2_3 ~ B21*w1_2 + B22*w2_2
  w1_4 ~ B11*w1_3 + B12*w2_3
  w2_4 ~ B21*w1_3 + B22*w2_3
  i1 ~~ Phi11*i1
  s1 ~~ Phi21*i1
  s1 ~~ Phi22*s1
  i2 ~~ Phi31*i1
  i2 ~~ Phi32*s1
  i2 ~~ Phi33*i2
  s2 ~~ Phi41*i1
  s2 ~~ Phi42*s1
  s2 ~~ Phi43*i2
  s2 ~~ Phi44*s2
  w1_1 ~~ Psi11_1*w1_1
  w2_1 ~~ Psi21_1*w1_1
  w2_1 ~~ Psi22_1*w2_1
  w1_2 ~~ Psi11_2*w1_2
  w2_2 ~~ Psi21_2*w1_2
  w2_2 ~~ Psi22_2*w2_2
  w1_3 ~~ Psi11_3*w1_3
  w2_3 ~~ Psi21_3*w1_3
  w2_3 ~~ Psi22_3*w2_3
  w1_4 ~~ Psi11_4*w1_4
  w2_4 ~~ Psi21_4*w1_4
  w2_4 ~~ Psi22_4*w2_4
  depression_1 ~~ 0*depression_1
  back_pain_1 ~~ 0*back_pain_1
  depression_2 ~~ 0*depression_2
  back_pain_2 ~~ 0*back_pain_2
  depression_3 ~~ 0*depression_3
  back_pain_3 ~~ 0*back_pain_3
  depression_4 ~~ 0*depression_4
  back_pain_4 ~~ 0*back_pain_4
  depression_1 ~ 0*1
  back_pain_1 ~ 0*1
  depression_2 ~ 0*1
  back_pain_2 ~ 0*1
  depression_3 ~ 0*1
  back_pain_3 ~ 0*1
  depression_4 ~ 0*1
  back_pain_4 ~ 0*1
  i1 ~ mean.i1*1
  s1 ~ mean.s1*1
  i2 ~ mean.i2*1
  s2 ~ mean.s2*1
'
fit <- lavaan(model, data = data, missing = "fiml", estimator = "MLR", meanstructure = TRUE,
              int.ov.free = FALSE, int.lv.free = FALSE, fixed.x = FALSE)
summary(fit, fit.measures = TRUE, standardized = TRUE)
