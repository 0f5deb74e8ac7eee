"""The kept results as Markdown. What is written here depends on the results only, so that a test can write it again."""

import engines
import goals
from stats import ROUNDS_TO_COMPARE, moved, moved_in_run

# Title, what a cell is, and the columns: heading, case, quantity.
GRIDS = [
    ("Start to end of a whole process", "wall time, ms", [
        ("add", "add", "wall"), ("hello-c", "hello-c", "wall"), ("hello-rust", "hello-rust", "wall"),
        ("hello-go", "hello-go", "wall")]),
    ("Computing", "CPU time, ms", [("fib", "fib", "cpu"), ("sieve", "sieve", "cpu"), ("SHA-256", "sha256", "cpu")]),
    ("Peak memory of a whole process", "MiB", [
        ("add", "add", "peak"), ("hello-rust", "hello-rust", "peak"), ("hello-go", "hello-go", "peak"),
        ("sieve", "sieve", "peak")]),
    ("Requests", "requests/s", [
        ("16 connections", "gateway", "rate 16"), ("256 connections", "gateway", "rate 256"),
        ("64 connections, 16 requests at once", "gateway", "rate pipelined")]),
    ("CPU time of the server for a request", "µs", [
        ("16 connections", "gateway", "cpu 16"), ("256 connections", "gateway", "cpu 256"),
        ("64 connections, 16 requests at once", "gateway", "cpu pipelined")]),
    ("99th percentile of the latency", "ms", [
        ("16 connections", "gateway", "p99 16"), ("256 connections", "gateway", "p99 256")]),
    ("Memory of the server", "MiB", [
        ("idle", "idle", "server"),
        ("after many requests", "memory", "after"), ("growth by the soak", "soak", "growth"),
        ("of it after its first tenth", "soak", "growth after a tenth")]),
    ("Time until the server is ready", "ms", [
        ("1,000 plug-ins of 20 KB", "load", "1,000 plug-ins"), ("no plug-in", "load", "no plug-in"),
        ("Go's hello, beyond that", "load", "Go, beyond no plug-in")]),
    ("First and later calls", "ms", [
        (f"{language}, {which}", "first-call", f"{language}, {which}")
        for language in ("Go", "Rust", "C") for which in ("first", "later")]),
    ("Isolated calls inside a process", "µs", [
        (f"{pages} pages" if pages > 1 else "1 page", "isolated", f"{pages} pages") for pages in (1, 17, 256)]),
    ("Calls that replace a process", "ms", [
        ("a call that replaces it", "replaced", "replaced"), ("a call that does not", "replaced", "kept")]),
    ("CPU time of the server for a request, by plug-ins", "µs", [("numeric call", "growth", "cpu")]),
    ("Size of the program's file", "MB", [("file", "size", "file")]),
]


