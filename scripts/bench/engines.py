"""The engines that are there, and how each runs a program or calls a function of numbers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "bench"
FUELBOX = os.environ["FUELBOX"]

# What each runs a program with, and calls a function with; {} is the module. None: it cannot.
KNOWN = {
    "wasmi": (["wasmi", "{}"], ["wasmi", "--invoke", "add", "{}", "10", "20"]),
    "wasm3": (["wasm3", "{}"], ["wasm3", "--func", "add", "{}", "10", "20"]),
    "iwasm": (["iwasm", "{}"], ["iwasm", "-f", "add", "{}", "10", "20"]),
    "wasmtime": (
        ["wasmtime", "run", "--allow-precompiled", "{}"],
        ["wasmtime", "run", "--allow-precompiled", "--invoke", "add", "{}", "10", "20"],
    ),
    "wazero": (["wazero", "run", f"-cachedir={OUT / 'wazero'}", "{}"], None),
}

FUELBOX_RUN = [FUELBOX, "run", "--timeout", "60s", "{}"]
FUELBOX_ADD = [FUELBOX, "run", "{}", "add", "10", "20"]

# Another build of fuelbox, to compare with.
if BEFORE := os.environ.get("FUELBOX_BEFORE"):
    KNOWN["before"] = ([BEFORE, *FUELBOX_RUN[1:]], [BEFORE, *FUELBOX_ADD[1:]])

# Prints microseconds for each of so many runs, from a compiled module to its end. Python's start is not in it.
WASMTIME_PYTHON = """
import os, sys, time, wasmtime
path, rounds, out = sys.argv[1], int(sys.argv[2]), os.dup(1)
compiled = wasmtime.Module.from_file(wasmtime.Engine(), path).serialize()
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
for _ in range(rounds):
    begin = time.perf_counter_ns()
    engine = wasmtime.Engine()
    module = wasmtime.Module.deserialize(engine, compiled)
    linker, store, config = wasmtime.Linker(engine), wasmtime.Store(engine), wasmtime.WasiConfig()
    linker.define_wasi()
    config.argv = [path]
    config.inherit_stdout()
    store.set_wasi(config)
    exports = linker.instantiate(store, module).exports(store)
    try:
        exports["_start"](store) if "_start" in exports else exports["add"](store, 10, 20)
    except wasmtime.ExitTrap:
        pass
    os.write(out, b"%d\\n" % ((time.perf_counter_ns() - begin) // 1000))
"""


def one_cpu():
    """Keeps this process and its children on one processor: to wake a second one takes up to milliseconds in a
    virtual machine, more than what is measured."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def find():
    """The peers that are there, and a line for each that is not."""
    there = [name for name, (run, _) in KNOWN.items() if shutil.which(run[0])]
    missing = [name for name in KNOWN if name not in there]
    if "wasmtime" in missing:
        missing.remove("wasmtime")
        has_module = subprocess.run([sys.executable, "-c", "import wasmtime"], capture_output=True).returncode == 0
        if has_module:
            there.append("wasmtime (in process)")
        missing.append("wasmtime on the PATH" + ("" if has_module else " or as a module of python3"))
    # It has neither releases nor a command line that could be relied on.
    return there, missing + ["gowasmrunner"]


def command(engine, module, function):
    """The words that run `module`, or call its function `add`; None if this engine cannot."""
    if engine == "fuelbox":
        words = FUELBOX_ADD if function else FUELBOX_RUN
    else:
        words = KNOWN[engine][1 if function else 0]
    if words is None:
        return None
    if engine == "wasmtime":
        module = precompiled(module)
    words = [word.replace("{}", str(module)) for word in words]
    return [shutil.which(words[0]), *words[1:]]


def precompiled(module):
    compiled = OUT / (Path(module).stem + ".cwasm")
    subprocess.run(["wasmtime", "compile", "-o", compiled, module], check=True)
    return compiled


def wasmtime_in_process(module, rounds):
    """Microseconds of each run by python3's wasmtime."""
    words = [sys.executable, "-c", WASMTIME_PYTHON, str(module), str(rounds)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=one_cpu)
    return [int(line) for line in done.stdout.split()]
