"""The direction of imports: which folder may know of which. See CONTRIBUTING.md for the map."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "bothways"

MIDDLE = {"topics", "intake", "simulation", "verdicts", "reports", "keeping"}
ALLOWED = {
    "terms": set(),
    "engine": set(),
    **{room: {"terms"} for room in MIDDLE},
    "designs": {"terms", "engine"},
    "study": {"terms", "designs", *MIDDLE},
    "cli": {"terms", "study", "simulation", "reports"},
    "web": {"terms", "study", "simulation", "reports"},
    "__init__": {"terms", "study", "simulation"},
    "__main__": {"cli"},
}
FRAME_LIBRARIES = {"polars", "narwhals", "pandas", "pyarrow", "pyreadstat", "fastexcel"}
ENGINE_LIBRARIES = {"numpy", "scipy", "numba", "jaxtyping"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    """Every dotted name that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: imports are written in full"
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names} if module == "bothways" else {module}
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_room_imports_only_what_its_floor_allows(file: Path) -> None:
    room = room_of(file)
    own = {name.split(".")[1] for name in imported(file) if name.startswith("bothways.")}
    assert own - {room} <= ALLOWED[room], f"{room} may import {sorted(ALLOWED[room])}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_only_one_room_names_a_data_frame_library(file: Path) -> None:
    tops = {name.split(".")[0] for name in imported(file)}
    if not file.relative_to(PACKAGE).as_posix().startswith("intake/table/"):
        assert not tops & FRAME_LIBRARIES


@pytest.mark.parametrize("file", [f for f in FILES if room_of(f) == "engine"], ids=lambda f: f.name)
def test_the_engine_knows_arrays_only(file: Path) -> None:
    import sys

    tops = {name.split(".")[0] for name in imported(file)} - {"bothways", "__future__"}
    assert tops <= ENGINE_LIBRARIES | set(sys.stdlib_module_names)


def test_simulation_is_a_witness_apart() -> None:
    rooms = {
        name.split(".")[1] for f in FILES if room_of(f) == "simulation" for name in imported(f) if "bothways." in name
    }
    assert not rooms & {"engine", "designs"}


def test_nothing_imports_a_face() -> None:
    for file in FILES:
        if room_of(file) not in ("cli", "web", "__main__"):
            assert not {n for n in imported(file) if n.startswith(("bothways.cli", "bothways.web"))}, file
