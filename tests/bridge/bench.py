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

from gateway import Gateway
from waiting import TIMEOUT_S, poll

PROGRAM = os.environ["MESHGW_BRIDGE"]
LISTEN_FD = 3

GET = b"GET / HTTP/1.1\r\nHost: a.internal\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
LAST = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
ROUTE: dict[str, Any] = {"host": "a.internal", "sources": ["127.0.0.0/8"]}


def outlast(seconds: float, meanwhile: Callable[[], Any] = lambda: None) -> None:
    """For tests whose subject is a limit of time: it passes, and `meanwhile` goes on all along."""
    end = time.monotonic() + seconds

    def over() -> bool:
        meanwhile()
        return time.monotonic() > end

    poll("the end of it", over, seconds + TIMEOUT_S)


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


_silent: list[socket.socket] = []


def closed_port() -> dict[str, Any]:
    """An upstream's configuration, with nobody there: its port is taken, and nobody listens."""
    _silent.append(socket.socket())
    _silent[-1].bind(("127.0.0.1", 0))
    return {"scheme": "http", "host": "127.0.0.1", "port": _silent[-1].getsockname()[1],
            "addresses": ["127.0.0.1"]}  # fmt: skip


def echo(peer: Peer) -> None:
    """Answers every request with its own head and body."""
    while True:
        request = read_message(peer)
        body = request.head + request.body
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Daemon(Gateway):
    """In the place of meshgwd, as far as the bridge uses it."""

    worker = "Bridge"

    def __init__(self, folder: Path) -> None:
        self.questions: list[dict[str, Any]] = []
        self.verdict: dict[str, Any] | None = None
        self.told: tuple[dict[str, Any] | None, list[int]] = (None, [])
        super().__init__(folder / "gateway")

    def tell(self, config: dict[str, Any] | None, *listeners: socket.socket) -> None:
        with self.order:
            self.told = (config, [s.fileno() for s in listeners])
            self.tell_all()

    def asked(self, link: socket.socket, method: str, parameters: dict[str, Any]) -> None:
        if method != "DiagnoseTarget":
            self.refuse_with(link, "org.varlink.service.MethodNotFound")
            return
        self.questions.append(parameters)
        if self.verdict:
            self.say(link, {"verdict": self.verdict})
        else:
            self.refuse_with(link, "io.meshgw.Gateway.TargetNotAllowed")

    def answer(self) -> tuple[dict[str, Any], list[int]]:
        config, fds = self.told
        listeners = [{"address": "127.0.0.1", "port": 80, "fd": i} for i in range(len(fds))]
        return {"bridge": config, "listeners": listeners}, fds


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
        """As a whole: the program may be reading it."""
        made = self.file.with_suffix(".new")
        made.write_text(json.dumps(self.config(routes, **settings)), encoding="utf-8")
        made.replace(self.file)

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

    def has_read(self, client: Peer) -> bool:
        """Has the bridge taken all that the client has sent up to now? (proc_net_tcp: on the
        loopback interface what is sent is in the receiver's queue at once.)"""
        ends = [f"0100007F:{port:04X}" for port in (self.port, client.sock.getsockname()[1])]
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
        queues = [row[4] for row in rows if row[1:3] == ends]
        return bool(queues) and queues[0].endswith(":00000000")

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
        # Before the program waits for the signal it would end by it.
        poll("it takes signals", lambda: self._status("SigBlk", 16) >> (signal.SIGHUP - 1) & 1)
        self.process.send_signal(signal.SIGHUP)

    def memory_kib(self) -> int:
        return self._status("VmRSS")

    def states(self) -> set[str]:
        """Of all of its threads: proc_pid_status(5). That of the process is of the one that began, which
        serves nobody."""
        assert self.process
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/status")
        return {task.read_text(encoding="ascii").split("State:")[1].split()[0] for task in tasks}

    def hold(self) -> None:
        """Until none of its threads does anything."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        poll("it stands", lambda: self.states() == {"T"})

    def let_go(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def _status(self, key: str, base: int = 10) -> int:
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split(f"{key}:")[1].split()[0], base)

    def stop(self) -> int:
        """The exit status."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()


def under_way(bridge: Bridge, upstream: Upstream, request: bytes) -> tuple[Peer, Peer]:
    """A client of its own whose request has come to the service, and the service."""
    client = bridge.connect()
    client.send(request)
    service = upstream.peer()
    read_message(service)
    return client, service


def serve_once(bridge: Bridge, upstream: Upstream) -> Message:
    """An exchange after which no connection is left."""
    client, service = under_way(bridge, upstream, GET)
    service.send(LAST)
    return read_message(client)


def fill_up(peer: Peer, most: int) -> int:
    """Sends until nobody takes any more, and says how much it was: less than `most`."""
    sent = 0

    def stuck() -> bool:
        nonlocal sent
        try:
            sent += peer.sock.send(b"x" * (1 << 20))
        except BlockingIOError:
            return True
        return False

    peer.sock.setblocking(False)
    # Stuck, and still so a little later.
    poll("held back", lambda: stuck() and not any(not stuck() for _ in range(50)))
    peer.sock.settimeout(TIMEOUT_S)
    assert sent < most
    return sent
