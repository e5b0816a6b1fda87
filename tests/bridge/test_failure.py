# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on either side, what is done about it, and what the client is told."""

from __future__ import annotations

import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from bench import TIMEOUT_S, Bridge, Upstream, poll, read_message

GET = b"GET / HTTP/1.1\r\nHost: a.internal\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.internal\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def _error(answer) -> str:
    return (answer.get("proxy-status") or "").split("error=")[1].split(";")[0]


def _closed_port() -> dict:
    with socket.create_server(("127.0.0.1", 0)) as s:
        return {"scheme": "http", "host": "127.0.0.1", "port": s.getsockname()[1],
                "addresses": ["127.0.0.1"]}  # fmt: skip


class Silent:
    """A port whose SYNs are not answered: its queue is full."""

    def __init__(self) -> None:
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(0)
        address = self.sock.getsockname()
        self.fill = [socket.socket() for _ in range(4)]
        for s in self.fill:
            s.setblocking(False)
            s.connect_ex(address)
        self.config = {"scheme": "http", "host": "127.0.0.1", "port": address[1],
                       "addresses": ["127.0.0.1"]}  # fmt: skip


def test_refused_connection(bridge: Bridge) -> None:
    bridge.start([{"upstreams": [_closed_port()]}])
    answer = bridge.ask(GET)
    assert answer.status == 502 and _error(answer) == "connection_refused"
    assert answer.problem["code"] == "connection-refused" or answer.problem["code"]


def test_unresolved_name(bridge: Bridge) -> None:
    upstream = {**_closed_port(), "host": "nowhere.internal", "addresses": []}
    bridge.start([{"upstreams": [upstream]}])
    assert bridge.ask(GET).status in (502, 503, 504)


def test_another_upstream(bridge: Bridge, upstream: Upstream) -> None:
    """In turn; and a request that could not be sent goes to the next, with a body only to the
    first."""
    bridge.start([{"upstreams": [_closed_port(), upstream.config], "retries": 1}])
    for _ in range(3):
        client = bridge.connect()
        client.send(GET)
        service = upstream.peer()
        read_message(service)
        service.send(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
        assert read_message(client).body == b"hi"
    statuses = {bridge.ask(POST + b"Content-Length: 1\r\n\r\na").status for _ in range(1)}
    assert statuses <= {502}


def test_no_retries(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [_closed_port(), upstream.config], "retries": 0}])
    assert bridge.ask(GET).status == 502


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_stale_connection(bridge: Bridge, upstream: Upstream, method: bytes) -> None:
    """The service ends an idle connection just as it is used: what is idempotent goes once more."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(OK)
    read_message(client)
    client.send(GET.replace(b"GET", method))
    read_message(service)
    service.close()
    if method == b"POST":
        answer = read_message(client)
        assert answer.status == 502 and _error(answer) == "connection_terminated"
        return
    service = upstream.peer()
    read_message(service)
    service.send(OK)
    assert read_message(client).body == b"hi"


def test_closes_early(bridge: Bridge, upstream: Upstream) -> None:
    """A new connection that ends without an answer is not tried again."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    for end in "close", "reset":
        client.send(GET)
        service = upstream.peer()
        read_message(service)
        getattr(service, end)()
        answer = read_message(client)
        assert answer.status == 502 and _error(answer) == "connection_terminated"
    assert upstream.connections == 2


