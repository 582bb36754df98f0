"""Rounding for people. The only place where a number loses digits; facts keep them all."""

from __future__ import annotations

import math

MISSING = "–"
RATIOS = frozenset({"hazard_ratio", "rate_ratio", "odds_ratio", "risk_ratio", "prevalence_ratio"})
STEPS = frozenset({"sd_per_sd", "sd", "correlation"})
SHARES = frozenset({"share", "probability", "risk_difference"})


CLOSEST = 5e-6  # a limit that lies no further from no effect than this is told as no effect


def usable(x: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)


def number(x: float | int | None, digits: int = 2) -> str:
    """A number with ``digits`` decimals (fewer from 100 on), a true minus sign and thousands apart."""
    if x is None or not usable(x):
        return MISSING
    places = 0 if isinstance(x, int) or abs(x) >= 100 else 1 if abs(x) >= 10 else digits
    text = f"{x:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def percent(x: float | None) -> str:
    """A share as a percentage without decimals; one that would round to none or all keeps as many as it needs."""
    if x is None or not usable(100 * x):
        return MISSING
    whole = 0.01 <= abs(x) <= 0.99 or x in (0, 1)
    places = 0 if whole else next((d for d in (1, 2) if round(100 * abs(x), d) not in (0, 100)), 3)
    return f"{100 * x:.{places}f}%".replace("-", "−")


def on_scale(x: float | None, scale: str) -> str:
    """A number as its scale is read: shares as percentages, small standardised steps with three decimals."""
    if x is None:
        return MISSING
    if scale in SHARES:
        return percent(x)
    fine = scale in STEPS and usable(x) and 0.0005 <= abs(x) < 0.0095
    return number(float(x), 3 if fine else 2)


def interval(value: float | None, low: float | None, high: float | None, scale: str) -> str:
    """ "0.12 (0.05 to 0.19)"; all three with the decimals of the finest."""
    if value is None:
        return MISSING
    point, below, above = together((value, low, high), scale)
    return f"{point} ({below} to {above})"


def together(values: tuple[float | None, ...], scale: str) -> tuple[str, ...]:
    """An estimate and its limits, side by side, with the decimals that the finest of them needs.

    On standardised scales all have three decimals where one lies near none; on every scale but shares all have as many
    (five at most) as keep each limit on its own side of no effect: 1.004 never stands as 1.00.
    """
    if scale in SHARES:
        return tuple(on_scale(x, scale) for x in values)
    small = scale in STEPS and any(x is not None and usable(x) and 0.0005 <= abs(x) < 0.0095 for x in values)
    none = 1.0 if scale in RATIOS else 0.0
    limits = [x for x in values[1:] if x is not None and usable(x) and abs(x - none) >= CLOSEST]
    digits = next((d for d in range(3 if small else 2, 5) if all(_sided(x, none, d) for x in limits)), 5)
    return tuple(number(x, digits) for x in values)


def _sided(x: float, none: float, digits: int) -> bool:
    """Whether ``x`` still lies where it did, above or below ``none``, once it has ``digits`` decimals."""
    shown = round(x, digits)
    return (shown > none) == (x > none) and (shown < none) == (x < none)


def p_value(p: float | None) -> str:
    """Two significant digits, never "0"."""
    if p is None or not usable(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def count(n: float | int | None) -> str:
    """Whole things, thousands apart."""
    return MISSING if n is None or not usable(n) else f"{round(n):,}"


def counted(n: int, one: str, many: str = "") -> str:
    """``1 row``, ``2,310 rows``."""
    return f"{n:,} {one if n == 1 else (many or one + 's')}"


def about(n: float | None) -> str:
    """A rough count: two significant digits."""
    if n is None or not usable(n) or n <= 0:
        return MISSING
    size = 10 ** max(math.floor(math.log10(n)) - 1, 0)
    return f"{math.ceil(n / size) * size:,}"


def duration(days: float | None, waves: float | None = None) -> str:
    """A lag in the unit that people use for it: minutes, hours, days, weeks, months, years; else waves."""
    if days is None or not usable(days):
        if waves is None or not usable(waves):
            return MISSING
        whole = round(waves) if float(waves).is_integer() else waves
        return "one wave" if waves == 1 else f"{number(whole, 1)} waves"
    if days * 1440 < 1:
        return "under 1 minute"
    if days > 100 * 365.25:
        return "over 100 years"
    short = ((1 / 24, "minute", 1 / 1440), (1.0, "hour", 1 / 24))
    units = (*short, (14.0, "day", 1.0), (63.0, "week", 7.0), (730.0, "month", 30.4375))
    for limit, name, size in units:
        if days < limit:
            return _amount(days / size, name)
    return _amount(days / 365.25, "year")


def _amount(x: float, unit: str) -> str:
    text = f"{x:.0f}" if abs(x - round(x)) < 0.05 * max(x, 1) or x >= 10 else f"{x:.1f}"
    return f"{text} {unit}" + ("" if text == "1" else "s")


def cell(x: object) -> str:
    """A table's cell: numbers rounded, the rest as it stands."""
    if x is None:
        return MISSING
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, int):
        return f"{x:,}".replace("-", "−")
    if isinstance(x, float):
        fine = 0 < abs(x) < 0.095
        return number(x, 3 if fine else 2) if not x.is_integer() else f"{x:,.0f}".replace("-", "−")
    return str(x)
