# random-intercept cross-lagged panel model, lags equal over time
library(lavaan)
data <- read.csv("panel.csv")
model <- '
  b1 =~ 1*depression_1 + 1*depression_2 + 1*depression_3 + 1*depression_4
  b2 =~ 1*back_pain_1 + 1*back_pain_2 + 1*back_pain_3 + 1*back_pain_4
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
  b1 ~~ Phi11*b1
  b2 ~~ Phi21*b1
  b2 ~~ Phi22*b2
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
  depression_1 ~ mean.y1_1*1
  back_pain_1 ~ mean.y2_1*1
  depression_2 ~ mean.y1_2*1
  back_pain_2 ~ mean.y2_2*1
  depression_3 ~ mean.y1_3*1
  back_pain_3 ~ mean.y2_3*1
  depression_4 ~ mean.y1_4*1
  back_pain_4 ~ mean.y2_4*1
'
fit <- lavaan(model, data = data, missing = "fiml", estimator = "MLR", meanstructure = TRUE,
              int.ov.free = FALSE, int.lv.free = FALSE, fixed.x = FALSE, cluster = "cluster")
summary(fit, fit.measures = TRUE, standardized = TRUE)
