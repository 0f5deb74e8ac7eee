"""The gateway and the plug-in folder: start, first calls, requests, memory."""

import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time

from engines import BEFORE, FUELBOX, OUT
from processes import PREBUILT

WAIT = "60s"


def leb(value):
    """Signed LEB128 (core specification, section 5.2.2)."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            return bytes(out + bytes([byte]))
        out.append(byte | 0x80)


def unsigned(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def section(number, content):
    return bytes([number]) + unsigned(len(content)) + content


def module(seed, size=20_000):
    """A module of about `size` bytes that exports `add` and holds functions of arithmetic, no two alike."""
    bodies = [b"\x00\x20\x00\x20\x01\x6a\x0b"]
    length = state = 0
    while length < size - 100:
        code = b"\x00\x20\x00"
        for _ in range(25):
            state = (state * 1103515245 + 12345 + seed) & 0x7FFFFFFF
            code += b"\x41" + leb(state - 0x40000000) + (b"\x6a", b"\x73", b"\x6c")[state >> 8 & 1]
        bodies.append(code + b"\x20\x01\x6a\x0b")
        length += len(bodies[-1]) + 3
    count = unsigned(len(bodies))
    code = b"".join(unsigned(len(body)) + body for body in bodies)
    return (
        b"\0asm\1\0\0\0" + section(1, b"\x01\x60\x02\x7f\x7f\x01\x7f") + section(3, count + b"\0" * len(bodies))
        + section(7, b"\x01\x03add\x00\x00") + section(10, count + code)
    )


def plugins(count):
    folder = OUT / f"plugins-{count}"
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            (folder / f"p{number:04}.wasm").write_bytes(module(number))
    return folder


class Server:
    """A gateway on a port of its own, until it is left."""

    def __init__(self, folder, program=FUELBOX, flags=()):
        words = [program, "serve", "--listen", "127.0.0.1:0", "--timeout", WAIT]
        # wrk opens one more than it was told.
        words += ["--max-connections", "300"]
        said = subprocess.run([program, "serve", "--help"], capture_output=True, text=True).stdout
        if "--max-connections-per-client" in said:
            words += ["--max-connections-per-client", "300"]
        if "--isolation" in said and "--isolation" not in flags:
            words += ["--isolation", "thread"]
        words += ["--plugins", folder] if folder else []
        words += flags
        # In an empty folder, so that no ./plugins is found.
        (OUT / "empty").mkdir(exist_ok=True)
        begin = time.perf_counter()
        env = dict(os.environ, RUST_LOG="error")
        self.process = subprocess.Popen(words, cwd=OUT / "empty", env=env, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"on http://([\d.]+):(\d+)", line):
                break
        else:
            raise SystemExit("bench.sh: fuelbox serve did not start")
        self.ready_ms = (time.perf_counter() - begin) * 1000
        self.host, self.port = found[1], int(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stderr.close()

    def memory(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field))

    def processes(self):
        """It, and its processes for guests."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [self.process.pid] + [int(child) for task in tasks for child in task.read_text().split()]

    def proportional(self):
        """What all of them take together, in KiB: memory that several share counts once."""
        each = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes())
        return sum(int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1]) for rollup in each)

    def cpu_us(self):
        ticks = 0
        for pid in self.processes():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks * 1_000_000 // os.sysconf("SC_CLK_TCK")

    def wrk(self, path, body, connections, seconds, depth=1):
        """Requests a second, and CPU microseconds of the gateway for each; `depth` of them are sent at once."""
        script = OUT / f"post-{depth}.lua"
        many = f'init = function() many = string.rep(wrk.format("POST", "{path}"), {depth}) end\n'
        pipelined = many + "request = function() return many end\n" if depth > 1 else ""
        script.write_text(f'wrk.method = "POST"\nwrk.body = "{body}"\n{pipelined}')
        before = self.cpu_us()
        words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script]
        words.append(f"http://{self.host}:{self.port}{path}")
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        if bad := re.search(r"Non-2xx.*|Socket errors.*", said):
            raise SystemExit(f"bench.sh: wrk: {bad[0]}")
        count, rate = int(re.search(r"(\d+) requests in", said)[1]), float(re.search(r"Requests/sec: +([\d.]+)", said)[1])
        late = re.search(r"99% +([\d.]+)(us|ms|s)", said)
        late = float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]]
        return {"requests/s": rate, "p99 ms": late, "CPU µs/request": (self.cpu_us() - before) / count, "count": count}


