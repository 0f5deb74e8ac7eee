#!/usr/bin/env python3
"""Load for test-replicas.sh: clients of a proxy, which count the requests that fail.

usage: replicas_load.py ADDRESS:PORT RESULT KIND...

KIND is GET, POST, STREAM (a GET whose response takes 1.5 s) or DIRECT (POST, without a proxy). The clients of a kind keep a
connection each; those of DIRECT open one for each request, and end when there is none to be had. The others end at SIGTERM. Then
RESULT has a line for each kind: kind, requests, failed, the longest time in ms, and what failed, with its number. A client does
not repeat a request, and connects again after one that failed.
"""
import collections
import http.client
import signal
import sys
import threading
import time

CLIENTS = {"GET": 4, "POST": 4, "STREAM": 2, "DIRECT": 24}
# Longer than anything waits in the gateways or the proxy.
PATIENCE = 30
REQUESTS = {
    "GET": ("GET", "/execute/hello-c", None, b"Hello, World"),
    "POST": ("POST", "/execute/greet", b"World", b"Hello, World"),
    "STREAM": ("GET", "/execute/http-stream/say-one/sleep-1500/say-two", None, b"one\ntwo"),
    "DIRECT": ("POST", "/execute/greet", b"World", b"Hello, World"),
}
stop = threading.Event()


class Count:
    def __init__(self):
        self.sent = 0
        self.longest = 0.0
        self.failures = collections.Counter()


def client(kind, address, count):
    method, path, body, expected = REQUESTS[kind]
    is_direct = kind == "DIRECT"
    connection = None
    while not stop.is_set():
        begin = time.monotonic()
        failure = None
        try:
            if connection is None:
                connection = http.client.HTTPConnection(address, timeout=PATIENCE)
                try:
                    connection.connect()
                except OSError:
                    # Nothing was sent.
                    if is_direct:
                        return
                    raise
            connection.request(method, path, body)
            response = connection.getresponse()
            content = response.read()
            if response.status != 200:
                failure = str(response.status)
            elif content.strip() != expected:
                failure = "another-body"
        except (OSError, http.client.HTTPException) as error:
            failure = type(error).__name__
        count.sent += 1
        count.longest = max(count.longest, time.monotonic() - begin)
        if failure is not None:
            count.failures[failure] += 1
        if failure is not None or is_direct:
            connection.close()
            connection = None
        # A steady load, not all that the machine can do: what is tested is who is lost.
        if not is_direct:
            time.sleep(0.005)


def main():
    address, result, *kinds = sys.argv[1:]
    counts = [(kind, Count()) for kind in kinds for _ in range(CLIENTS[kind])]
    threads = [threading.Thread(target=client, args=(kind, address, count)) for kind, count in counts]
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    for thread in threads:
        thread.start()
    for thread in threads:
        # A thread that is waited for without a timeout keeps signals away.
        while thread.is_alive():
            thread.join(0.1)
    with open(result, "w", encoding="utf-8") as out:
        for kind in kinds:
            of_kind = [count for name, count in counts if name == kind]
            failures = sum((count.failures for count in of_kind), collections.Counter())
            what = ",".join(f"{name}:{number}" for name, number in sorted(failures.items()))
            sent = sum(count.sent for count in of_kind)
            longest = max(count.longest for count in of_kind) * 1000
            print(kind, sent, failures.total(), f"{longest:.0f}", what or "-", file=out)


main()
