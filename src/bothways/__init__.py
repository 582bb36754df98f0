"""bothways: which of two conditions came first, does it run both ways, and how sure are we?

>>> import bothways as bw
>>> study = bw.ask(bw.read("panel.csv", topic="depression-back-pain"))  # doctest: +SKIP
>>> study.report("answer.html")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bothways.simulation import simulate
    from bothways.study import Study, ask, ask_world, load, look, read, weigh
    from bothways.study import planning as power
    from bothways.study.evidence import evidence
    from bothways.study.syntax import export_syntax
    from bothways.terms.errors import BothwaysError
    from bothways.terms.layout import Layout
    from bothways.terms.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "BothwaysError",
    "Layout",
    "Settings",
    "Study",
    "__version__",
    "ask",
    "ask_world",
    "evidence",
    "export_syntax",
    "load",
    "look",
    "power",
    "read",
    "simulate",
    "weigh",
]

_HOMES = {
    "ask": "bothways.study",
    "ask_world": "bothways.study",
    "load": "bothways.study",
    "look": "bothways.study",
    "weigh": "bothways.study",
    "read": "bothways.study",
    "Study": "bothways.study",
    "simulate": "bothways.simulation",
    "BothwaysError": "bothways.terms.errors",
    "Layout": "bothways.terms.layout",
    "Settings": "bothways.terms.settings",
    "evidence": "bothways.study",
    "export_syntax": "bothways.study",
}
_ROOMS = {"power": "bothways.study.planning"}


def __getattr__(name: str) -> Any:
    """Load a public name at its first use, so that ``import bothways`` stays light."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(_ROOMS[name])
    raise AttributeError(f"module 'bothways' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
