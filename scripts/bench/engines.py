"""The builds of fuelbox and the peers that are there, their versions, and how each runs a program or calls a function."""

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "bench"
STATIC_TARGET = "x86_64-unknown-linux-musl"
# Where the scripts leave the builds that no variable names.
BUILDS = {
    "fuelbox": ("FUELBOX", ROOT / "target/release/fuelbox", "cargo build --release"),
    "static": ("FUELBOX_STATIC", ROOT / f"target/cross/{STATIC_TARGET}/fuelbox",
               f"scripts/cross.sh {STATIC_TARGET}"),
    "small": ("FUELBOX_SMALL", ROOT / f"target/cross/{STATIC_TARGET}/fuelbox-small",
              f"scripts/cross.sh --small {STATIC_TARGET}"),
    "before": ("FUELBOX_BEFORE", None, "a build to compare with"),
}
LABELS = {
    "fuelbox": "fuelbox",
    "processes": "fuelbox, processes",
    "static": "fuelbox, static",
    "static processes": "fuelbox, static, processes",
    "small": "fuelbox, static, small",
    "before": "fuelbox before",
    "before processes": "fuelbox before, processes",
    "wasmtime pulley": "wasmtime, interpreter (Pulley)",
    "wasmtime": "wasmtime, compiler",
    "wazero": "wazero, compiler",
    "zwasm": "zwasm, interpreter",
    "static.xz": "fuelbox, static, as .xz",
}
# Builds of this project, or settings of one. All else is a peer.
OWN = ("fuelbox", "processes", "static", "static processes", "static.xz", "small", "before", "before processes")

# What each runs a program with, and calls a function with; {} is the module. None: it cannot.
PEERS = {
    "wasmi": ("wasmi {}", "wasmi --invoke add {} 10 20"),
    "wasm3": ("wasm3 {}", "wasm3 --func add {} 10 20"),
    "iwasm": ("iwasm {}", "iwasm -f add {} 10 20"),
    "zwasm": ("zwasm run --engine interp {}", "zwasm run --engine interp --invoke add=10,20 {}"),
    "wasmtime pulley": (
        "wasmtime run --allow-precompiled --target pulley64 {}",
        "wasmtime run --allow-precompiled --target pulley64 --invoke add {} 10 20",
    ),
    "wasmtime": ("wasmtime run --allow-precompiled {}", "wasmtime run --allow-precompiled --invoke add {} 10 20"),
    "wazero": (f"wazero run -cachedir={OUT / 'wazero'} {{}}", None),
    "gowasmrunner": (None, "gowasmrunner -mode numeric -func add -wasm {} 10 20"),
}
# `wasmtime compile` with these.
COMPILE = {"wasmtime": [], "wasmtime pulley": ["--target", "pulley64"]}


def in_processes(build):
    """The name of a build with guests in processes."""
    return "processes" if build == "fuelbox" else f"{build} processes"


def label(engine):
    return LABELS.get(engine, engine)


def ordered(engines):
    """Builds of fuelbox first, then the peers, each in the order of the tables above; then others by name."""
    known = [*OWN, *PEERS]
    return sorted(engines, key=lambda name: (known.index(name) if name in known else len(known), name))


def build(name):
    """The program of a build, or None where it is not there."""
    variable, usual, _ = BUILDS[name]
    path = os.environ.get(variable) or usual
    return str(path) if path and os.access(path, os.X_OK) else None


def builds():
    return {name: program for name in BUILDS if (program := build(name))}


def one_cpu():
    """Keeps this process and its children on one processor: to wake a second one takes up to milliseconds in a
    virtual machine, more than what is measured."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peers():
    return [name for name, forms in PEERS.items() if shutil.which((forms[0] or forms[1]).split()[0])]


def missing():
    """A line for each build and peer that is not there."""
    there = peers()
    lines = [f"{name} ({BUILDS[name][2]}, or ${BUILDS[name][0]})" for name in BUILDS if not build(name)]
    return lines + [f"{name} on the PATH" for name in PEERS if name not in there]


def said(words):
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def version(engine):
    """What an engine's command line tells, or None. gowasmrunner tells nothing; Go writes the commit into a binary."""
    if engine in BUILDS:
        found = re.search(r"\d+\.\d+\.\d+\S*", said([build(engine), "--version"]))
        return found and found[0]
    if engine == "gowasmrunner":
        found = re.search(rb"vcs\.revision=([0-9a-f]{12})", Path(shutil.which(engine)).read_bytes())
        return found and "commit " + found[1].decode()
    program = engine.split()[0]
    text = said([program, "version" if program == "wazero" else "--version"])
    found = re.search(r"\d+\.\d+\.\d+[^\s,;)]*", text)
    return found and found[0]


def command(engine, module, function):
    """The words that run `module`, or call its function `add`; None if this engine cannot."""
    if engine in BUILDS:
        words = [build(engine), "run", *(["{}", "add", "10", "20"] if function else ["--timeout", "60s", "{}"])]
    else:
        form = PEERS[engine][1 if function else 0]
        if form is None:
            return None
        words = form.split()
        words[0] = shutil.which(words[0])
    if engine in COMPILE:
        module = precompiled(engine, module)
        if module is None:
            return None
    return [word.replace("{}", str(module)) for word in words]


def precompiled(engine, module):
    """The module as wasmtime has compiled it, or None if it does not. Compiling is not timed."""
    compiled = OUT / f"{module.stem}-{engine.replace(' ', '-')}.cwasm"
    words = ["wasmtime", "compile", *COMPILE[engine], "-o", compiled, module]
    return compiled if subprocess.run(words, capture_output=True).returncode == 0 else None
