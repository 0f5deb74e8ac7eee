#!/usr/bin/env python3
"""Runs the plug-ins of guests/extism/ under Extism's own host and under fuelbox, compares what they give byte for
byte, and prints how long both take.

    scripts/extism-compare.py [--quick]

Needs python3 with venv and pip: the first time it makes target/extism/venv and fetches Extism's host into it from
PyPI (which brings wasmtime, a compiler). Needs target/release/fuelbox (cargo build --release), or another in
$FUELBOX. A plug-in that is not built (extism-go: scripts/build-guests.sh extism-go) is named and left out.

What the times are, each the median of its runs in milliseconds:

  whole process  from the start of a process to its end: `fuelbox call`, and a Python program that uses Extism's
                 host. A third, which only imports that, takes turns with them: what it takes is told beside,
                 to be taken off.
  per call       one more call of an instance that there is already: a request to `fuelbox serve --warm 1` over a
                 kept connection, as the client sees it; of that, what the gateway says the guest took
                 (Server-Timing); and `Plugin.call` in Python.

Exits 1 if anything differs.
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PREBUILT = ROOT / "guests" / "prebuilt"
EDGES = ROOT / "guests" / "extism" / "wat" / "edges.wat"
FUELBOX = os.environ.get("FUELBOX", str(ROOT / "target" / "release" / "fuelbox"))
VENV = ROOT / "target" / "extism" / "venv"
PACKAGES = ["extism==1.1.1", "extism-sys==1.41.0"]
PLUGINS = ["extism-rust", "extism-as", "extism-c", "extism-zig", "large/extism-go"]
HELLO = b"Hello, World!"
MEGABYTE = bytes((i * 2654435761 & 0xFFFFFFFF) >> 24 for i in range(1 << 20))
TIMEOUT_S = 60


def fail(what: str) -> None:
    sys.exit(f"extism-compare.py: {what}")


def load(module: str, config: dict):
    import extism

    return extism.Plugin({"wasm": [{"path": module}], "config": config}, wasi=True)


def outcome(plugin, func: str, data: bytes) -> dict:
    """What a call gives, as JSON can hold it."""
    import extism

    try:
        return {"output": bytes(plugin.call(func, data)).hex()}
    except extism.Error as error:
        return {"error": str(error)}


def inside(request: str) -> None:
    """In a process with Extism's host: does what it is told, and prints what came of it as JSON."""
    asked = json.loads(request)
    data = sys.stdin.buffer.read()
    if not asked:
        import extism  # noqa: F401  (how long this takes is the question)

        return
    with load(asked["module"], asked["config"]) as plugin:
        answers = [outcome(plugin, asked["func"], data) for _ in range(asked["calls"])]
        times = []
        for _ in range(asked["timed"]):
            begun = time.perf_counter()
            plugin.call(asked["func"], data)
            times.append((time.perf_counter() - begun) * 1000)
    print(json.dumps({"answers": answers, "times": times}))


def with_extism(asked: dict, data: bytes = b"") -> dict:
    command = [str(VENV / "bin" / "python"), str(Path(__file__).resolve()), "--inside", json.dumps(asked)]
    done = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        fail(f"Extism's host failed on {asked}:\n{done.stderr.decode(errors='replace')}")
    return json.loads(done.stdout) if asked else {}


def with_fuelbox(module: str, func: str, config: dict, data: bytes) -> dict:
    command = [FUELBOX, "call", module, func, "-", *(f"--extism-config={k}={v}" for k, v in config.items())]
    done = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT_S, env={"RUST_LOG": "off"})
    if done.returncode == 0:
        return {"output": done.stdout.hex()}
    said = done.stderr.decode(errors="replace").removeprefix("fuelbox: ").rstrip("\n")
    if told := re.fullmatch("plug-in failed: (.*)", said, re.DOTALL):
        return {"error": told[1]}
    if code := re.fullmatch("plug-in failed with code (-?[0-9]+), and gave no message", said):
        # Extism has no words of its own for an error that was taken away.
        return {"error": f"Error code: {code[1]}" if code[1] != "0" else ""}
    return {"trap": said, "code": done.returncode}


def same(theirs: dict, ours: dict) -> bool:
    """Of a run that was ended, only that it was: each host has words of its own for it."""
    return "error" in theirs if "trap" in ours else theirs == ours


class Gateway:
    """`fuelbox serve` with the plug-in at `module`, and a connection to it."""

    def __init__(self, module: str):
        self.folder = tempfile.TemporaryDirectory()
        shutil.copy(module, Path(self.folder.name) / "plugin.wasm")
        command = [FUELBOX, "serve", "--listen", "127.0.0.1:0", "--warm", "1", "--plugins", self.folder.name]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "on http://" in line:
                host, port = line.rsplit("/", 1)[1].strip().rsplit(":", 1)
                break
        else:
            fail("fuelbox serve ended")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
        self.folder.cleanup()

    def call(self, func: str, data: bytes) -> tuple:
        """Status, body, and milliseconds that the guest took."""
        head = f"POST /execute/plugin?func={func} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self.receive()
        head = received[:end].decode()
        length = int(re.search(r"(?i)\r\ncontent-length: ([0-9]+)", head)[1])
        while len(received) < end + 4 + length:
            received += self.receive()
        took = re.search(r"run;dur=([0-9.]+)", head)
        return int(head.split(" ")[1]), bytes(received[end + 4 :]), float(took[1]) if took else 0.0

    def receive(self) -> bytes:
        piece = self.socket.recv(1 << 16)
        if not piece:
            fail("the gateway closed the connection")
        return piece


