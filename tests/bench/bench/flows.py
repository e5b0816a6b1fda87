# SPDX-License-Identifier: Apache-2.0
"""Begins a TCP connection at short intervals and says of each that was answered when it began and
when the answer was there: flows.py ADDRESS PORT INTERVAL_MS. The service echoes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import sys
import time

GIVE_UP_S = 2.0
ABORT = struct.pack("ii", 1, 0)


class Flows:
    """All that are under way."""

    def __init__(self, address: str, port: int) -> None:
        self.target = (address, port)
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.selector = selectors.DefaultSelector()
        self.begun: dict[socket.socket, float] = {}

    def begin(self) -> None:
        """One more."""
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self.begun[sock] = time.time()
        with contextlib.suppress(BlockingIOError):
            sock.connect(self.target)
        self.selector.register(sock, selectors.EVENT_WRITE)

    def end(self, sock: socket.socket) -> None:
        """Answered, failed or too old."""
        self.selector.unregister(sock)
        del self.begun[sock]
        sock.close()

    def handle(self, seconds: float) -> None:
        """What has happened to them."""
        for key, events in self.selector.select(seconds):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            try:
                if events & selectors.EVENT_WRITE:
                    sock.send(b"x\n")
                    self.selector.modify(sock, selectors.EVENT_READ)
                    continue
                if sock.recv(16):
                    print(f"{self.begun[sock]:.6f} {time.time():.6f}", flush=True)
            except OSError:
                pass
            self.end(sock)
        old = time.time() - GIVE_UP_S
        for sock in [sock for sock, begun in self.begun.items() if begun < old]:
            self.end(sock)


def main() -> None:
    """Until it is ended."""
    flows = Flows(sys.argv[1], int(sys.argv[2]))
    interval = float(sys.argv[3]) / 1000
    due = time.monotonic()
    while True:
        if (left := due - time.monotonic()) <= 0:
            flows.begin()
            due += interval
        flows.handle(max(left, 0))


if __name__ == "__main__":
    main()
