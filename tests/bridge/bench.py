# SPDX-License-Identifier: Apache-2.0
"""What the tests of meshgw-bridge are made of: the program itself, raw clients, scripted upstreams.

Everything is a real process and real sockets on the loopback interface. A message is bytes, as they
are on the wire; nothing here knows HTTP but read_message(), which is as simple as the tests allow.
"""

from __future__ import annotations

import copy
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROGRAM = os.environ["MESHGW_BRIDGE"]
TIMEOUT_S = 10.0  # of whatever must happen; a busy machine is slow
LISTEN_FD = 3

ROUTE: dict[str, Any] = {"host": "a.internal", "sources": ["127.0.0.0/8"]}


def poll(what: str, check: Callable[[], Any], seconds: float = TIMEOUT_S) -> Any:
    """The first true value of check."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.01)
    return value


class Peer:
    """One end of a connection, blocking, with a memory for what came."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(TIMEOUT_S)
        self.sock = sock
        self.got = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send_slowly(self, data: bytes) -> None:
        """Byte by byte, each a segment of its own."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            self.sock.sendall(data[i : i + 1])

    def more(self) -> bool:
        """Reads once; False at the end, or if the peer reset the connection."""
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            return False
        self.got += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        """What came up to and with the mark."""
        while mark not in self.got:
            assert self.more(), f"ended before {mark!r}: {self.got[:2000]!r}"
        head, self.got = self.got.split(mark, 1)
        return head + mark

    def exactly(self, n: int) -> bytes:
        """The next n bytes."""
        while len(self.got) < n:
            assert self.more(), f"ended {n - len(self.got)} bytes early"
        data, self.got = self.got[:n], self.got[n:]
        return data

    def rest(self) -> bytes:
        """Everything up to the end."""
        while self.more():
            pass
        data, self.got = self.got, b""
        return data

    def ended(self) -> bool:
        """Has the other side ended, and said nothing else?"""
        return not self.got and not self.more()

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()


class Message:
    """A head and its body."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.head, self.body = head, body
        self.first, *fields = head.decode("latin1").rstrip("\r\n").split("\r\n")
        self.fields = [tuple(f.split(": ", 1)) for f in fields]

    @property
    def status(self) -> int:
        return int(self.first.split()[1])

    def all(self, name: str) -> list[str]:
        return [f[1] for f in self.fields if f[0].lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    @property
    def problem(self) -> dict[str, Any]:
        assert self.get("content-type") == "application/problem+json", self.head
        return json.loads(self.body)


def read_message(peer: Peer, *, head_only: bool = False) -> Message:
    """Chunked bodies come as they are, framing and all."""
    message = Message(peer.until(b"\r\n\r\n"), b"")
    if head_only or message.first.startswith("HTTP/") and message.status in (101, 204, 304):
        return message
    if message.get("transfer-encoding") == "chunked":
        message.body = peer.until(b"0\r\n\r\n")
    elif (length := message.get("content-length")) is not None:
        message.body = peer.exactly(int(length))
    elif message.first.startswith("HTTP/"):
        message.body = peer.rest()
    return message


class Upstream:
    """Listens; each connection waits in `peers` for a test to speak for the service, or `serve`
    speaks for all of them in threads of their own."""

    def __init__(self, serve: Callable[[Peer], None] | None = None, path: Path | None = None) -> None:
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(str(path))
            self.sock.listen(64)
            self.config = {"scheme": "unix", "unix": str(path)}
        else:
            self.sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
            port = self.sock.getsockname()[1]
            self.config = {
                "scheme": "http", "host": "127.0.0.1", "port": port, "addresses": ["127.0.0.1"],
            }  # fmt: skip
        self.peers: queue.Queue[Peer] = queue.Queue()
        self.connections = 0
        self.serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer = Peer(self.sock.accept()[0])
            except OSError:
                return
            self.connections += 1
            if self.serve:
                threading.Thread(target=self._run, args=(peer,), daemon=True).start()
            else:
                self.peers.put(peer)

    def _run(self, peer: Peer) -> None:
        try:
            self.serve(peer)
        except (OSError, AssertionError):
            pass
        peer.close()

    def peer(self) -> Peer:
        return self.peers.get(timeout=TIMEOUT_S)

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def echo(peer: Peer) -> None:
    """Answers every request with its own head and body."""
    while True:
        request = read_message(peer)
        body = request.head + request.body
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Daemon:
    """In the place of meshgwd: its side of io.meshgw.Gateway, as far as the bridge uses it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gateway"
        self.attached: list[socket.socket] = []
        self.questions: list[dict[str, Any]] = []
        self.verdict: dict[str, Any] | None = None
        self.told: tuple[dict[str, Any] | None, list[int]] = (None, [])
        self.generation = 0
        self.links: list[socket.socket] = []
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
            link.shutdown(socket.SHUT_RDWR)
        self.links, self.attached = [], []

    def tell(self, config: dict[str, Any] | None, *listeners: socket.socket) -> None:
        self.told = (config, [s.fileno() for s in listeners])
        self.generation += 1
        for link in self.attached:
            self._reply(link)

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
        while data := link.recv(65536):
            got += data
            while b"\0" in got:
                message, got = got.split(b"\0", 1)
                self._called(link, json.loads(message))

    def _called(self, link: socket.socket, call: dict[str, Any]) -> None:
        if call["method"] == "io.meshgw.Gateway.BridgeAttach":
            assert call["more"]
            self.attached.append(link)
            self._reply(link)
        elif call["method"] == "io.meshgw.Gateway.DiagnoseTarget":
            self.questions.append(call["parameters"])
            if self.verdict:
                link.sendall(json.dumps({"parameters": {"verdict": self.verdict}}).encode() + b"\0")
            else:
                error = {"error": "io.meshgw.Gateway.TargetNotAllowed", "parameters": {}}
                link.sendall(json.dumps(error).encode() + b"\0")
        else:
            link.sendall(b'{"error":"org.varlink.service.MethodNotFound"}\0')

    def _reply(self, link: socket.socket) -> None:
        config, fds = self.told
        listeners = [{"address": "127.0.0.1", "port": 80, "fd": i} for i in range(len(fds))]
        reply = {"generation": self.generation, "bridge": config, "listeners": listeners}
        message = json.dumps({"parameters": reply, "continues": True}).encode() + b"\0"
        socket.send_fds(link, [message], fds)


class Bridge:
    """The program, with one listening socket, as systemd gives it, or as a Daemon tells it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bridge.json"
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.log, self.access = folder / "log", folder / "access"

    @staticmethod
    def config(routes: Sequence[dict[str, Any]], **settings: Any) -> dict[str, Any]:
        return {"node": "gw1", "routes": [{**copy.deepcopy(ROUTE), **r} for r in routes], **settings}

    def write(self, routes: Sequence[dict[str, Any]], **settings: Any) -> None:
        self.file.write_text(json.dumps(self.config(routes, **settings)), encoding="utf-8")

    def start(self, routes: Sequence[dict[str, Any]], **settings: Any) -> None:
        self.write(routes, **settings)
        self._run("--config", self.file)

    def attach(self, daemon: Daemon) -> None:
        """Serves what the daemon tells."""
        self._run("--socket", daemon.path)

    def _run(self, *arguments: str | Path) -> None:
        # The shell knows its own process id, which is the program's then.
        script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
        with self.log.open("ab") as log, self.access.open("ab") as access:
            self.process = subprocess.Popen(
                ["sh", "-c", script, PROGRAM, *arguments],
                preexec_fn=lambda: os.dup2(self.listener.fileno(), LISTEN_FD, inheritable=True),
                pass_fds=[LISTEN_FD], stdin=subprocess.DEVNULL, stdout=access, stderr=log,
            )  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        """The access log."""
        return [json.loads(line) for line in self.access.read_text(encoding="utf-8").splitlines()]

    def connect(self) -> Peer:
        return Peer(socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S))

    def ask(self, request: bytes) -> Message:
        """One request, one answer, one connection."""
        client = self.connect()
        client.send(request)
        answer = read_message(client, head_only=request.startswith(b"HEAD "))
        client.close()
        return answer

    def reload(self, routes: Sequence[dict[str, Any]], **settings: Any) -> None:
        self.write(routes, **settings)
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    def memory_kib(self) -> int:
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0])

    def stop(self) -> int:
        """The exit status."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()
