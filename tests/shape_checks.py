"""The checker behind the shape checks: beartype, with an int welcome wherever a float is (PEP 484)."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
