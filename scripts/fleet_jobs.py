#!/usr/bin/env python3
"""Publishes jobs to a fleet, and checks that each has one result, and the right one. Needs nats-py.

    fleet_jobs.py --nats nats://127.0.0.1:4222 --stream jobs --jobs 100000

The plug-in is `greet` of this repository; the streams are there, and nodes take from them, now or later. Prints one line of
JSON, and ends with 1 if a job is lost, doubled, wrong or dead.
"""

import argparse
import asyncio
import json
import sys
import time

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

# A message that the server did not confirm is sent again; its id keeps it from being a second job.
ATTEMPTS_MAX = 60
# How long nothing may be stored before the rest is given up for lost.
STALL_S = 180
BATCH = 1000


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nats", default="nats://127.0.0.1:4222", help="server (repeat with commas)")
    parser.add_argument("--stream", default="jobs")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--subject", default="fuelbox.jobs.greet.greet")
    parser.add_argument("--in-flight", type=int, default=512, help="jobs that the server has not confirmed, at most")
    parser.add_argument("--run", default=f"{time.time_ns():x}", help="what the ids of the jobs begin with")
    parser.add_argument("--stall", type=float, default=STALL_S, help="seconds without a new result until it gives up")
    return parser.parse_args()


async def publish(js, flags):
    """Sends all jobs. The number of those that had to be sent again."""
    gate, again = asyncio.Semaphore(flags.in_flight), 0

    async def send(n):
        nonlocal again
        try:
            for attempt in range(ATTEMPTS_MAX):
                try:
                    headers = {"Nats-Msg-Id": f"{flags.run}-{n}"}
                    await js.publish(flags.subject, f"{flags.run} {n}".encode(), headers=headers, timeout=5)
                    return
                except Exception as error:
                    if attempt + 1 == ATTEMPTS_MAX:
                        raise SystemExit(f"job {n} could not be published: {error!r}") from error
                    again += 1
                    await asyncio.sleep(min(1, 0.05 * (attempt + 1)))
        finally:
            gate.release()

    tasks = set()
    for n in range(flags.jobs):
        await gate.acquire()
        task = asyncio.create_task(send(n))
        tasks.add(task)
        # An error ends all.
        task.add_done_callback(lambda task: tasks.discard(task) if not task.exception() else None)
    await asyncio.gather(*tasks)
    return again


async def messages(js, stream):
    """How many messages a stream has; None while it cannot be asked."""
    try:
        return (await js.stream_info(stream)).state.messages
    except Exception:
        return None


async def known(js, stream):
    """The same, asked until it is known."""
    for _ in range(ATTEMPTS_MAX):
        if (count := await messages(js, stream)) is not None:
            return count
        await asyncio.sleep(0.5)
    raise SystemExit(f"stream {stream} cannot be asked")


async def read(js, stream, subject, flags, seen, enough):
    """Reads a stream from its first message and calls `seen` with each, until there are enough or nothing comes any more.

    A consumer lives in the memory of a server; when that is gone, another begins behind the last message that was read.
    """
    subscription, at, failures, last = None, 1, 0, time.monotonic()
    while time.monotonic() - last < flags.stall and not enough():
        try:
            if subscription is None:
                config = ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=at,
                    ack_policy=AckPolicy.NONE,
                    inactive_threshold=60,
                    mem_storage=True,
                )
                subscription = await js.pull_subscribe(subject, stream=stream, config=config)
            batch = await subscription.fetch(BATCH, timeout=1)
        except Exception:
            # Nothing yet, or the consumer is gone.
            failures += 1
            if failures % 3 == 0:
                subscription = None
            await asyncio.sleep(0.1)
            continue
        failures, last = 0, time.monotonic()
        for message in batch:
            # In order, so that the next consumer knows where to begin.
            if message.metadata.sequence.stream >= at:
                at = message.metadata.sequence.stream + 1
                seen(message)


async def main():
    flags = parse()

    async def quiet(_error):
        """Servers come and go; what matters is counted."""

    client = await nats.connect(
        flags.nats.split(","),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        name="fleet_jobs",
        error_cb=quiet,
    )
    js = client.jetstream(timeout=10, publish_async_max_pending=4 * flags.in_flight)
    try:
        for name in (flags.stream, f"{flags.stream}-results", f"{flags.stream}-dead"):
            await js.stream_info(name)
    except NotFoundError:
        raise SystemExit(f"there is no stream {name}")
    results, wrong, nodes, foreign, sequences = {}, [], {}, 0, set()

    def seen(message):
        nonlocal foreign
        # What counts is what the stream has, however often it is read.
        if message.metadata.sequence.stream in sequences:
            return
        sequences.add(message.metadata.sequence.stream)
        headers = message.headers or {}
        run, _, n = headers.get("Fuelbox-Job-Id", "").rpartition("-")
        if run != flags.run:
            foreign += 1
            return
        results[int(n)] = results.get(int(n), 0) + 1
        node = headers.get("Fuelbox-Node", "")
        nodes[node] = nodes.get(node, 0) + 1
        if message.data != f"Hello, {flags.run} {n}".encode() or headers.get("Fuelbox-Status") != "200":
            wrong.append(int(n))

    begun = time.monotonic()
    # Results are read while jobs are published, so that the time of both is known.
    reader = asyncio.create_task(
        read(js, f"{flags.stream}-results", "fuelbox.results.>", flags, seen, lambda: len(results) >= flags.jobs)
    )
    again = await publish(js, flags)
    published = time.monotonic() - begun
    await reader
    took = time.monotonic() - begun
    # What was stored twice may come behind the last that was missed: jobs that are left, and what is behind the reader.
    until = time.monotonic() + flags.stall
    while (left := await messages(js, flags.stream)) != 0 and time.monotonic() < until:
        await asyncio.sleep(0.5)
    stored, dead = [await known(js, f"{flags.stream}-{what}") for what in ("results", "dead")]
    await read_rest(js, flags, seen, stored, sequences)
    lost = [n for n in range(flags.jobs) if n not in results]
    doubled = [n for n, times in results.items() if times > 1]
    good = not (lost or doubled or wrong or dead or left)
    told = {
        "jobs": flags.jobs,
        "results": len(results),
        "lost": len(lost),
        "doubled": len(doubled),
        "wrong": len(wrong),
        "dead": dead,
        "left": left,
        "stored": stored,
        "foreign": foreign,
        "published_again": again,
        "publish_s": round(published, 2),
        "publish_per_s": round(flags.jobs / published),
        "all_s": round(took, 2),
        "done_per_s": round(len(results) / took),
        "nodes": dict(sorted(nodes.items())),
        "examples": {"lost": lost[:5], "doubled": doubled[:5], "wrong": wrong[:5]},
        "good": good,
    }
    print(json.dumps(told), flush=True)
    await client.close()
    sys.exit(0 if good else 1)


async def read_rest(js, flags, seen, stored, sequences):
    """Reads once more from the begin until the stream's last message has been seen."""
    if len(sequences) >= stored:
        return
    stream = f"{flags.stream}-results"
    await read(js, stream, "fuelbox.results.>", flags, seen, lambda: len(sequences) >= stored)


asyncio.run(main())
