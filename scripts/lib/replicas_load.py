#!/usr/bin/env python3
"""Load for test-replicas.sh: clients of a proxy, which count the requests that fail.

usage: replicas_load.py ADDRESS:PORT RESULT

Half of the clients send GET, the other half POST, each by one connection that it keeps. They stop at SIGTERM; then RESULT has a
line for each method: method, requests, failed, the longest time in ms, and what failed, with its number. A client does not
repeat a request, and connects again after one that failed.
"""
import collections
import http.client
import signal
import sys
import threading
import time

CLIENTS = 8
# Longer than anything waits in the gateways or the proxy.
PATIENCE = 30
REQUESTS = {
    "GET": ("/execute/hello-c", None, b"Hello, World"),
    "POST": ("/execute/greet", b"World", b"Hello, World"),
}
stop = threading.Event()


class Count:
    def __init__(self):
        self.sent = 0
        self.longest = 0.0
        self.failures = collections.Counter()


def client(method, address, count):
    path, body, expected = REQUESTS[method]
    connection = None
    while not stop.is_set():
        begin = time.monotonic()
        failure = None
        try:
            if connection is None:
                connection = http.client.HTTPConnection(address, timeout=PATIENCE)
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
            connection.close()
            connection = None
        # A steady load, not all that the machine can do: what is tested is who is lost.
        time.sleep(0.005)


def main():
    address, result = sys.argv[1:]
    counts = [("GET" if number % 2 else "POST", Count()) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client, args=(method, address, count)) for method, count in counts]
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    for thread in threads:
        thread.start()
    for thread in threads:
        # A thread that is waited for without a timeout keeps signals away.
        while thread.is_alive():
            thread.join(0.1)
    with open(result, "w", encoding="utf-8") as out:
        for method in REQUESTS:
            of_method = [count for name, count in counts if name == method]
            failures = sum((count.failures for count in of_method), collections.Counter())
            what = ",".join(f"{name}:{number}" for name, number in sorted(failures.items()))
            sent = sum(count.sent for count in of_method)
            longest = max(count.longest for count in of_method) * 1000
            print(method, sent, failures.total(), f"{longest:.0f}", what or "-", file=out)


main()
