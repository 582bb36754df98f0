# dynamic panel model, lags equal over time
library(lavaan)
data <- read.csv("panel.csv")
model <- '
  a1 =~ 1*depression_2 + 1*depression_3 + 1*depression_4
  a2 =~ 1*back_pain_2 + 1*back_pain_3 + 1*back_pain_4
  depression_2 ~ B11*depression_1 + B12*back_pain_1
  back_pain_2 ~ B21*depression_1 + B22*back_pain_1
  depression_3 ~ B11*depression_2 + B12*back_pain_2
  back_pain_3 ~ B21*depression_2 + B22*back_pain_2
  depression_4 ~ B11*depression_3 + B12*back_pain_3
  back_pain_4 ~ B21*depression_3 + B22*back_pain_3
  a1 ~~ Phi11*a1
  a2 ~~ Phi21*a1
  a2 ~~ Phi22*a2
  depression_1 ~~ C11*a1
  back_pain_1 ~~ C12*a1
  depression_1 ~~ C21*a2
  back_pain_1 ~~ C22*a2
  depression_1 ~~ Psi11_1*depression_1
  back_pain_1 ~~ Psi21_1*depression_1
  back_pain_1 ~~ Psi22_1*back_pain_1
  depression_2 ~~ Psi11_2*depression_2
  back_pain_2 ~~ Psi21_2*depression_2
  back_pain_2 ~~ Psi22_2*back_pain_2
  depression_3 ~~ Psi11_3*depression_3
  back_pain_3 ~~ Psi21_3*depression_3
  back_pain_3 ~~ Psi22_3*back_pain_3
  depression_4 ~~ Psi11_4*depression_4
  back_pain_4 ~~ Psi21_4*depression_4
  back_pain_4 ~~ Psi22_4*back_pain_4
  depression_1 ~ mean.y1_1*1
  back_pain_1 ~ mean.y2_1*1
  depression_2 ~ intercept.y1_2*1
  back_pain_2 ~ intercept.y2_2*1
  depression_3 ~ intercept.y1_3*1
  back_pain_3 ~ intercept.y2_3*1
  depression_4 ~ intercept.y1_4*1
  back_pain_4 ~ intercept.y2_4*1
'
fit <- lavaan(model, data = data, missing = "fiml", estimator = "MLR", meanstructure = TRUE,
              int.ov.free = FALSE, int.lv.free = FALSE, fixed.x = FALSE)
summary(fit, fit.measures = TRUE, standardized = TRUE)
