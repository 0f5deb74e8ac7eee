"""Draws results as one SVG: a bar for each engine's wall time, in times of fuelbox's, case by case."""

from html import escape

WIDTH, LABEL, BAR, LINE, GAP = 720, 170, 380, 18, 16
# The longest bar; what is beyond it is cut off and says how much it is.
MOST = 3.0

# Ink follows the reader's setting; the bars are told apart in both.
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.case { font-weight: 600 }
.own { fill: #c2571a }
.peer { fill: #6e7f91 }
.line { stroke: #24292f; stroke-dasharray: 2 3; opacity: .5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .own { fill: #f0883e }
  .peer { fill: #8b9bab }
  .line { stroke: #e6edf3 }
}
"""


def bar(y, engine, wall, own):
    ratio = wall / own
    length = min(ratio, MOST) / MOST * BAR
    style = "own" if engine == "fuelbox" else "peer"
    cut = " →" if ratio > MOST else ""
    return [
        f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(engine)}</text>',
        f'<rect class="{style}" x="{LABEL}" y="{y + 3}" width="{length:.1f}" height="{LINE - 5}" rx="2"/>',
        f'<text x="{LABEL + length + 6:.1f}" y="{y + 13}">{ratio:.2f} × ({wall / 1000:.2f} ms){cut}</text>',
    ]


def draw(results):
    """The SVG's text; only cases of whole processes have bars."""
    parts, y = [], 30
    for case, result in results.items():
        if not isinstance(result, dict):
            continue
        # What was timed within a process is no whole one.
        figures = {engine: values for engine, values in result["figures"].items() if "cpu" in values}
        own = figures["fuelbox"]["wall"]
        parts.append(f'<text class="case" x="8" y="{y + 13}">{escape(case)}</text>')
        top = y
        for engine, values in sorted(figures.items(), key=lambda item: item[1]["wall"]):
            parts += bar(y, engine, values["wall"], own)
            y += LINE
        x = LABEL + BAR / MOST
        parts.append(f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y}"/>')
        y += GAP
    head = '<text x="8" y="16">Wall time of whole processes beside fuelbox: shorter is faster</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" role="img" '
        f'aria-label="Wall time of fuelbox and its peers">\n<style>{STYLE}</style>\n'
        + "\n".join([head, *parts]) + "\n</svg>\n"
    )
