# SPDX-License-Identifier: Apache-2.0
"""What moves links: a UDP socket, the clock, and if need be a TUN device. One thread; nothing moves
but in step, so a test that calls nothing is a peer that has gone silent."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from connectip.link import Link, Request

TIMEOUT_S = 20.0
STEP_S = 0.02

T = TypeVar("T")


class Driver:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setblocking(False)
        self.heard: list[bytes] = []  # UDP payloads that no link took
        self.tun = -1
        self.tunnel: Request | None = None

    @property
    def links(self) -> list[Link]:
        raise NotImplementedError

    def received(self, data: bytes, address: Any) -> None:
        raise NotImplementedError

    def attach(self, tun: int, tunnel: Request) -> None:
        """Packets of the device go into the tunnel, and those of the tunnel into the device."""
        os.set_blocking(tun, False)
        self.tun, self.tunnel = tun, tunnel
        tunnel.receive = lambda packet: (os.write(tun, packet), None)[1]

    def detach(self) -> None:
        self.tun = -1

    def step(self, seconds: float = STEP_S) -> None:
        self.send()
        now = time.monotonic()
        timers = [t for link in self.links if (t := link.quic.get_timer()) is not None]
        wait = max(0.0, min([now + seconds, *timers]) - now)
        watched = [self.sock.fileno()] + ([self.tun] if self.tun >= 0 else [])
        ready = select.select(watched, [], [], wait)[0]
        if self.sock.fileno() in ready:
            self._receive()
        if self.tun in ready:
            self._read_tun()
        self._expire()
        self.send()

    def until(self, what: str, check: Callable[[], Any], seconds: float = TIMEOUT_S) -> Any:
        """Go on to the first true value of check."""
        deadline = time.monotonic() + seconds
        self.step(0)
        while not (value := check()):
            state = [(link.closed, list(link.requests.values())) for link in self.links]
            assert time.monotonic() < deadline, f"not in {seconds} s: {what}: {state}"
            self.step()
        return value

    def during(self, work: Callable[[], T]) -> T:
        """Go on while something else is done that waits for us."""
        result: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                result.append(work())
            except BaseException as error:  # noqa: BLE001 (raised below)
                failure.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.until("done", lambda: not thread.is_alive(), 3 * TIMEOUT_S)
        if failure:
            raise failure[0]
        return result[0]

    def settle(self, link: Link) -> None:
        """Until the other end has had all that was sent so far, and we what it sent before that."""
        uid = len(link.pings) + 1000
        link.quic.send_ping(uid)
        self.until("ping", lambda: uid in link.pings or link.closed)

    def _receive(self) -> None:
        for _ in range(64):
            try:
                data, address = self.sock.recvfrom(65536)
            except BlockingIOError:
                break
            self.received(data, address)

    def _read_tun(self) -> None:
        assert self.tunnel
        for _ in range(64):
            try:
                packet = os.read(self.tun, 65536)
            except BlockingIOError:
                break
            self.tunnel.send_packet(packet)

    def _expire(self) -> None:
        now = time.monotonic()
        for link in self.links:
            timer = link.quic.get_timer()
            if timer is not None and timer <= now:
                link.quic.handle_timer(now)
            link.take_events()

    def send(self) -> None:
        for link in self.links:
            for data, address in link.quic.datagrams_to_send(time.monotonic()):
                self.sock.sendto(data, address)
