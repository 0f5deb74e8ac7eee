#!/usr/bin/env python3
"""Runs the cases of tests/cases/ with wasmtime, to tell a fault of a case from a fault of fuelbox.

Needs the package `wasmtime` of PyPI and nothing else:
    python3 -m venv /some/where && /some/where/bin/pip install wasmtime
    /some/where/bin/python scripts/cases-with-wasmtime.py [NAME...]

Each case runs in a process of its own, in a fresh copy of its folders, and is compared as tests/it/cases.rs
does it. A case of which wasmtime is known to leave the documents is listed in DEVIATIONS with the reason: it
must fail here, and is named if it no longer does. Exits 1 if anything is otherwise than expected.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases"
TIMEOUT_S = 30

# Case: what the documents say, and what wasmtime does instead.
DEVIATIONS = {
    "fd_fdstat_set_rights": "rights can be given up; wasmtime answers ENOTSUP",
    "lookup_flags_unknown": "EINVAL; wasmtime traps",
    "path_open_rights": "what was not opened for writing cannot be written; wasmtime gives the right to whoever creates",
    "path_remove_directory_slash": "a slash at the end names the folder; wasmtime answers EINVAL",
    "stdin_no_room": "a read into no room gives 0; wasmtime answers EINTR",
    "unknown_numbers": "EINVAL; wasmtime traps",
    "vectors_full": "a file's bytes go through all buffers; wasmtime reads and writes the first that is not empty",
}


def run_one(name: str, spec: dict, work: Path) -> int:
    """In the process of the case: runs it and gives its exit code."""
    import wasmtime

    config = wasmtime.WasiConfig()
    config.argv = [f"{name}.wasm", *spec.get("args", [])]
    config.env = list(spec.get("env", {}).items())
    config.stdin_file = str(work / "stdin")
    config.stdout_file = str(work / "stdout")
    config.stderr_file = str(work / "stderr")
    for folder in spec.get("dirs", []):
        config.preopen_dir(str(work / folder), folder)
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    module = wasmtime.Module.from_file(engine, str(CASES / f"{name}.wasm"))
    start = linker.instantiate(store, module).exports(store)["_start"]
    try:
        start(store)
    except wasmtime.ExitTrap as exited:
        return exited.code
    return 0


def problems(name: str) -> list[str]:
    """What differs from the case's file; empty if it passes."""
    spec = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="fuelbox-case-") as folder:
        work = Path(folder)
        for one in spec.get("dirs", []):
            shutil.copytree(CASES / one, work / one)
        (work / "stdin").write_bytes(spec.get("stdin", "").encode())
        try:
            ran = subprocess.run(
                [sys.executable, __file__, "--child", name, folder],
                capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            )
        except subprocess.TimeoutExpired:
            return [f"did not end within {TIMEOUT_S} s"]

        def output(stream: str) -> str:
            path = work / stream
            return path.read_bytes().decode(errors="replace") if path.exists() else ""

        lines = ran.stdout.splitlines()
        if not lines or not lines[-1].startswith("exit code "):
            return [f"trapped: {ran.stderr.strip()}", output("stderr").strip()]
        found = []
        code, expected = int(lines[-1].split()[-1]), spec.get("exit_code", 0)
        if code != expected:
            found.append(f"exit code {code}, not {expected}")
        for stream in ("stdout", "stderr"):
            if stream in spec and output(stream) != spec[stream]:
                found.append(f"{stream} is {output(stream)!r}, not {spec[stream]!r}")
        if found and "stderr" not in spec:
            found.append(output("stderr").strip())
        return found


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        name, folder = sys.argv[2:]
        spec = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
        print("exit code", run_one(name, spec, Path(folder)))
        return 0
    if sys.argv[1:2] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    try:
        version = metadata.version("wasmtime")
    except metadata.PackageNotFoundError:
        print("cases-with-wasmtime.py: needs the package `wasmtime`: see --help", file=sys.stderr)
        return 2
    names = sys.argv[1:] or sorted(path.stem for path in CASES.glob("*.json"))
    bad = deviating = 0
    for name in names:
        found = problems(name)
        if name in DEVIATIONS:
            deviating += bool(found)
            if found:
                print(f"{name}: deviates as listed: {DEVIATIONS[name]}")
                continue
            found = ["is listed as a deviation, and passes"]
        if found:
            bad += 1
            print(f"{name}: " + "\n    ".join("\n".join(found).splitlines()))
    good = len(names) - bad - deviating
    print(f"wasmtime {version}: {good} pass, {deviating} deviate as listed, {bad} otherwise")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