def number(value):
    """Three significant digits, and all of those before the point."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    decimals = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2 if magnitude >= 0.1 else 3
    return f"{value:,.{decimals}f}"


def cell(spread, exact=False):
    if spread is None:
        return ""
    low, median, high = map(number, spread)
    return median if exact or low == high else f"{median} ({low}–{high})"


def words(unit, change, more):
    better, worse = ("smaller", "larger") if unit in ("MB", "MiB") else ("faster", "slower")
    word = better if (change > 0) == more else worse
    return f"{abs(change) * 100:.0f} % {word}" if abs(change) >= 0.095 else f"{abs(change) * 100:.1f} % {word}"


def are_enough(found):
    """Whether there are rounds enough to speak of a change. The size of a file needs no second round."""
    return found["unit"] == "MB" or found["rounds"] >= ROUNDS_TO_COMPARE


def since_previous(goal, case):
    """What changed since the figures that this case held before, or None where they cannot be compared."""
    previous = case.get("previous")
    if previous is None:
        return None
    held = goals.measured(goal, {goal.case: previous})
    if held is None:
        return None
    found = case["quantities"][goal.quantity]
    if not are_enough(found) or not are_enough(dict(found, rounds=previous["quantities"][goal.quantity]["rounds"])):
        return None
    change = moved(goals.measured(goal, {goal.case: case}), held)
    more = found["better"] == "more"
    text = "unchanged" if change is None else words(found["unit"], change, more)
    return f"{text} since {previous['commit']}"


def to_before(goal, case):
    """What changed to another build of the same run, or None without one."""
    found = case["quantities"][goal.quantity]
    pair = found["ratios"].get(f"{goal.own} / {'before' if goal.own == 'fuelbox' else 'before processes'}")
    if pair is None or not are_enough(found):
        return None
    change = moved_in_run(pair)
    more = found["better"] == "more"
    build = case["engines"].get("before") or "before"
    return ("unchanged" if change is None else words(found["unit"], change, more)) + f" to {build} in the run"


def change(goal, case):
    said = [text for text in (since_previous(goal, case), to_before(goal, case)) if text]
    return "; ".join(said) or "–"


def bound(goal, value, more):
    return "" if value is None else f"{'≥' if more else '≤'} {value:,g}"


def goal_rows(cases, group, names=None):
    """The rows of a group, of all cases or of some."""
    lines = []
    for goal in goals.GOALS:
        spread = goals.measured(goal, cases)
        if goal.group != group or (names is not None and goal.case not in names):
            continue
        if spread is None:
            if goal.goal is not None:
                lines.append(f"| {head(goal)} | not measured | {goal.goal:,g} | {goal.floor or ''} | | | |")
            continue
        case, more = cases[goal.case], goals.is_more(goal, cases)
        lines.append(
            f"| {head(goal)} | {cell(spread)} | {bound(goal, goal.goal, more)} | {bound(goal, goal.floor, more)} "
            f"| {goals.verdict(goal, spread[1], more)} | {change(goal, case)} | {case['commit']} |")
    return lines


def head(goal):
    return goal.text + (f", to {engines.label(goal.to)}" if goal.to else "")


def goal_tables(cases, names=None):
    parts = []
    for group in (goals.GATEWAY, goals.COMPUTE, goals.CALLS, goals.SPACE):
        if rows := goal_rows(cases, group, names):
            parts += [f"**{group}**", "", "| figure | measured | goal | floor | | moved | commit |",
                      "| --- | ---: | ---: | ---: | --- | --- | --- |", *rows, ""]
    return parts


def grid(cases, title, unit, columns):
    """A table with a row for each engine; none without figures."""
    columns = [column for column in columns if column[2] in cases.get(column[1], {}).get("quantities", {})]
    if not columns:
        return []
    found = [cases[case]["quantities"][quantity] for _, case, quantity in columns]
    names = engines.ordered({name for held in found for name in held["figures"]})
    lines = [f"**{title}**, {unit}", "", f"| | {' | '.join(heading for heading, _, _ in columns)} |",
             f"| --- |{' ---: |' * len(columns)}"]
    for name in names:
        cells = [cell(held["figures"].get(name), held["rounds"] == 1) for held in found]
        lines.append(f"| {engines.label(name)} | {' | '.join(cells)} |")
    return [*lines, ""]


def grids(cases):
    return [line for title, unit, columns in GRIDS for line in grid(cases, title, unit, columns)]


def of_case(name, case):
    """What a run prints of a case: everything that was measured."""
    columns = [(quantity, name, quantity) for quantity in case["quantities"]]
    lines = [f"== {name}"]
    for column in columns:
        found = case["quantities"][column[2]]
        lines += [f"-- {column[2]}, {found['unit']}, {found['rounds']} rounds"]
        for engine in engines.ordered(found["figures"]):
            ratios = [f"{cell(spread)} × {key.split(' / ')[1]}" for key, spread in found["ratios"].items()
                      if key.startswith(f"{engine} / ") and spread]
            lines.append(f"   {engines.label(engine):42} {cell(found['figures'][engine]):24} {', '.join(ratios)}")
    return lines


def provenance(cases):
    """What was measured when and where, with the rounds of each case; a line for all cases of one commit and day."""
    groups = {}
    for name, case in cases.items():
        key = tuple(case[part] for part in ("commit", "date", "machine", "rustc"))
        groups.setdefault(key, []).append(f"{name} ({rounds_of(case)})")
    lines = ["| commit | date | machine | rustc | cases (rounds) |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(key)} | {', '.join(names)} |" for key, names in groups.items()]
    return [*lines, ""]


def rounds_of(case):
    held = case["quantities"].values()
    notes = sorted({found["note"] for found in held if "note" in found})
    counts = sorted({found["rounds"] for found in held})
    return "–".join(map(str, counts)) + "".join(f" of {note}" for note in notes)


def versions(cases):
    """The version of each engine; several where cases were measured with different ones."""
    held = {}
    for case in cases.values():
        for name, version in case["engines"].items():
            held.setdefault(name, []).append(version or "not told")
    lines = ["| engine | version |", "| --- | --- |"]
    lines += [f"| {engines.label(name)} | {', '.join(dict.fromkeys(held[name]))} |" for name in engines.ordered(held)]
    return [*lines, ""]
