# SPDX-License-Identifier: Apache-2.0
"""A way on which packets overtake each other."""

from __future__ import annotations

import contextlib
import heapq
import os
import random
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from world import Space

Address = tuple[str, int]


class Relay:
    """Stands for the edge, and lets packets wait for a random time, so that they overtake each other;
    some come twice."""

    def __init__(self, space: Space, front: Address, edge: Address) -> None:
        self.front, self.back = space.udp(*front), space.udp(front[0], 0)
        for sock in (self.front, self.back):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)  # whatever is lost is lost here
        self.edge = edge
        self.client: Address = ("", 0)
        self.waiting: list[tuple[float, int, bool, bytes]] = []
        self.random = random.Random(9484)
        self.passed = self.overtaken = self.latest = 0
        self.end, self.told = os.pipe()
        self.thread = threading.Thread(target=self._go)
        self.thread.start()

    def _put(self, data: bytes, *, up: bool) -> None:
        for _ in range(1 + (self.random.random() < 0.1)):
            self.passed += 1
            due = time.monotonic() + self.random.random() * 0.02
            heapq.heappush(self.waiting, (due, self.passed, up, data))

    def _send_due(self) -> float:
        """The time until the next one."""
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            _, number, up, data = heapq.heappop(self.waiting)
            self.overtaken += number < self.latest
            self.latest = max(number, self.latest)
            with contextlib.suppress(OSError):
                if up:
                    self.back.sendto(data, self.edge)
                else:
                    self.front.sendto(data, self.client)
        return max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1.0

    def _go(self) -> None:
        ready: list[object] = []
        while self.end not in ready:
            if self.front in ready:
                data, self.client = self.front.recvfrom(65536)
                self._put(data, up=True)
            if self.back in ready:
                self._put(self.back.recv(65536), up=False)
            ready = select.select([self.front, self.back, self.end], [], [], self._send_due())[0]

    def close(self) -> None:
        os.close(self.told)
        self.thread.join()
        os.close(self.end)
        self.front.close()
        self.back.close()


@contextmanager
def relaying(space: Space, front: Address, edge: Address) -> Iterator[Relay]:
    made = Relay(space, front, edge)
    try:
        yield made
    finally:
        made.close()
