"""Linear stochastic processes seen at irregular times: exact likelihood and gradient, fits and what follows of them."""
