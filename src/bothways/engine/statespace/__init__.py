"""Linear stochastic processes seen at irregular times: exact likelihood, its gradient, fits and what follows of them."""