class Ancestor(Server):
    """gowasmrunner, on a port that was free a moment ago."""

    GREET = "/execute/plugin-greet.wasm?func=greet"

    def __init__(self, program):
        folder = OUT / "gowasmrunner"
        folder.mkdir(exist_ok=True)
        shutil.copy(PREBUILT / "greet.wasm", folder / "plugin-greet.wasm")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.host, self.port = free.getsockname()
        words = [program, "-mode", "server", "-port", str(self.port), "-plugins", folder]
        # It writes a line for each request; a pipe would fill up.
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                return socket.create_connection((self.host, self.port)).close()
            except OSError:
                time.sleep(0.05)
        raise SystemExit("bench.sh: gowasmrunner did not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def ready(folder, rounds, flags=()):
    times = []
    for _ in range(rounds):
        with Server(folder, flags=flags) as server:
            times.append(server.ready_ms)
    return statistics.median(times)


def first_and_later(folder, path, rounds):
    """Milliseconds of the first call of a program after it was loaded, and of the median of 20 more."""
    firsts, laters = [], []
    for _ in range(rounds):
        with Server(folder) as server:
            connection = http.client.HTTPConnection(server.host, server.port)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            times = []
            for _ in range(21):
                begin = time.perf_counter()
                connection.request("POST", path)
                answer = connection.getresponse()
                answer.read()
                times.append((time.perf_counter() - begin) * 1000)
                if answer.status != 200:
                    raise SystemExit(f"bench.sh: POST {path} answered {answer.status}")
            firsts.append(times[0])
            laters.append(statistics.median(times[1:]))
            connection.close()
    return statistics.median(firsts), statistics.median(laters)


def row(what, value, unit, most=None):
    met = None if most is None else value <= most
    return {"what": what, "value": value, "unit": unit, "most": most, "met": met}


def load(rounds, _):
    few = max(3, rounds // 8)
    rows = [row("1,000 plug-ins of 20 KB until ready", ready(plugins(1000), few), "ms", 1000)]
    source = PREBUILT / "large" / "hello-go.wasm"
    guests = [("Rust", PREBUILT / "hello-rust.wasm"), ("C", PREBUILT / "hello-c.wasm")]
    if source.exists():
        guests.insert(0, ("Go", source))
    else:
        print("load: Go skipped: scripts/build-guests.sh hello-go")
    rows.append(row("the same, loaded in processes", ready(plugins(1000), few, ["--isolation", "process"]), "ms"))
    empty = OUT / "plugins-none"
    empty.mkdir(exist_ok=True)
    idle = ready(empty, few)
    rows.append(row("no plug-in until ready", idle, "ms"))
    for language, path in guests:
        folder = OUT / f"plugins-{path.stem}"
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder)
        alone = ready(folder, few) - idle
        rows.append(row(f"the {language} program, beyond that", alone, "ms", 15 if language == "Go" else None))
        first, later = first_and_later(folder, f"/execute/{path.stem}", few)
        rows.append(row(f"a later call of the {language} program", later, "ms"))
        rows.append(row("its first call, to that", first / later, "×", 2))
    return rows


def seconds(rounds):
    return 2 if rounds <= 5 else 5


def gateway(rounds, _):
    """The gateway, beside another build of it and its ancestor: in turns, the medians of three."""
    with contextlib.ExitStack() as stack:
        servers = {"": (stack.enter_context(Server(None)), "/execute/greet")}
        # One client has all connections here; with its usual share it would be told to wait.
        flags = ["--isolation", "process", "--workers", "4", "--client-share", "100", "--queue", "1000"]
        isolated = stack.enter_context(Server(None, FUELBOX, flags))
        servers[", guests in processes"] = (isolated, "/execute/greet")
        if BEFORE:
            servers[", before"] = (stack.enter_context(Server(None, BEFORE)), "/execute/greet")
        if ancestor := shutil.which("gowasmrunner"):
            servers[", gowasmrunner"] = (stack.enter_context(Ancestor(ancestor)), Ancestor.GREET)
        time.sleep(0.5)
        rows = [row("idle, with the built-in guests", servers[""][0].memory(), "KiB", 5120)]
        for connections, depth in ((16, 1), (256, 1), (64, 16)):
            seen = {name: [] for name in servers}
            for _ in range(3):
                for name, (server, path) in servers.items():
                    seen[name].append(server.wrk(path, "World", connections, seconds(rounds), depth))
            of_each = f"{connections} connections" + (f", {depth} requests at once" if depth > 1 else "")
            for name, figures in seen.items():
                for unit in ("requests/s", "CPU µs/request", "p99 ms"):
                    median = statistics.median(figure[unit] for figure in figures)
                    rows.append(row(of_each + name, median, unit))
        rows.append(row("4 processes and a spare one, in all", isolated.proportional(), "KiB", 10240))
        rows += replaced(rounds)
    return rows


def replaced(rounds):
    """Calls of two plug-ins in turn by one worker, whose process is replaced each time, beside calls of one."""
    with Server(None, FUELBOX, ["--isolation", "process", "--workers", "1"]) as server:
        connection = http.client.HTTPConnection(server.host, server.port)

        def call(path, body):
            # Time for a spare process to be there.
            time.sleep(0.01)
            begin = time.perf_counter()
            connection.request("POST", path, body)
            connection.getresponse().read()
            return (time.perf_counter() - begin) * 1000

        alternating, same = [], []
        for _ in range(30 if rounds <= 5 else 300):
            alternating.append(call("/execute/greet", "World"))
            alternating.append(call("/execute/add?func=add", "1 2"))
            same.append(call("/execute/add?func=add", "1 2"))
        connection.close()
    late = [sorted(times)[int(len(times) * 0.99)] for times in (alternating, same)]
    return [
        row("a call that replaces a process", statistics.median(alternating), "ms"),
        row("a call that does not", statistics.median(same), "ms"),
        row("the 99th percentile of the first, beyond that of the second", late[0] - late[1], "ms", 1),
    ]


def growth(rounds, _):
    counts = (1, 100, 1000)
    costs = {count: [] for count in counts}
    # In turns, and the watch's looks at the folder with them.
    for _ in range(3):
        for count in counts:
            with Server(plugins(count)) as server:
                path = f"/execute/p{count // 2:04}?func=add"
                server.wrk(path, "10 20", 16, 1)
                costs[count].append(server.wrk(path, "10 20", 16, seconds(rounds))["CPU µs/request"])
    medians = {count: statistics.median(values) for count, values in costs.items()}
    rows = [row(f"{count} plug-ins", medians[count], "CPU µs/request") for count in counts]
    rows += [row(f"{count} plug-ins, to 1", medians[count] / medians[1], "×", 1.1) for count in counts[1:]]
    return rows


def memory(rounds, full):
    wanted = 1_000_000 if full else 20_000 if rounds <= 5 else 100_000
    with Server(None) as server:
        server.wrk("/execute/greet", "World", 16, 2)
        before, done = server.memory(), 0
        while done < wanted:
            done += server.wrk("/execute/greet", "World", 16, 2)["count"]
        after = server.memory()
    return [row(f"before {done} requests", before, "KiB"), row("after them, to that", after / before, "×", 1.02)]


CASES = {"load": load, "gateway": gateway, "growth": growth, "memory": memory}
NEED_WRK = ("gateway", "growth", "memory")