@pytest.mark.parametrize(
    "head, body",
    [(b"Content-Length: 10\r\n", b"hello"), (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n")],
)
def test_ends_in_the_middle(bridge: Bridge, upstream: Upstream, head: bytes, body: bytes) -> None:
    """The client can see that something is missing."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)
    assert client.until(b"hello")
    service.close()
    rest = client.rest()
    assert rest in (b"", b"\r\n")


def test_reset_until_the_end(bridge: Bridge, upstream: Upstream) -> None:
    """Without length, only a reset tells a broken answer from one that is complete."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
    client.until(b"hello\r\n")
    service.reset()
    assert b"0\r\n\r\n" not in client.rest()


def test_answers_before_the_body(bridge: Bridge, upstream: Upstream) -> None:
    """A service that has heard enough: its answer arrives, though it takes no more."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(POST + b"Content-Length: 100000000\r\n\r\n" + b"x" * 100000)
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    service.send(b"HTTP/1.1 413 Enough\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    answer = read_message(client)
    assert answer.status == 413 and answer.body == b"no"


def test_client_leaves(bridge: Bridge, upstream: Upstream) -> None:
    """And the service is told."""
    bridge.start([{"upstreams": [upstream.config]}])
    for end in "close", "reset":
        client = bridge.connect()
        client.send(GET)
        service = upstream.peer()
        read_message(service)
        getattr(client, end)()
        assert service.ended()


TIMES = {"connectMs": 10000, "firstByteMs": 10000, "idleMs": 10000, "totalMs": 0}


def test_connect_timeout(bridge: Bridge) -> None:
    silent = Silent()
    bridge.start([{"upstreams": [silent.config], "timeouts": {**TIMES, "connectMs": 200}, "retries": 0}])
    answer = bridge.ask(GET)
    assert answer.status == 504 and _error(answer) == "connection_timeout"


def test_first_byte_timeout(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, "firstByteMs": 200}}])
    client = bridge.connect()
    client.send(GET)
    answer = read_message(client)
    assert answer.status == 504 and _error(answer) == "http_response_timeout"
    client.send(GET)  # the connection goes on
    assert read_message(client).status == 504


def test_idle_timeout(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, "idleMs": 1500}}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    for _ in range(4):  # longer than the limit in all, each pause shorter
        time.sleep(0.5)
        service.send(b"x")
    assert service.ended()
    assert client.rest().endswith(b"\r\n\r\nxxxx")


def test_total_timeout(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, "totalMs": 400}}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\n\r\n")

    def gone() -> bool:
        try:
            service.send(b"x")
        except OSError:
            return True
        return False

    poll("the end", gone)
    assert b"0\r\n\r\n" not in client.rest()


@pytest.mark.parametrize("length", [True, False])
def test_slow_but_alive(bridge: Bridge, upstream: Upstream, length: bool) -> None:
    """A client that takes its answer slowly gets all of it; the limit is for who takes nothing."""
    limits = {"idleMs": 400}
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, "idleMs": 400}}], limits=limits)
    client = bridge.connect()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    size = 5 << 20
    head = b"Content-Length: %d\r\n" % size if length else b"Connection: close\r\n"
    sender = threading.Thread(
        target=lambda: (service.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + b"x" * size), service.close())
    )
    sender.start()
    client.until(b"\r\n\r\n")
    got = client.got.count(b"x")
    while got < size:
        time.sleep(0.02)
        client.got = b""
        assert client.more(), f"ended after {got}"
        got += client.got.count(b"x")
    sender.join()


def test_slow_body(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, "firstByteMs": 200}}])
    client = bridge.connect()
    client.send(POST + b"Content-Length: 10\r\n\r\nx")
    answer = read_message(client)
    assert answer.status == 408 and answer.get("connection") == "close"
    assert client.ended()


def test_slow_head(bridge: Bridge, upstream: Upstream) -> None:
    limits = {"headMs": 200, "idleMs": 600}
    bridge.start([{"upstreams": [upstream.config]}], limits=limits)
    client = bridge.connect()
    begin = time.monotonic()
    client.send(b"GET / HTTP")
    assert read_message(client).status == 408
    assert client.ended() and time.monotonic() - begin < TIMEOUT_S / 2
    # Said nothing at all: ended without a word.
    idle = bridge.connect()
    assert idle.rest() == b""


def test_after_a_pause(bridge: Bridge, echoing: Upstream) -> None:
    """Limits count from the first byte, however long nothing happened before."""
    bridge.start([{"upstreams": [echoing.config]}], limits={"headMs": 1000, "idleMs": 1000})
    bridge.ask(GET.replace(b"a.int", b"b.int"))
    time.sleep(1.8)  # that nothing happens is what is tested
    client = bridge.connect()
    client.send(GET[:10])
    time.sleep(0.1)
    client.send(GET[10:])
    assert read_message(client).status == 200


def test_large_head(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config]}], limits={"headBytes": 4096})
    client = bridge.connect()
    client.send(GET[:-2] + b"X: " + b"x" * 5000)
    assert read_message(client).status == 431
    assert client.ended()
    client = bridge.connect()
    client.send(GET[:-2] + b"X: y\r\n" * 150 + b"\r\n")
    assert read_message(client).status == 431


def test_large_body(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "maxBody": 10}])
    assert bridge.ask(POST + b"Content-Length: 11\r\n\r\n").status == 413
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert bridge.ask(chunked + b"b\r\n01234567890\r\n").status == 413
    assert upstream.connections == 0
    client = bridge.connect()
    client.send(chunked)
    service = upstream.peer()
    client.send(b"6\r\n012345\r\n")
    service.until(b"012345\r\n")
    client.send(b"6\r\n012345\r\n")
    assert read_message(client).status == 413
    client = bridge.connect()
    client.send(POST + b"Content-Length: 10\r\n\r\n0123456789")
    assert read_message(upstream.peer()).body == b"0123456789"


def test_connection_limits(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config]}], limits={"connections": 8, "perSource": 2})
    kept = [bridge.connect() for _ in range(2)]
    for client in kept:
        client.send(b"GET /.well-known/meshgw/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_message(client).status == 200
    answer = bridge.ask(GET)
    assert answer.status == 503 and answer.get("connection") == "close"
    kept[0].close()
    poll("room", lambda: bridge.ask(GET.replace(b"a.int", b"b.int")).status == 404)


def test_no_descriptors(bridge: Bridge, echoing: Upstream) -> None:
    """Who comes then waits, and is served when there are some again."""
    bridge.start([{"upstreams": [echoing.config]}], limits={"perSource": 1000})
    assert bridge.ask(GET).status == 200
    assert bridge.process
    used = len(list(Path(f"/proc/{bridge.process.pid}/fd").iterdir()))
    resource.prlimit(bridge.process.pid, resource.RLIMIT_NOFILE, (used + 4, used + 4))
    health = b"GET /.well-known/meshgw/health HTTP/1.1\r\nHost: x\r\n\r\n"
    clients = [bridge.connect() for _ in range(8)]
    for client in clients:
        client.send(health)
    poll("a complaint", lambda: "connections wait" in bridge.log.read_text())
    for client in clients:
        assert read_message(client).status == 200
        client.close()


def test_refused_heads_are_logged(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config]}])
    assert bridge.ask(b"GET / HTTP/1.1\r\n\r\n").status == 400
    line = poll("a line", bridge.lines)[0]
    assert line["status"] == 400 and line["fault"] == "host-missing"


def test_upstream_limit(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "maxConnections": 1}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    assert bridge.ask(GET).status == 503
    service.send(OK)
    assert read_message(client).status == 200


def test_access(bridge: Bridge, echoing: Upstream) -> None:
    token = "0123456789abcdef0123"
    bridge.start(
        [
            {"upstreams": [echoing.config], "sources": ["10.0.0.0/8"]},
            {"host": "b.internal", "upstreams": [echoing.config], "tokens": [token]},
        ]
    )
    assert bridge.ask(GET).status == 403
    b = GET.replace(b"a.int", b"b.int")
    assert bridge.ask(b).status == 401
    assert bridge.ask(b[:-2] + b"Authorization: Bearer 0123456789abcdef0124\r\n\r\n").status == 401
    answer = bridge.ask(b[:-2] + f"Authorization: Bearer {token}\r\n\r\n".encode())
    assert answer.status == 200 and token.encode() not in answer.body
    assert bridge.ask(GET.replace(b"a.int", b"c.int")).status == 404
    assert echoing.connections == 1
