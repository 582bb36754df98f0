"""Shape checks are on in the tests: every jaxtyping annotation of the package is verified at each call.

Compiled kernels are exempt, because numba must see the plain function.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

PACKAGE = Path(__file__).parents[1] / "src" / "bothways"


def _checked_modules() -> list[str]:
    """Every module of the package but the compiled kernels."""
    names = []
    for place in sorted(PACKAGE.iterdir()):
        if place.name in ("engine", "simulation"):
            room = f"bothways.{place.name}"
            names += [f"{room}.{f.stem}" for f in place.glob("*.py") if f.stem not in ("__init__", "kernels")]
            names += [
                f"{room}.{d.name}" for d in place.iterdir() if d.is_dir() and d.name not in ("kernels", "__pycache__")
            ]
        elif place.suffix == ".py" and place.stem != "__init__":
            names.append(f"bothways.{place.stem}")
        elif (place / "__init__.py").exists():
            names.append(f"bothways.{place.name}")
    return names


install_import_hook(_checked_modules(), "shape_checks.check")

settings.register_profile("bothways", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bothways")


@pytest.fixture(scope="session")
def open_data() -> Path:
    """The folder of real open data, where there is one; tests that ask for it are skipped elsewhere."""
    place = os.environ.get("BOTHWAYS_DATA", "")
    if not place or not Path(place).is_dir():
        pytest.skip("BOTHWAYS_DATA does not name the folder of open data")
    return Path(place)
