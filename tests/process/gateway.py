# SPDX-License-Identifier: Apache-2.0
"""Somebody in the place of meshgwd, at the socket of one of its workers."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Any

INTERFACE = "io.meshgw.Gateway."


class Gateway:
    """Its side of io.meshgw.Gateway, as far as every worker uses it: one lasting question, which is
    answered anew when there is something new, and reports. What is the answer, and what else may be
    asked, a worker's own says."""

    worker: str  # "Bridge" of BridgeAttach and BridgeReport

    def __init__(self, path: Path) -> None:
        self.path = path
        self.generation = 0
        self.reports: list[dict[str, Any]] = []
        self.attached: list[socket.socket] = []
        self.links: list[socket.socket] = []
        self.order = threading.Lock()  # who attaches is told what is told last
        self.start()

    def start(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(str(self.path))
        self.sock.listen(64)
        threading.Thread(target=self._accept, args=(self.sock,), daemon=True).start()

    def stop(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.path.unlink()
        for link in self.links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self.links, self.attached = [], []

    def tell_all(self) -> None:
        """Something new. `order` is the caller's."""
        self.generation += 1
        for link in self.attached.copy():
            try:
                self._reply(link)
            except ConnectionError:  # who has hung up to ask again hears it then
                self.attached.remove(link)

    def answer(self) -> tuple[dict[str, Any], list[int]]:
        """To the lasting question, but for the generation; and descriptors."""
        raise NotImplementedError

    def asked(self, link: socket.socket, method: str, parameters: dict[str, Any]) -> None:
        """Something else, without the interface's name."""
        raise NotImplementedError

    @staticmethod
    def say(link: socket.socket, parameters: dict[str, Any]) -> None:
        link.sendall(json.dumps({"parameters": parameters}).encode() + b"\0")

    @staticmethod
    def refuse_with(link: socket.socket, error: str) -> None:
        link.sendall(json.dumps({"error": error, "parameters": {}}).encode() + b"\0")

    def _accept(self, sock: socket.socket) -> None:
        while True:
            try:
                link = sock.accept()[0]
            except OSError:
                return
            self.links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        got = b""
        with contextlib.suppress(OSError):
            while data := link.recv(65536):
                got += data
                while b"\0" in got:
                    message, got = got.split(b"\0", 1)
                    with contextlib.suppress(ConnectionError):  # nobody waits for it any more
                        self._called(link, json.loads(message))

    def _called(self, link: socket.socket, call: dict[str, Any]) -> None:
        method = call["method"].removeprefix(INTERFACE)
        if method == f"{self.worker}Attach":
            assert call["more"]
            with self.order:
                self.attached.append(link)
                self._reply(link)
        elif method == f"{self.worker}Report":
            self.reports.append(call["parameters"])
            self.say(link, {})
        else:
            self.asked(link, method, call.get("parameters", {}))

    def _reply(self, link: socket.socket) -> None:
        parameters, fds = self.answer()
        reply = {"parameters": {"generation": self.generation, **parameters}, "continues": True}
        socket.send_fds(link, [json.dumps(reply).encode() + b"\0"], fds)
