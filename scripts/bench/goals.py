"""What is to be reached: for each figure a goal, and a floor below which a change is a fault."""

from collections import namedtuple

# The figure of `own` in a quantity of a case; with `to`, its ratio to that engine. A bound is None where there is none.
Goal = namedtuple("Goal", "group text case quantity own to goal floor")

GATEWAY, COMPUTE, CALLS, SPACE = "Gateway", "Whole processes", "Loading and calls", "Size and memory"


def requests():
    threads, parts = "guests in threads", "guests in processes"
    to = "gowasmrunner"
    for load, goals in (("16", (3, 2.2)), ("256", (2.5, 1.9)), ("pipelined", (None, None))):
        name = "64 connections, 16 requests at once" if load == "pipelined" else f"{load} connections"
        rate = f"rate {load}"
        yield Goal(GATEWAY, f"requests/s, {name}, {threads}", "gateway", rate, "fuelbox", to, *goals)
        yield Goal(GATEWAY, f"requests/s, {name}, {parts}", "gateway", rate, "processes", to, None, None)
        if load != "pipelined":
            yield Goal(GATEWAY, f"requests/s of static musl, {name}, {threads}", "gateway", rate, "static", "fuelbox",
                       1, 0.95)
            yield Goal(GATEWAY, f"requests/s of static musl, {name}, {parts}", "gateway", rate, "static processes",
                       "processes", 1, 0.95)
    for load, p99 in (("16", (0.15, 0.16)), ("256", (0.1, 0.13))):
        name = f"{load} connections"
        cpu = f"cpu {load}"
        yield Goal(GATEWAY, f"CPU per request, {name}, {threads}", "gateway", cpu, "fuelbox", to, 0.3, 0.37)
        yield Goal(GATEWAY, f"CPU per request, {name}, {parts}", "gateway", cpu, "processes", to, None, None)
        yield Goal(GATEWAY, f"p99, {name}, {threads}", "gateway", f"p99 {load}", "fuelbox", to, *p99)
        yield Goal(GATEWAY, f"p99, {name}, {parts}", "gateway", f"p99 {load}", "processes", to, None, None)


def processes():
    for case, text, goal, floor in (("fib", "fib", 1.05, 1.14), ("sieve", "sieve", 1.0, 1.02),
                                    ("sha256", "SHA-256", 0.9, 0.9)):
        yield Goal(COMPUTE, f"{text}, CPU time", case, "cpu", "fuelbox", "wasmi", goal, floor)
        yield Goal(COMPUTE, f"{text}, CPU time, static musl", case, "cpu", "static", "wasmi", None, None)
    yield Goal(COMPUTE, "Go's hello, wall time", "hello-go", "wall", "fuelbox", "wasmi", 1.1, 1.2)
    yield Goal(COMPUTE, "Rust's hello, wall time", "hello-rust", "wall", "fuelbox", "wasmi", 1, None)
    yield Goal(COMPUTE, "C's hello, wall time", "hello-c", "wall", "fuelbox", "wasmi", 1, None)
    for to, goal in (("/bin/true", 1.5), ("wasm3", 1.1), ("wasmi", 0.85), ("gowasmrunner", 0.45)):
        yield Goal(COMPUTE, "add, wall time", "add", "wall", "fuelbox", to, goal, None)
    yield Goal(COMPUTE, "add, peak memory, MiB", "add", "peak", "fuelbox", None, 4, None)


def calls():
    for language in ("Go", "Rust", "C"):
        yield Goal(CALLS, f"first call to a later one, {language}", "first-call", f"{language}, to later", "fuelbox",
                   None, 2, 3)
    for pages, goal, floor in ((1, 1.5, 2), (17, 3, 5), (256, 6, 10)):
        name = f"{pages} page" + ("s" if pages > 1 else "")
        yield Goal(CALLS, f"isolated call, {name}, µs", "isolated", f"{pages} pages", "fuelbox", None, goal, floor)
        yield Goal(CALLS, f"isolated call, {name}", "isolated", f"{pages} pages", "fuelbox", "bare wasmi", None, None)
    yield Goal(CALLS, "1,000 plug-ins of 20 KB until ready, ms", "load", "1,000 plug-ins", "fuelbox", None, 1000, None)
    yield Goal(CALLS, "Go's hello until ready, beyond no plug-in, ms", "load", "Go, beyond no plug-in", "fuelbox",
               None, 15, None)
    for count in (100, 1000):
        yield Goal(CALLS, f"CPU per request with {count:,} plug-ins", "growth", "cpu", f"{count} plug-ins",
                   "1 plug-in", 1.1, None)
    yield Goal(CALLS, "replacing a process, p99 beyond other calls, ms", "replaced", "p99 beyond", "fuelbox",
               None, 1, None)


def space():
    yield Goal(SPACE, "static musl, file, MB", "size", "file", "static", None, 3.6, 3.8)
    yield Goal(SPACE, "static musl, small, file, MB", "size", "file", "small", None, 1.6, 1.9)
    yield Goal(SPACE, "static musl, as .xz, MB", "size", "file", "static.xz", None, 1.2, None)
    yield Goal(SPACE, "idle server, as `serve` starts it, static musl, MiB", "idle", "server",
               "static processes", None, 3.3, 3.5)
    yield Goal(SPACE, "idle server, as `serve` starts it, MiB", "idle", "server", "processes", None, 5, 5.2)
    yield Goal(SPACE, "growth by the soak, static musl, guests in threads, MiB", "soak", "growth", "static", None, 2, 4)
    yield Goal(SPACE, "growth by the soak, static musl, guests in processes, MiB", "soak", "growth",
               "static processes", None, 2, 4)
    yield Goal(SPACE, "memory after many requests, to before", "memory", "to before the requests", "fuelbox", None,
               1.02, None)
    yield Goal(SPACE, "server, 4 processes and a spare one, MiB", "replaced", "4 processes", "processes", None,
               10, None)


GOALS = [*requests(), *processes(), *calls(), *space()]


def measured(goal, cases):
    """The spread of the figure or ratio in the results, or None."""
    found = cases.get(goal.case, {}).get("quantities", {}).get(goal.quantity)
    if found is None:
        return None
    kind, name = ("figures", goal.own) if goal.to is None else ("ratios", f"{goal.own} / {goal.to}")
    # Kept figures that do not compare over runs are left out.
    return found.get(kind, {}).get(name)


def is_more(goal, cases):
    """Whether more is better."""
    return cases[goal.case]["quantities"][goal.quantity]["better"] == "more"


def verdict(goal, median, more):
    """How a median stands to its goal and floor."""
    def reaches(bound):
        return median >= bound if more else median <= bound

    if goal.goal is None:
        return ""
    if reaches(goal.goal):
        return "goal met"
    if goal.floor is not None and reaches(goal.floor):
        return "floor met"
    return "goal missed" if goal.floor is None else "**floor missed**"


def needed(case):
    """The engines without which the case's goals cannot be told."""
    return {name for goal in GOALS if goal.case == case for name in (goal.own, goal.to) if name}
