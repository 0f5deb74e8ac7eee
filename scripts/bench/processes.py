"""Whole processes: fuelbox and its peers in turns."""

import statistics
import subprocess

import engines
from engines import OUT, ROOT

PREBUILT = ROOT / "guests" / "prebuilt"

# Module, what it prints, whether `add` is called, and the goals: (figure, engine, at most so many times its).
# Of what takes long the CPU time is compared: what else runs on the machine disturbs it less.
# `None` as the engine is a bound in the figure's own unit.
CASES = {
    "add": (PREBUILT / "add.wasm", "30", True, [
        ("wall", "/bin/true", 1.5), ("wall", "wasm3", 1.1), ("wall", "wasmi", 0.85), ("wall", "gowasmrunner", 0.45),
        ("peak", None, 4096)]),
    "hello-c": (PREBUILT / "hello-c.wasm", "Hello, World", False, [
        ("wall", "wasmi", 1.0), ("wall", "wasmtime", 0.5)]),
    "hello-rust": (PREBUILT / "hello-rust.wasm", "Hello, World", False, [
        ("wall", "wasmi", 1.0), ("wall", "wasmtime", 0.5)]),
    "hello-go": (PREBUILT / "large" / "hello-go.wasm", "Hello, World", False, [
        ("wall", "wasmi", 1.0), ("wall", "wasmtime", 1.0)]),
    "fib": (PREBUILT / "work-fib.wasm", "5702887", False, [
        ("cpu", "wasmi", 1 / 0.9), ("cpu", "wasm3", 1.0), ("cpu", "iwasm", 1.0)]),
    "sieve": (PREBUILT / "work-sieve.wasm", "148933", False, [
        ("cpu", "wasmi", 1 / 0.95), ("cpu", "wasm3", 1.0), ("cpu", "iwasm", 1.0)]),
    "sha256": (PREBUILT / "work-sha256.wasm", "bb9f8df61474d25e", False, [
        ("cpu", "wasmi", 1 / 0.95), ("cpu", "wasm3", 1.0), ("cpu", "iwasm", 1.0)]),
}
LONG = ("fib", "sieve", "sha256", "hello-go")


def works(words, expected):
    """Whether a command prints what it should; some engines tell a function's result on stderr, or in hex."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    said = done.stdout + done.stderr
    return done.returncode == 0 and (expected in said or (expected == "30" and "0x1e" in said))


def measured(commands, rounds):
    """Medians of wall time and CPU time in microseconds and of peak memory in KiB, for each command."""
    plan = "".join("\t".join(words) + "\n" for words in commands.values())
    words = [OUT / "measure", str(rounds)]
    done = subprocess.run(words, input=plan, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=engines.one_cpu)
    runs = {name: [] for name in commands}
    names = list(commands)
    for line in done.stdout.splitlines():
        index, wall, cpu, peak, status = map(int, line.split("\t"))
        if status != 0:
            raise SystemExit(f"bench.sh: {' '.join(commands[names[index]])} ended with wait status {status}")
        runs[names[index]].append((wall / 1000, cpu, peak))
    return {
        name: dict(zip(("wall", "cpu", "peak"), map(statistics.median, zip(*figures))))
        for name, figures in runs.items()
    }


def run(case, peers, rounds):
    """The figures of each engine, or None where the module is not there."""
    module, expected, function, goals = CASES[case]
    if not module.exists():
        print(f"{case}: skipped, {module.relative_to(ROOT)} is missing: scripts/build-guests.sh {module.stem}")
        return None
    commands = {}
    for engine in ["fuelbox", *(peer for peer in peers if peer in engines.KNOWN)]:
        words = engines.command(engine, module, function)
        if words and works(words, expected):
            commands[engine] = words
        elif engine == "fuelbox":
            raise SystemExit(f"bench.sh: {' '.join(words)} does not print {expected}")
        else:
            print(f"{case}: {engine} left out, it does not run {module.name}")
    if case == "add":
        commands["/bin/true"] = ["/bin/true"]
    if case in LONG:
        rounds = max(3, rounds // 4)
    figures = measured(commands, rounds)
    if "wasmtime (in process)" in peers:
        times = engines.wasmtime_in_process(module, rounds)
        figures["wasmtime (in process)"] = {"wall": statistics.median(times)}
    return {"figures": figures, "goals": judged(figures, goals)}


def judged(figures, goals):
    """Each goal with what was reached; a peer that is not there leaves it open, and so does wasmtime in process,
    which is no whole process."""
    rows = []
    for figure, engine, most in goals:
        own = figures["fuelbox"][figure]
        if engine is None:
            rows.append({"goal": f"{figure} ≤ {most} KiB", "reached": own, "met": own <= most})
        elif engine in figures:
            ratio = own / figures[engine][figure]
            rows.append({"goal": f"{figure} ≤ {most:.2f} × {engine}", "reached": ratio, "met": ratio <= most})
        else:
            rows.append({"goal": f"{figure} ≤ {most:.2f} × {engine}", "reached": None, "met": None})
    return rows