def once(run) -> float:
    """Milliseconds that `run` takes."""
    begun = time.perf_counter()
    run()
    return (time.perf_counter() - begun) * 1000


class Comparison:
    def __init__(self):
        self.compared = 0
        self.different = []

    def note(self, what: str, theirs, ours, is_same: bool) -> None:
        self.compared += 1
        if not is_same:
            self.different.append(what)
            print(f"DIFFERENT: {what}\n  Extism:  {str(theirs)[:300]}\n  fuelbox: {str(ours)[:300]}")

    def outcome(self, name: str, module: str, func: str, data: bytes, config: dict) -> None:
        asked = {"module": module, "func": func, "config": config, "calls": 1, "timed": 0}
        theirs = with_extism(asked, data)["answers"][0]
        ours = with_fuelbox(module, func, config, data)
        self.note(f"{name} {func}, {len(data)} bytes {config or ''}", theirs, ours, same(theirs, ours))

    def warm(self, name: str, module: str) -> None:
        """Three calls of one instance, whose variables go on."""
        asked = {"module": module, "func": "count_vowels", "config": {}, "calls": 3, "timed": 0}
        theirs = [answer.get("output") for answer in with_extism(asked, HELLO)["answers"]]
        with Gateway(module) as gateway:
            ours = [gateway.call("count_vowels", HELLO)[1].hex() for _ in range(3)]
        self.note(f"{name} count_vowels, three times", theirs, ours, theirs == ours)


def times_of(name: str, module: str, func: str, data: bytes, runs: int, calls: int) -> tuple:
    """A row of the table, and what Python and its import of Extism took meanwhile."""
    asked = {"module": module, "func": func, "config": {}, "calls": 1, "timed": 0}
    turns = [
        lambda: with_fuelbox(module, func, {}, data),
        lambda: with_extism(asked, data),
        lambda: with_extism({}),
    ]
    # Whatever else the machine does is spread over all of them.
    ours, theirs, bare = (statistics.median(times) for times in zip(*([once(t) for t in turns] for _ in range(runs))))
    call_theirs = statistics.median(with_extism({**asked, "timed": calls}, data)["times"])
    with Gateway(module) as gateway:
        guest = []
        gateway.call(func, data)
        call_ours = statistics.median(once(lambda: guest.append(gateway.call(func, data)[2])) for _ in range(calls))
    row = [ours, theirs, call_ours, statistics.median(guest), call_theirs]
    return [f"{name} {func}, {len(data)} B", *(f"{value:.3f}" for value in row)], bare


def main(quick: bool) -> None:
    if not Path(FUELBOX).exists():
        fail(f"{FUELBOX} is not there: cargo build --release, or set FUELBOX")
    if not (VENV / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PACKAGES], check=True)

    plugins = []
    for name in PLUGINS:
        path = PREBUILT / f"{name}.wasm"
        if path.exists():
            plugins.append((Path(name).name, str(path)))
        else:
            print(f"left out: {name} is not built (scripts/build-guests.sh {Path(name).name})")
    comparison = Comparison()
    for name, module in plugins:
        for func, data, config in [
            ("count_vowels", HELLO, {}),
            ("count_vowels", b"", {}),
            ("count_vowels", HELLO, {"vowels": "lo", "other": "x"}),
            ("reverse", b"", {}),
            ("reverse", bytes(range(256)) + b"123", {}),
            ("reverse", MEGABYTE, {}),
            ("fail", b"that\nthing", {}),
            ("tell", b"hey", {}),
        ]:
            comparison.outcome(name, module, func, data, config)
        comparison.warm(name, module)
    edges = str(PREBUILT / "extism-edges.wasm")
    for func in re.findall(r'^  \(func \(export "(\w+)"\)', EDGES.read_text(), re.MULTILINE):
        comparison.outcome("extism-edges", edges, func, b"0123456789" if func == "input" else b"", {})
    print(f"{comparison.compared} outcomes compared, {len(comparison.different)} different\n")

    runs, calls = (3, 20) if quick else (15, 300)
    columns = ["fuelbox, process", "Extism, process", "fuelbox, call", "of it in the guest", "Extism, call"]
    bare = []
    print("| plug-in | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for name, module in plugins:
        for func, data in [("count_vowels", HELLO), ("reverse", MEGABYTE)]:
            # A megabyte takes a tenth of a second, not a tenth of a millisecond.
            row, python = times_of(name, module, func, data, runs, calls if len(data) < 1000 else max(calls // 15, 5))
            bare.append(python)
            print("| " + " | ".join(row) + " |", flush=True)
    print(f"\nPython starts and imports Extism in {statistics.median(bare):.3f} ms, which its whole processes hold.")
    sys.exit(1 if comparison.different else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2])
    elif sys.argv[1:] in ([], ["--quick"]):
        main(sys.argv[1:] == ["--quick"])
    else:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["--help"], ["-h"]) else 2)
