"""Compiled inner loops; each module is plain arrays in, arrays out, and is imported where it is used."""
