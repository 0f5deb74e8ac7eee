"""The gateway: requests, memory, and what plug-ins and replaced processes cost."""

import http.client
import time

import engines
from plugins import generated
from server import IN_PROCESSES, Server, all_servers, call_ms
from stats import add, quantity

# Connections, and requests that each sends at once.
LOADS = {"16": (16, 1), "256": (256, 1), "pipelined": (64, 16)}
UNITS = {"rate": ("requests/s", "more"), "cpu": ("CPU µs/request", "less"), "p99": ("ms", "less")}
PAIRS = [
    ("static", "fuelbox"), ("static processes", "processes"), ("processes", "fuelbox"), ("fuelbox", "before"),
    ("processes", "before processes"),
]


def gateway(options):
    """Requests to every build and to gowasmrunner, in turns."""
    samples = {}
    with all_servers() as servers:
        for server in servers.values():
            server.wrk(server.greet, "World", 16, 1)
        for _ in range(options.few):
            for load, (connections, depth) in LOADS.items():
                for engine, server in servers.items():
                    seen = server.wrk(server.greet, "World", connections, options.seconds, depth)
                    for figure in UNITS:
                        if figure in seen:
                            add(samples, f"{figure} {load}", engine, seen[figure])
    return {
        figure: quantity(*UNITS[figure.split()[0]], values, "gowasmrunner", PAIRS)
        for figure, values in samples.items()
    }


def idle(options):
    """Memory of a server that has had no request, 7 s after its start: by then threads of the start have ended."""
    samples = {}
    for _ in range(1 if options.quick else 5):
        with all_servers(["--isolation", "process"]) as servers:
            time.sleep(7)
            for engine, server in servers.items():
                add(samples, "server", engine, server.memory_mib())
    pairs = [("fuelbox", "before"), ("processes", "before processes")]
    return {name: quantity("MiB", "less", values, "gowasmrunner", pairs) for name, values in samples.items()}


def replaced(options):
    """Calls of two plug-ins in turn by one worker, whose process is replaced each time, beside calls of one. And what
    a server with four processes and a spare one takes after requests."""
    samples = {}
    for _ in range(options.few):
        with Server(None, engines.build("fuelbox"), ["--isolation", "process", "--workers", "1"]) as server:
            calls = replacing_calls(server, 30 if options.quick else 100)
        late = {name: sorted(times)[int(len(times) * 0.99)] for name, times in calls.items()}
        add(samples, "p99 beyond", "fuelbox", late["replaced"] - late["kept"])
        for name, times in calls.items():
            add(samples, name, "fuelbox", sorted(times)[len(times) // 2])
        for build, engine in (("fuelbox", "processes"), ("static", "static processes")):
            if program := engines.build(build):
                with Server(None, program, IN_PROCESSES) as server:
                    server.wrk(server.greet, "World", 16, 1)
                    add(samples, "4 processes", engine, server.proportional_mib())
    units = {"4 processes": "MiB"}
    return {name: quantity(units.get(name, "ms"), "less", values) for name, values in samples.items()}


def replacing_calls(server, count):
    connection = http.client.HTTPConnection(server.host, server.port)

    def call(path, body):
        # Time for a spare process to be there.
        time.sleep(0.01)
        return call_ms(connection, path, body)

    times = {"replaced": [], "kept": []}
    for _ in range(count):
        times["replaced"].append(call("/execute/greet", "World"))
        times["replaced"].append(call("/execute/add?func=add", "1 2"))
        times["kept"].append(call("/execute/add?func=add", "1 2"))
    connection.close()
    return times


def growth(options):
    """CPU time for a request with more plug-ins, as ratios to one plug-in. The scans of the folder count too."""
    samples = {}
    for _ in range(options.few):
        for count in (1, 100, 1000):
            with Server(generated(count), engines.build("fuelbox")) as server:
                path = f"/execute/p{count // 2:04}?func=add"
                server.wrk(path, "10 20", 16, 1)
                seen = server.wrk(path, "10 20", 16, options.seconds)
                add(samples, "cpu", f"{count} plug-ins" if count > 1 else "1 plug-in", seen["cpu"])
    return {"cpu": quantity("CPU µs/request", "less", samples["cpu"], "1 plug-in")}


def memory(options):
    """The server's memory before and after many requests."""
    wanted = 1_000_000 if options.full else 20_000 if options.quick else 100_000
    samples = {}
    for _ in range(1 if options.quick else 3):
        for engine, program in engines.builds().items():
            with Server(None, program) as server:
                server.wrk(server.greet, "World", 16, 2)
                before, done = server.memory_mib(), 0
                while done < wanted:
                    done += server.wrk(server.greet, "World", 16, 2)["count"]
                add(samples, "after", engine, server.memory_mib())
                add(samples, "to before the requests", engine, server.memory_mib() / before)
    units = {"after": "MiB", "to before the requests": "×"}
    return {name: quantity(units[name], "less", values) for name, values in samples.items()}


CASES = {"gateway": gateway, "idle": idle, "replaced": replaced, "growth": growth, "memory": memory}
NEED_WRK = ("gateway", "replaced", "growth", "memory")
