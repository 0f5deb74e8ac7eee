"""Shapes of a chart as SVG: rows of bars or of dots on one axis. Knows themes and places, but no results.

A row is a Row; a panel is a heading and its rows. Every row carries its value as text, so that no reader has to
measure a bar. Colours are never the only sign: marks differ in shape as well.
"""

import math
from dataclasses import dataclass
from html import escape

WIDTH, LABEL, VALUE, LINE, GAP, TOP = 850, 344, 130, 21, 30, 66
PLOT = WIDTH - LABEL - VALUE

THEMES = {
    "light": {"paper": "#ffffff", "ink": "#1f2328", "soft": "#59636e", "line": "#d1d9e0", "own": "#bc4c00",
              "peer": "#7d8b99", "good": "#1a7f37", "near": "#9a6700", "bad": "#cf222e"},
    "dark": {"paper": "#0d1117", "ink": "#e6edf3", "soft": "#9198a1", "line": "#30363d", "own": "#f0883e",
             "peer": "#8b98a5", "good": "#3fb950", "near": "#d29922", "bad": "#f85149"},
}


@dataclass
class Row:
    label: str
    spread: list
    value: str
    kind: str = "peer"
    # Marks on the axis besides the figure: the goal of a bar, the floor of a dot.
    tick: float = None


@dataclass
class Axis:
    """From `low` to `high`, linear or logarithmic, with lines at `lines` as (place, text); `strong` is one of them."""

    low: float
    high: float
    lines: list
    logarithmic: bool = False
    strong: float = None

    def x(self, value):
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return LABEL + share * PLOT


def text(x, y, words, style, anchor="start"):
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def bar(axis, row, y):
    end = axis.x(row.spread[1])
    low, high = axis.x(row.spread[0]), axis.x(row.spread[2])
    length = max(end - LABEL, 1)
    parts = [f'<rect class="{row.kind}" x="{LABEL}" y="{y + 4}" width="{length:.1f}" height="{LINE - 8}" rx="2"/>']
    if high - low > 2:
        parts.append(line(low, y + LINE / 2, high, y + LINE / 2, "spread"))
    if row.tick is not None:
        parts.append(line(axis.x(row.tick), y + 1, axis.x(row.tick), y + LINE - 1, "goal"))
    return parts


def dot(axis, row, y):
    """A disc; a diamond for `near`, a square for `bad`; a triangle where the figure lies beyond the axis."""
    x, middle = axis.x(row.spread[1]), y + LINE / 2
    parts = []
    low, high = axis.x(row.spread[0]), axis.x(row.spread[2])
    if high - low > 10:
        parts.append(line(low, middle, high, middle, f"reach {row.kind}"))
    if row.tick is not None:
        parts.append(line(axis.x(row.tick), y + 4, axis.x(row.tick), y + LINE - 4, "tick"))
    if row.spread[1] < axis.low or row.spread[1] > axis.high:
        turn = -5 if row.spread[1] < axis.low else 5
        shape = f"M{x - turn:.1f} {middle - 5}L{x + turn:.1f} {middle}L{x - turn:.1f} {middle + 5}Z"
    elif row.kind == "near":
        shape = f"M{x:.1f} {middle - 6}l6 6l-6 6l-6 -6Z"
    elif row.kind == "bad":
        shape = f"M{x - 4.5:.1f} {middle - 4.5}h9v9h-9Z"
    else:
        parts.append(f'<circle class="{row.kind}" cx="{x:.1f}" cy="{middle}" r="5"/>')
        return parts
    return [*parts, f'<path class="{row.kind}" d="{shape}"/>']


def grid_lines(axis, top, bottom):
    parts = []
    for place, words in axis.lines:
        style = "strong" if place == axis.strong else "grid"
        parts += [line(axis.x(place), top, axis.x(place), bottom, style),
                  text(axis.x(place), bottom + 14, words, "axis", "middle")]
    return parts


def panel(axis, heading, rows, mark, y):
    """The shapes of a panel whose heading stands at y, and where the next one begins."""
    parts = [text(16, y + 14, heading, "heading")] if heading else []
    y += 22 if heading else 0
    bottom = y + LINE * len(rows)
    parts += grid_lines(axis, y, bottom)
    for index, row in enumerate(rows):
        top = y + LINE * index
        style = "own-label" if row.kind == "own" else "label"
        parts.append(text(LABEL - 12, top + 15, row.label, style, "end"))
        parts += mark(axis, row, top)
        parts.append(text(LABEL + PLOT + 12, top + 15, row.value, style))
    return parts, bottom + GAP


def style(theme):
    kinds = "".join(f".{kind} {{ fill: {theme[kind]}; stroke: {theme[kind]}; stroke-width: 0 }}\n"
                    for kind in ("own", "peer", "good", "near", "bad"))
    return f"""text {{ font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: {theme['ink']} }}
.title {{ font-size: 16px; font-weight: 600 }}
.heading, .own-label {{ font-weight: 600 }}
.soft, .axis {{ fill: {theme['soft']} }}
.axis {{ font-size: 11px }}
.grid {{ stroke: {theme['line']} }}
.strong {{ stroke: {theme['ink']}; stroke-width: 1.5 }}
{kinds}.spread {{ stroke: {theme['ink']}; stroke-width: 1.5; opacity: .65 }}
.reach {{ stroke-width: 2.5; opacity: .55 }}
.goal {{ stroke: {theme['ink']}; stroke-width: 2 }}
.tick {{ stroke: {theme['soft']}; stroke-width: 2 }}"""


def chart(theme, title, subtitle, panels, mark):
    """A whole chart: `panels` is a list of (axis, heading, rows)."""
    parts, y = [text(16, 26, title, "title"), text(16, 46, subtitle, "soft")], TOP
    for axis, heading, rows in panels:
        shapes, y = panel(axis, heading, rows, mark, y)
        parts += shapes
    height = y + 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title, quote=True)}">\n<style>\n{style(THEMES[theme])}\n</style>\n'
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{THEMES[theme]["paper"]}"/>\n'
        + "\n".join(parts) + "\n</svg>\n"
    )
