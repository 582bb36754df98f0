"""Structural models of panels, one file a family; each returns a `PathModel`.

Processes are numbered 1..K and waves 1..T. Observed variables stand in the order x1, y1, x2, y2, ... (all processes
of wave 1, then wave 2, ...), additional variables after them.
"""
