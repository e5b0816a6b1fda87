# SPDX-License-Identifier: Apache-2.0
"""A varlink server that does what a test tells it to, well or badly.

A message is JSON that ends in a NUL byte, over a UNIX stream socket. The server listens in a
thread; for each connection it reads one message, remembers it, and hands the connection to a
behaviour.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

Behaviour = Callable[[socket.socket], None]


def reply(parameters: object) -> Behaviour:
    return raw(json.dumps({"parameters": parameters}).encode() + b"\0")


def error(name: str, parameters: object = None) -> Behaviour:
    message = {"error": name, "parameters": parameters or {}}
    return raw(json.dumps(message).encode() + b"\0")


def raw(data: bytes) -> Behaviour:
    """Sends the bytes and hangs up."""

    def behave(connection: socket.socket) -> None:
        try:
            connection.sendall(data)
        except OSError:
            pass  # the client has seen enough

    return behave


def flood(data: bytes) -> Behaviour:
    """Sends the bytes again and again, until the client goes."""

    def behave(connection: socket.socket) -> None:
        try:
            while True:
                connection.sendall(data)
        except OSError:
            pass

    return behave


def silence(connection: socket.socket) -> None:
    """Reads until the client goes."""
    while connection.recv(4096):
        pass


class FakeServer:
    """Listens on path from `with` on; `requests` has every message that arrived."""

    def __init__(self, path: Path, *behaviours: Behaviour):
        self.path = path
        self.behaviours = list(behaviours)  # the last one goes on
        self.requests: list[dict] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> FakeServer:
        self.listener.bind(str(self.path))
        self.path.chmod(0o666)
        self.listener.listen(8)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.thread.join(timeout=10)
        self.listener.close()
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        data = b""
        while not data.endswith(b"\0"):
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
        self.requests.append(json.loads(data[:-1]))
        behave = self.behaviours[0]
        if len(self.behaviours) > 1:
            self.behaviours.pop(0)
        behave(connection)
