"""One model for several groups: their likelihoods add, and parameters are free or equal between them."""

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from bothways.engine.panel_models.builder import PathModel, grouped
from bothways.engine.parameters import Curve, ParameterMap


def over_groups(model: PathModel, groups: int, equal: Collection[str] = ()) -> PathModel:
    """`model` in each of `groups` groups.

    `equal` names what the groups share: whole labels ("B21") or the letters before the first digit, underscore or dot
    ("B": all lags, "mean": all means, "Phi", "Psi", "lambda"). Every other parameter is free: "B21@1", "B21@2", ...

    Raises ValueError for a name in `equal` that the model does not have.
    """
    known = set(model.names) | {family(name) for name in model.names}
    if unknown := set(equal) - known:
        raise ValueError(f"no parameter or family called {', '.join(sorted(unknown))} in this model")
    shared = [name in equal or family(name) in equal for name in model.names]
    own = [
        [name if same else grouped(name, g) for name, same in zip(model.names, shared, strict=True)]
        for g in range(groups)
    ]
    names = tuple(dict.fromkeys(name for group in own for name in group))
    base, cells = model.parameters, len(model.parameters.offset)
    linear = np.zeros((groups * cells, len(names)))
    curves = []
    for g in range(groups):
        columns = [names.index(name) for name in own[g]]
        linear[g * cells : (g + 1) * cells, columns] = base.linear
        for curve in base.curves:
            inputs = tuple(columns[i] for i in curve.inputs)
            outputs = tuple(g * cells + out for out in curve.outputs)
            curves.append(Curve(inputs, outputs, curve.function))
    parameters = ParameterMap(names, np.tile(base.offset, groups), linear, tuple(curves))
    return replace(model, parameters=parameters, groups=groups)


def family(name: str) -> str:
    """The letters a parameter's name begins with: 'Psi21_3' -> 'Psi'."""
    found = re.match(r"[A-Za-z]+", name)
    return found.group() if found else name
