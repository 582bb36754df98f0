"""What every command needs of its surroundings: the rooms of the house, the cache, the typed line, a moving line."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bothways.terms.progress import Progress, silent

CACHE = "BOTHWAYS_CACHE"


def room(name: str) -> ModuleType:
    """A room of the house, loaded when a command needs it."""
    return import_module(f"bothways.{name}")


def cache_folder() -> Path:
    """Where outcomes are remembered: $BOTHWAYS_CACHE, else the platform's own place for caches."""
    stated = os.environ.get(CACHE)
    if stated:
        return Path(stated)
    from platformdirs import user_cache_path  # loaded only where nothing is stated

    return user_cache_path("bothways", appauthor=False)


def typed() -> str:
    """The command that remakes this report, as it was typed."""
    return "bothways " + shlex.join(sys.argv[1:])


@contextmanager
def moving_line() -> Iterator[Progress]:
    """A line that moves while long work goes on; nothing where the output is no terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console  # loaded only where a person is watching
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)
