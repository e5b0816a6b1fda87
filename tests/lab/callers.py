#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Callers that do not stop: each makes a connection, one request, and the next, until SIGTERM.

Then one line of JSON: how often each answer came ("200"), or what else ("ConnectionRefusedError"),
and the longest time without any answer.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import threading
import time
from collections import Counter

TIMEOUT_S = 10.0


class Callers:
    """All of them, and what they were told."""

    def __init__(self, address: str, port: int, host: str) -> None:
        self.to = (address, port)
        self.request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        self.lock = threading.Lock()
        self.answers: Counter[str] = Counter()
        self.last = time.monotonic()
        self.gap = 0.0
        self.stopping = threading.Event()

    def call(self) -> str:
        """One request: its status, or why there is none."""
        try:
            with socket.create_connection(self.to, timeout=TIMEOUT_S) as s:
                s.sendall(self.request)
                answer = b""
                while data := s.recv(65536):
                    answer += data
        except OSError as error:
            return type(error).__name__
        return answer[9:12].decode() if answer.startswith(b"HTTP/1.1 ") else "nothing"

    def run(self) -> None:
        """One caller."""
        while not self.stopping.is_set():
            answer = self.call()
            with self.lock:
                now = time.monotonic()
                self.gap = max(self.gap, now - self.last)
                self.last = now
                self.answers[answer] += 1


def main() -> None:
    """Until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("host")
    parser.add_argument("--callers", type=int, default=4)
    o = parser.parse_args()
    callers = Callers(o.address, o.port, o.host)
    signal.signal(signal.SIGTERM, lambda *_: callers.stopping.set())
    threads = [threading.Thread(target=callers.run) for _ in range(o.callers)]
    for thread in threads:
        thread.start()
    print("started", flush=True)
    callers.stopping.wait()
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": callers.answers, "gap": callers.gap}))


if __name__ == "__main__":
    main()
