"""The command line: a face over ``study``, ``simulation`` and ``reports``; it alone prints and sets exit codes."""

from __future__ import annotations

from bothways.cli.main import main

__all__ = ["main"]
