"""Every model that a design may name has words: a report prints no key."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bothways
from bothways.reports.vocabulary import MODELS
from bothways.reports.wording import model_label

DESIGNS = Path(bothways.__file__).parent / "designs"
MAKERS = {"Fitted", "fitted", "fitted_chain", "Form"}
"""What designs make their models with, the key first (``fitted_chain``: the first text among its arguments)."""
CONSTANTS = {"MODEL", "G_FORMULA", "WEIGHTING"}


def emitted() -> Iterator[str]:
    """Every text that a design hands on as the key of a model: to a maker, as ``model=``, or by a constant's name."""
    for path in DESIGNS.rglob("*.py"):
        if path.parent.name == "literature":  # published studies: words already
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield from _in_call(node)
            elif isinstance(node, ast.Assign):
                yield from _in_constant(node)


def _in_call(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id in MAKERS:
        places = node.args if node.func.id == "fitted_chain" else node.args[:1]
        yield from next((found for argument in places if (found := _texts(argument))), [])
    yield from (t for word in node.keywords if word.arg == "model" for t in _texts(word.value))


def _in_constant(node: ast.Assign) -> Iterator[str]:
    names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    for name, value in zip(names, values, strict=False):
        if name in CONSTANTS:
            yield from _texts(value)


def _texts(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_texts(body), *_texts(orelse)]
        case ast.JoinedStr(values=[ast.Constant(value=str() as head), *_]):
            return [head.rstrip()]
        case ast.BinOp(left=ast.Constant(value=str() as head)):
            return [head]
    return []


def test_every_model_has_words() -> None:
    keys = set(emitted())
    assert {"clda", "ri-clpm", "g-formula", "chain", "ct-var", "stages"} <= keys
    assert sorted(key for key in keys if model_label(key) == key and key not in MODELS) == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("clda", "constrained longitudinal model"),
        ("ct-ri-clpm", "RI-CLPM in continuous time"),
        ("ct-var-error-personal", "continuous time, answers with error, each person by themselves"),
        ("chain-by-chronic_pain", "Markov chain of four states, by group"),
        ("one study", "one study"),
    ],
)
def test_a_model_goes_by_words(key: str, words: str) -> None:
    assert model_label(key) == words
