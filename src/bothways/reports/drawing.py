"""The sheet that figures are drawn on: one size, colours that follow the page, the same bytes for the same facts."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

WIDTH = 352.0  # points: the width at which type of 12 points still reads on a phone
SENTINELS: Mapping[str, tuple[str, str]] = {
    "ink": ("#010203", "#1f2a33"),
    "soft": ("#010204", "#5b6b76"),
    "line": ("#010205", "#c9d2d8"),
    "band": ("#010206", "#eef1f3"),
    "paper": ("#010207", "#ffffff"),
    "a_to_b": ("#010208", "#0b6a88"),
    "b_to_a": ("#010209", "#a8481f"),
}
"""By name: the colour that matplotlib is given, and the one that stands where no page says otherwise."""

INK, SOFT, LINE, BAND, PAPER = (SENTINELS[k][0] for k in ("ink", "soft", "line", "band", "paper"))
WAY = {"a_to_b": SENTINELS["a_to_b"][0], "b_to_a": SENTINELS["b_to_a"][0], "joint": SOFT}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bothways",
    "font.size": 12,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def sheet(height: float) -> Any:
    """An empty figure of the report's width and ``height`` points; one unit of its canvas is one point."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH / 72, height / 72), dpi=72)


def canvas(height: float) -> tuple[Any, Any]:
    """A figure and an axes that covers it, in points from the upper left corner."""
    figure = sheet(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def svg_of(figure: Any, key: str, title: str, alt: str) -> str:
    """The figure as inline SVG: text as text, colours as variables of the page, titled for screen readers."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return dress(out.getvalue(), key, title, alt)


def dress(svg: str, key: str, title: str, alt: str) -> str:
    """Raw matplotlib SVG -> SVG for a page: no prolog, own ids, page colours, a role, a title and a description."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    for name, (sentinel, fallback) in SENTINELS.items():
        body = body.replace(sentinel, f"var(--{name.replace('_', '-')}, {fallback})")
    body = re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", body))
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda m: m.group(0) if m.group(1) in used else "", body)
    body = body.replace("'DejaVu Sans'", "inherit")
    body = re.sub(r"font: (\d+(?:\.\d+)?)px [^;\"]*", r"font-size: \1px", body)
    body = re.sub(r"font: (\w+) (\d+(?:\.\d+)?)px [^;\"]*", r"font-weight: \1; font-size: \2px", body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', body)
    body = re.sub(r'(xlink:href="#|url\(#)', rf"\1{key}-", body)
    head_end = body.index(">") + 1
    view = re.search(r'viewBox="([^"]+)"', body[:head_end])
    named = f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(alt)}</desc>'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view.group(1) if view else ""}" role="img" aria-labelledby="{key}-title {key}-desc">'
    )
    return f"{opening}{named}{body[head_end:]}".strip()


def escape(text: str) -> str:
    """Text that may stand inside SVG."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines of at most ``width`` letters, broken between words."""
    import textwrap

    return textwrap.wrap(text, width) or [""]
