"""NATS servers, fuelbox nodes, and a proxy that can stop: all on loopback, each ended by its process id."""

import asyncio
import os
import pathlib
import signal
import socket
import subprocess
import time

SERVER_CONFIG = """
listen: 127.0.0.1:{port}
server_name: {name}
jetstream {{ store_dir: "{store}", max_memory_store: 64MB, max_file_store: 4GB }}
cluster {{
  name: fleet
  listen: 127.0.0.1:{cluster_port}
  no_advertise: true
  routes: [{routes}]
}}
ping_interval: "5s"
ping_max: 2
"""


def free_ports(count):
    """Ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Process:
    """A program that is started, ended, and started again."""

    def __init__(self, name, command, log):
        self.name, self.command, self.log, self.child = name, command, log, None

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def send(self, number):
        self.child.send_signal(number)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self, patience=30):
        self.child.terminate()
        self.child.wait(patience)

    def end(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def cpu_seconds(self):
        """Processor time of it and of its children until now."""
        ticks = os.sysconf("SC_CLK_TCK")
        pids, seconds = [self.child.pid], 0
        for pid in pids:
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    pids += [int(child) for child in (task / "children").read_text().split()]
            except FileNotFoundError:
                continue
            # utime, stime, and those of children that have ended.
            seconds += sum(int(field) for field in stat[11:15]) / ticks
        return seconds

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0


class Cluster:
    """Three servers with JetStream."""

    def __init__(self, program, folder, count=3):
        ports = free_ports(2 * count)
        self.urls = [f"nats://127.0.0.1:{port}" for port in ports[:count]]
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in ports[count:])
        self.servers = []
        for number in range(count):
            name, config = f"s{number + 1}", folder / f"s{number + 1}.conf"
            store = folder / f"store-{name}"
            config.write_text(SERVER_CONFIG.format(
                port=ports[number], name=name, store=store, cluster_port=ports[count + number], routes=routes))
            self.servers.append(Process(name, [program, "-c", str(config)], folder / f"{name}.log"))

    def start(self):
        for server in self.servers:
            server.start()

    def server(self, name):
        return next(server for server in self.servers if server.name == name)

    def end(self):
        for server in self.servers:
            server.end()


class Node(Process):
    """A fuelbox node with a plug-in folder of its own."""

    def __init__(self, program, folder, name, urls, flags):
        self.folder = folder / f"plugins-{name}"
        self.folder.mkdir(exist_ok=True)
        self.port = free_ports(1)[0]
        command = [program, "serve", "--listen", f"127.0.0.1:{self.port}", "--plugins", str(self.folder),
                   "--nats-node", name, *flags]
        for url in urls:
            command += ["--nats", url]
        super().__init__(name, command, folder / f"{name}.log")


class Proxy:
    """Passes bytes between clients and a server, until it is told to stop passing them: a network that is cut."""

    def __init__(self, url):
        self.target = int(url.rpartition(":")[2])
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.port, self.server = None, None

    async def start(self):
        self.server = await asyncio.start_server(self.pass_on, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    async def pass_on(self, reader, writer):
        try:
            await self.is_open.wait()
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self.copy(reader, there_writer), self.copy(there_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def copy(self, reader, writer):
        try:
            while data := await reader.read(65536):
                await self.is_open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def until(what, is_so, patience=30, pause=0.05):
    """Waits until `is_so`; a failure if it never is."""
    end = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"not in time: {what}")
        time.sleep(pause)


STOP, CONTINUE = signal.SIGSTOP, signal.SIGCONT
