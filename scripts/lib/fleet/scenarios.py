"""What happens to a fleet, under load: each scenario prints one line of JSON, and fails if an answer was wrong."""

import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import nats
from load import TIMEOUT, Load
from processes import CONTINUE, STOP, Cluster, Node, Process, Proxy, until

BUCKET, JOBS = "plugins", "JOBS"
SETTLED, AFTER = 3.0, 6.0
# A kill is to be over after this many seconds; twice that fails the test, as a machine may be busy.
BACK = 2.0


async def quiet(_):
    """What is tried again is not worth a line."""


async def once(url):
    """A connection to one server, if it is there."""
    return await nats.connect(url, connect_timeout=1, allow_reconnect=False, error_cb=quiet)


class Fleet:
    """Three servers and three nodes, and the folder that they are in."""

    def __init__(self, fuelbox, server, folder):
        self.fuelbox, self.folder = fuelbox, folder
        self.cluster = Cluster(server, folder)
        self.flags = ["--nats-plugins", BUCKET, "--nats-jobs", JOBS, "--client-share", "100"]
        self.nodes = []

    def start(self, guests):
        self.cluster.start()
        until("the cluster has a leader", self.has_leader)
        self.cli("fleet", "init", "--nats-jobs", JOBS, "--replicas", "3")
        for number in range(3):
            # Each begins at another server.
            urls = self.cluster.urls[number:] + self.cluster.urls[:number]
            self.nodes.append(Node(self.fuelbox, self.folder, f"n{number + 1}", urls, self.flags))
            self.nodes[-1].start()
        until("three nodes report", lambda: len(json.loads(self.cli("fleet", "--json"))["nodes"]) == 3)
        self.cli("fleet", "deploy", "--wait", "30s", str(guests / "greet.wasm"))
        self.cli("fleet", "deploy", "--wait", "30s", str(guests / "fibonacci.wasm"))

    def has_leader(self):
        async def account():
            client = await once(self.cluster.urls[0])
            try:
                await client.jetstream().account_info()
            finally:
                await client.close()

        try:
            asyncio.run(asyncio.wait_for(account(), 3))
            return True
        except Exception:  # pylint: disable=broad-except
            return False

    def cli(self, *words, code=0):
        access = ["--nats", self.cluster.urls[0], "--nats", self.cluster.urls[1], "--nats", self.cluster.urls[2],
                  "--nats-plugins", BUCKET]
        done = subprocess.run([self.fuelbox, *words, *access], capture_output=True, text=True, timeout=120,
                              check=False)
        if done.returncode != code:
            raise SystemExit(f"fuelbox {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def everything(self):
        return self.nodes + self.cluster.servers

    def end(self):
        for process in self.everything():
            process.end()


def tell(name, **figures):
    print(json.dumps({"scenario": name, **figures}), flush=True)


async def disturbed(fleet, name, disturb, recover=None, after=AFTER, lost_for=2 * BACK):
    """Load, `disturb` after a while, `recover` later; figures of what the load saw. It fails if a request was answered wrongly,
    or if one that began `lost_for` seconds after the event or later had no answer; with -TIMEOUT, also one that was on its way.
    The rate is only printed: it depends on the machine, too."""
    async with Load(fleet.cluster.urls) as load:
        await asyncio.sleep(SETTLED)
        event = time.monotonic()
        before = load.rate_between(event - SETTLED + 1, event)
        await asyncio.to_thread(disturb)
        await asyncio.sleep(after)
        end = time.monotonic()
        if recover:
            await asyncio.to_thread(recover)
            await asyncio.sleep(2)
    back, low = load.recovery(event, end, before)
    last_lost = max((at - event for at in load.failed_at if event - TIMEOUT <= at < end), default=None)
    tell(name, rate_before=round(before), back_after_s=back, below_half_s=low, answered=len(load.done),
         asked_again=dict(load.failed), lost_until_s=last_lost and round(last_lost, 1), wrong=len(load.wrong), nodes=dict(load.nodes))
    if load.wrong:
        raise SystemExit(f"{name}: wrong answers: {load.wrong[:3]}")
    if None not in (lost_for, last_lost) and last_lost >= lost_for:
        raise SystemExit(f"{name}: a request that began {last_lost:.2f} s after it was lost")
    return load


async def leader_of(fleet, stream):
    for url in fleet.cluster.urls:
        try:
            client = await once(url)
            try:
                return (await client.jetstream().stream_info(stream)).cluster.leader
            finally:
                await client.close()
        except Exception:  # pylint: disable=broad-except
            continue
    raise SystemExit(f"no server knows the leader of {stream}")


async def kills(fleet):
    node = fleet.nodes[0]
    await disturbed(fleet, "kill -9 of a node", node.kill, node.start)
    leader = fleet.cluster.server(await leader_of(fleet, f"OBJ_{BUCKET}"))
    await disturbed(fleet, "kill -9 of the bucket's leader", leader.kill, leader.start)
    for server in fleet.cluster.servers:
        if server is not leader:
            await disturbed(fleet, f"kill -9 of server {server.name}", server.kill, server.start)
            break
    node = fleet.nodes[1]
    await disturbed(fleet, "SIGTERM of a node", node.stop, node.start, lost_for=-TIMEOUT)


async def slow(fleet):
    """A node that stops for some seconds; then one that gets little of the processor."""
    node = fleet.nodes[2]
    await disturbed(fleet, "a node that hangs (SIGSTOP)", lambda: node.send(STOP), lambda: node.send(CONTINUE),
                    lost_for=None)
    await asyncio.sleep(3)
    spinning = [["curl", "-s", "-m", "8", "-d", "92", "-o", os.devnull,
                 f"http://127.0.0.1:{node.port}/execute/fibonacci?func=fibonacci_recursive"]] * 8
    children = []
    await disturbed(fleet, "a node whose workers are taken",
                    lambda: children.extend(subprocess.Popen(command) for command in spinning), lost_for=None)
    for child in children:
        child.wait()


async def cut_off(fleet, fuelbox, guests):
    """A node behind a proxy that stops passing bytes, and passes them again."""
    proxy = Proxy(fleet.cluster.urls[0])
    await proxy.start()
    node = Node(fuelbox, fleet.folder, "cut", [proxy.url], fleet.flags)
    node.start()
    await asyncio.to_thread(shown, fleet, "cut", "greet")
    await disturbed(fleet, "a node that is cut off", proxy.is_open.clear, lost_for=None)
    await asyncio.to_thread(fleet.cli, "fleet", "deploy", "--name", "hi", str(guests / "add.wasm"))
    proxy.is_open.set()
    begin = time.monotonic()
    await asyncio.to_thread(shown, fleet, "cut", "hi")
    tell("the node that was cut off is back", caught_up_after_s=round(time.monotonic() - begin, 1))
    node.stop()
    await asyncio.to_thread(fleet.cli, "fleet", "remove", "hi")


def shown(fleet, node, plugin):
    def is_shown():
        document = json.loads(fleet.cli("fleet", "--json"))
        return f'"{plugin}"' in json.dumps([n for n in document["nodes"] if n["node"] == node])

    until(f"{node} reports {plugin}", is_shown, patience=60, pause=0.2)


async def bad_module(fleet):
    """A module that does not load is refused, and what it would replace goes on."""
    bad = fleet.folder / "bad.wasm"
    bad.write_bytes(b"\0asm\x01\0\0\0rubbish")

    def deploy():
        fleet.cli("fleet", "deploy", "--name", "greet", "--wait", "20s", str(bad), code=1)

    await disturbed(fleet, "a bad module is deployed", deploy)

    def canary():
        fleet.cli("fleet", "deploy", "--name", "greet", "--canary", "10%", "--wait", "20s", str(bad), code=1)

    await disturbed(fleet, "a bad module is deployed to a canary", canary)


async def processor(fleet):
    """Processor time for each request, where each of one, two and three nodes has as much to do."""
    figures, rate = {}, 400
    for count in (3, 2, 1):
        nodes = fleet.nodes[:count]
        await asyncio.sleep(2)
        async with Load(fleet.cluster.urls, senders=4 * count, rate=rate * count) as load:
            await asyncio.sleep(1)
            begin, cpu = len(load.done), sum(node.cpu_seconds() for node in nodes)
            await asyncio.sleep(8)
            answered, used = len(load.done) - begin, sum(node.cpu_seconds() for node in nodes) - cpu
        if load.wrong or not answered:
            raise SystemExit(f"{count} nodes: {answered} answers, wrong {load.wrong[:3]}, failed {dict(load.failed)}")
        figures[count] = (round(used / answered * 1e6), round(answered / 8))
        if count > 1:
            fleet.nodes[count - 1].stop()
    for node in fleet.nodes[1:]:
        node.start()
    tell("processor time for each request, by nodes", microseconds={n: us for n, (us, _) in figures.items()},
         requests_per_s={n: rate for n, (_, rate) in figures.items()},
         three_to_one_linear=round(figures[1][0] / figures[3][0], 2),
         under_load_kib=[node.resident_kib() for node in fleet.nodes[:1]])


async def memory(fleet, fuelbox):
    """Resident memory of a node with the same plug-ins, with NATS and without."""
    plain = Process("plain", [fuelbox, "serve", "--listen", "127.0.0.1:0", "--plugins",
                              str(fleet.nodes[0].folder), "--client-share", "100"], fleet.folder / "plain.log")
    node = Node(fuelbox, fleet.folder, "fresh", fleet.cluster.urls, fleet.flags)
    for guest in ("greet.wasm", "fibonacci.wasm"):
        shutil.copy(fleet.nodes[0].folder / guest, node.folder)
    plain.start()
    node.start()
    await asyncio.sleep(5)
    tell("resident memory (KiB)", without=plain.resident_kib(), with_nats=node.resident_kib(),
         more=node.resident_kib() - plain.resident_kib())
    plain.stop()
    node.stop()


async def fifty(fleet, fuelbox, guests):
    """Deployment to fifty nodes, each a process."""
    flags = ["--nats-plugins", BUCKET, "--isolation", "thread", "--workers", "1"]
    nodes = [Node(fuelbox, fleet.folder, f"m{number}", fleet.cluster.urls, flags) for number in range(50)]
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            await asyncio.to_thread(shown, fleet, node.name, "greet")
        begin = time.monotonic()
        said = await asyncio.to_thread(
            fleet.cli, "fleet", "deploy", "--name", "fifty", "--wait", "60s", str(guests / "add.wasm"))
        whole = time.monotonic() - begin
        begin = time.monotonic()
        await asyncio.to_thread(fleet.cli, "fleet", "deploy", "--name", "fifty", "--canary", "10%", "--wait", "60s",
                                str(guests / "greet.wasm"))
        tell("deployment to fifty nodes and three", seconds=round(whole, 1), said=said.splitlines()[-1],
             with_canary_s=round(time.monotonic() - begin, 1))
        await asyncio.to_thread(fleet.cli, "fleet", "remove", "fifty")
    finally:
        for node in nodes:
            node.end()


async def jobs(fleet, here, count):
    """A stream of jobs, while something is killed every five seconds."""
    command = [sys.executable, str(here / "fleet_jobs.py"), "--nats", ",".join(fleet.cluster.urls),
               "--stream", JOBS, "--jobs", str(count)]
    child = await asyncio.create_subprocess_exec(*command)
    victims, killed = fleet.everything(), 0
    while child.returncode is None:
        try:
            # The first one soon, for a few jobs.
            await asyncio.wait_for(child.wait(), 5 if killed else 1)
        except asyncio.TimeoutError:
            # Servers and nodes by turns; never two servers at a time.
            victim = victims[killed % len(victims)]
            killed += 1
            await asyncio.to_thread(victim.kill)
            await asyncio.sleep(1)
            await asyncio.to_thread(victim.start)
    tell("jobs with kills", jobs=count, kills=killed, exit=child.returncode)
    if child.returncode:
        raise SystemExit("jobs: lost, doubled or wrong (above)")


async def main():
    fuelbox, server, guests, count, wanted = sys.argv[1:6]
    here = pathlib.Path(__file__).resolve().parent.parent.parent
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(fuelbox, server, pathlib.Path(folder))
        parts = {
            "kills": lambda: kills(fleet),
            "slow": lambda: slow(fleet),
            "cut": lambda: cut_off(fleet, fuelbox, pathlib.Path(guests)),
            "bad": lambda: bad_module(fleet),
            "cpu": lambda: processor(fleet),
            "memory": lambda: memory(fleet, fuelbox),
            "fifty": lambda: fifty(fleet, fuelbox, pathlib.Path(guests)),
            "jobs": lambda: jobs(fleet, here, int(count)),
        }
        try:
            await asyncio.to_thread(fleet.start, pathlib.Path(guests))
            for name, part in parts.items():
                if wanted in ("all", name):
                    await part()
        finally:
            fleet.end()


if __name__ == "__main__":
    asyncio.run(main())
