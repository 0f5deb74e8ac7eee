"""A gateway that is measured: its start, its memory, its CPU time, and wrk in front of it."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import engines
from engines import OUT
from processes import PREBUILT

WAIT = "60s"
# One client has all connections here; with its usual share it would be told to wait.
IN_PROCESSES = ["--isolation", "process", "--workers", "4", "--client-share", "100", "--queue", "1000"]


class Server:
    """A gateway on a port of its own, until it is left."""

    def __init__(self, folder, program, flags=()):
        words = [program, "serve", "--listen", "127.0.0.1:0", "--timeout", WAIT]
        # wrk opens one more than it was told.
        words += ["--max-connections", "300"]
        said = engines.said([program, "serve", "--help"])
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
            raise SystemExit(f"bench.sh: {program} serve did not start")
        self.ready_ms = (time.perf_counter() - begin) * 1000
        self.host, self.port, self.greet = found[1], int(found[2]), "/execute/greet"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()

    def memory_mib(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def processes(self):
        """It, and its processes for guests."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [self.process.pid] + [int(child) for task in tasks for child in task.read_text().split()]

    def proportional_mib(self):
        """What all of them take together: memory that several share counts once."""
        each = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes())
        return sum(int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1]) for rollup in each) / 1024

    def cpu_us(self):
        ticks = 0
        for pid in self.processes():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks * 1_000_000 // os.sysconf("SC_CLK_TCK")

    def wrk(self, path, body, connections, seconds, depth=1):
        """Requests a second, CPU microseconds of the gateway for each, and the 99th percentile of the latency.

        `depth` requests are sent at once; wrk times only the first answer of such a batch, so then there is no latency.
        """
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
        count = int(re.search(r"(\d+) requests in", said)[1])
        figures = {"count": count, "cpu": (self.cpu_us() - before) / count}
        figures["rate"] = float(re.search(r"Requests/sec: +([\d.]+)", said)[1])
        if depth == 1:
            late = re.search(r"99% +([\d.]+)(us|ms|s)", said)
            figures["p99"] = float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]]
        return figures


class Ancestor(Server):
    """gowasmrunner, on a port that was free a moment ago."""

    def __init__(self, program):
        folder = OUT / "gowasmrunner"
        folder.mkdir(exist_ok=True)
        shutil.copy(PREBUILT / "greet.wasm", folder / "plugin-greet.wasm")
        self.greet = "/execute/plugin-greet.wasm?func=greet"
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


def call_ms(connection, path, body=None, method="POST"):
    """Milliseconds of a request, until its answer is read."""
    begin = time.perf_counter()
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"bench.sh: {method} {path} answered {answer.status}")
    return (time.perf_counter() - begin) * 1000


def has_isolation(program):
    return "--isolation" in engines.said([program, "serve", "--help"])


@contextlib.contextmanager
def all_servers(processes=IN_PROCESSES):
    """Every build with guests in threads, those of full size with guests in processes too (with the flags
    `processes`), and gowasmrunner."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, program in engines.builds().items():
            servers[name] = stack.enter_context(Server(None, program))
            if name != "small" and has_isolation(program):
                servers[engines.in_processes(name)] = stack.enter_context(Server(None, program, processes))
        if program := shutil.which("gowasmrunner"):
            servers["gowasmrunner"] = stack.enter_context(Ancestor(program))
        yield servers
