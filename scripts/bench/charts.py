"""Which charts there are, and what of the results each shows."""

import math

import engines
import goals
import svg
from svg import Axis, Row
from tables import number


def own(engine):
    return "own" if engine in engines.OWN else "peer"


def quantity(cases, case, name):
    return cases.get(case, {}).get("quantities", {}).get(name)


def bound_of(case, name, engine, cases):
    """The goal of an engine's figure, in the figure's unit."""
    for goal in goals.GOALS:
        if (goal.case, goal.quantity, goal.own) == (case, name, engine) and goal.goal is not None:
            if goal.to is None:
                return goal.goal
            if goal.to not in engines.OWN:
                return goal.goal * quantity(cases, case, name)["figures"][goal.to][1]
    return None


def bars(cases, case, panels, unit):
    """Panels of bars, all on one axis from zero."""
    found = [(heading, name, quantity(cases, case, name)) for heading, name in panels]
    found = [(heading, name, held) for heading, name, held in found if held]
    if not found:
        return []
    every = [(case, name, engine, spread) for _, name, held in found for engine, spread in held["figures"].items()]
    bounds = [bound_of(case, name, engine, cases) or 0 for case, name, engine, _ in every]
    most = max([spread[2] for *_, spread in every] + bounds)
    step = nice_step(most)
    end = step * math.ceil(most / step)
    lines = [(place * step, f"{place * step:,g}") for place in range(int(round(end / step)) + 1)]
    axis = Axis(0, end, lines)
    return [
        (axis, heading, [
            Row(engines.label(engine), held["figures"][engine], f"{number(held['figures'][engine][1])} {unit}",
                own(engine), bound_of(case, name, engine, cases))
            for engine in engines.ordered(held["figures"])])
        for heading, name, held in found
    ]


def nice_step(most):
    """A step of 1, 2 or 5 times a power of ten, with three to six of them."""
    power = 10 ** math.floor(math.log10(most / 3))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if most / step <= 6)


def dots(cases, panels, base, name):
    """Panels of ratios to `base`, which stands at 1, on one logarithmic axis; the best comes first."""
    held = [(heading, quantity(cases, case, name)) for heading, case in panels]
    held = [(heading, found) for heading, found in held if found and found["ratios"]]
    rows = []
    for heading, found in held:
        ratios = {key.split(" / ")[0]: spread for key, spread in found["ratios"].items() if key.endswith(f" / {base}")}
        ratios[base] = [1, 1, 1]
        rows.append((heading, [
            Row(engines.label(engine), spread, f"{number(spread[1])} ×", own(engine))
            for engine, spread in sorted(ratios.items(), key=lambda item: item[1][1])]))
    if not rows:
        return []
    medians = [row.spread[1] for _, of_case in rows for row in of_case]
    places = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    low = max([place for place in places if place < min(medians)] or places[:1])
    high = min([place for place in places if place > max(medians)] or places[-1:])
    lines = [(place, f"{place:g} ×") for place in places if low <= place <= high]
    return [(Axis(low, high, lines, True, 1), heading, of_case) for heading, of_case in rows]


def goal_row(goal, cases):
    """A goal as a share of it, turned so that less is better everywhere."""
    spread, more = goals.measured(goal, cases), goals.is_more(goal, cases)
    # Growth may be none at all, which a logarithmic axis has no place for.
    shares = sorted(goal.goal / value if more else max(value, 0.001) / goal.goal for value in spread)
    floor = None if goal.floor is None else goal.goal / goal.floor if more else goal.floor / goal.goal
    verdict = goals.verdict(goal, spread[1], more)
    kind = "good" if verdict == "goal met" else "near" if verdict == "floor met" else "bad"
    label = goal.text.replace("`", "").replace("guests in ", "")
    if goal.to in ("wasm3", "/bin/true", "wasmi", "gowasmrunner") and goal.case == "add":
        label += f", to {goal.to}"
    return Row(label, shares, f"{number(spread[1])} ({'≥' if more else '≤'} {goal.goal:,g})", kind, floor)


def goal_panels(cases):
    axis = Axis(0.25, 4, [(0.25, "¼"), (0.5, "½"), (1, "goal"), (2, "2 ×"), (4, "4 ×")], True, 1)
    panels = []
    for group in (goals.GATEWAY, goals.COMPUTE, goals.CALLS, goals.SPACE):
        rows = [goal_row(goal, cases) for goal in goals.GOALS
                if goal.group == group and goal.goal is not None and goals.measured(goal, cases)]
        if rows:
            panels.append((axis, group, rows))
    return panels


COMPUTE = [("fib", "fib"), ("sieve", "sieve"), ("SHA-256", "sha256")]
START = [("add", "add")] + [(f"a line from {name}", f"hello-{name.lower()}") for name in ("C", "Rust", "Go")]
CONNECTIONS = [("16 connections", "16"), ("256 connections", "256")]


def of(kind, cases):
    """Title, subtitle, panels and marks of a chart."""
    if kind == "goals":
        return ("Figures and their goals", "How far each is from its goal: left of the line is better. Disc: met. "
                "Diamond: floor met. Square: missed. Tick: floor.", goal_panels(cases), svg.dot)
    if kind == "computing":
        return ("Computing: CPU time, compared with bare wasmi", "Logarithmic; left is faster. fuelbox meters fuel and "
                "checks a deadline, the others do not. Lines: spread.", dots(cases, COMPUTE, "wasmi", "cpu"), svg.dot)
    if kind == "start":
        return ("Start to end of a short program: wall time, compared with wasmi", "Logarithmic; left is faster. "
                "wasmtime's modules are compiled beforehand.", dots(cases, START, "wasmi", "wall"), svg.dot)
    if kind == "requests":
        panels = [(heading, f"rate {load}") for heading, load in CONNECTIONS]
        return ("Requests per second", "Longer is better. static: musl. processes: guests in processes. "
                "Thin line: spread. Upright line: goal.",
                bars(cases, "gateway", panels, "/s"), svg.bar)
    if kind == "latency":
        panels = [(heading, f"p99 {load}") for heading, load in CONNECTIONS]
        return ("99th percentile of the latency", "Milliseconds under full load; shorter is better. Thin line: spread. "
                "Upright line: goal.", bars(cases, "gateway", panels, "ms"), svg.bar)
    return ("Memory of an idle server", "MiB resident, 7 s after the start; shorter is better. Upright line: goal.",
            bars(cases, "idle", [("", "server")], "MiB"), svg.bar)


KINDS = ("goals", "requests", "latency", "computing", "start", "memory")


def draw(kind, cases, theme):
    """The SVG, or None where nothing was measured."""
    title, subtitle, panels, mark = of(kind, cases)
    return svg.chart(theme, title, subtitle, panels, mark) if panels else None
