"""A constant load of requests by NATS, from outside of the fleet."""

import asyncio
import collections
import time

import nats

# Requests are answered in milliseconds; one on a node that died is asked again after this.
TIMEOUT = 1.0
WINDOW = 0.2


async def connect(urls):
    async def quiet(_):
        pass

    return await nats.connect(urls, reconnect_time_wait=0.05, max_reconnect_attempts=-1, ping_interval=2,
                              max_outstanding_pings=2, error_cb=quiet, connect_timeout=1)


class Load:
    """Asks as fast as `senders` requests at a time allow, and checks each answer."""

    def __init__(self, urls, senders=8, rate=None):
        self.urls, self.senders, self.rate = urls, senders, rate
        self.done, self.nodes = [], collections.Counter()
        self.wrong, self.failed, self.failed_at, self.latencies = [], collections.Counter(), [], []
        self.running = False

    async def __aenter__(self):
        # Each its own connection, to different servers first: what happens to one does not stop all.
        self.clients = [await connect(self.urls[n % len(self.urls):] + self.urls[:n % len(self.urls)])
                        for n in range(min(self.senders, len(self.urls)))]
        self.running, self.begin = True, time.monotonic()
        self.tasks = [asyncio.create_task(self.send(n)) for n in range(self.senders)]
        return self

    async def __aexit__(self, *_):
        self.running = False
        await asyncio.gather(*self.tasks)
        for client in self.clients:
            await client.close()

    async def send(self, sender):
        number, pause = 0, self.senders / self.rate if self.rate else 0
        client = self.clients[sender % len(self.clients)]
        while self.running:
            number += 1
            text = f"{sender}-{number}"
            begin = time.monotonic()
            if await self.ask(client, text.encode()):
                self.done.append(time.monotonic())
                self.latencies.append(time.monotonic() - begin)
            await asyncio.sleep(max(0, pause - (time.monotonic() - begin)))

    async def ask(self, client, text):
        """Until it is answered: a greeting may be asked for twice."""
        while self.running:
            begin = time.monotonic()
            try:
                answer = await client.request("fuelbox.execute.greet", text, timeout=TIMEOUT)
            except Exception as error:  # pylint: disable=broad-except
                self.failed[type(error).__name__] += 1
                self.failed_at.append(begin)
                await asyncio.sleep(0.01)
                continue
            status = (answer.headers or {}).get("Fuelbox-Status")
            if status == "503":
                self.failed["503"] += 1
                continue
            if status != "200" or answer.data != b"Hello, " + text:
                self.wrong.append((status, text, answer.data[:200]))
                return False
            self.nodes[answer.headers["Fuelbox-Node"]] += 1
            return True
        return False

    def rate_between(self, begin, end):
        return sum(begin <= at < end for at in self.done) / (end - begin)

    def recovery(self, event, end, before):
        """Seconds after `event` until a window has nine tenths of the rate `before`, and how long less than half was had."""
        windows, at = [], event
        while at + WINDOW <= end:
            windows.append(self.rate_between(at, at + WINDOW))
            at += WINDOW
        back = next((n for n, rate in enumerate(windows)
                     if rate >= 0.9 * before and all(r >= 0.5 * before for r in windows[n:])), None)
        low = sum(rate < 0.5 * before for rate in windows) * WINDOW
        return (None if back is None else round((back + 1) * WINDOW, 1)), round(low, 1)
