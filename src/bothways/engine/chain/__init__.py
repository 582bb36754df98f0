"""Markov chains in continuous time, seen at visits or dated: likelihood, fit, and functions of the generator."""
