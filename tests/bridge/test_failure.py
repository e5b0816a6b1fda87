# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on either side, what is done about it, and what the client is told."""

from __future__ import annotations

import resource
import select
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bench import (
    GET,
    LAST,
    OK,
    TIMEOUT_S,
    Bridge,
    Peer,
    Upstream,
    closed_port,
    outlast,
    poll,
    read_message,
    serve_once,
    under_way,
)

POST = b"POST / HTTP/1.1\r\nHost: a.internal\r\n"


def _error(answer) -> str:
    return (answer.get("proxy-status") or "").split("error=")[1].split(";")[0]


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
    bridge.start([{"upstreams": [closed_port()]}])
    answer = bridge.ask(GET)
    assert answer.status == 502 and _error(answer) == "connection_refused"
    assert answer.problem["code"] == "connection-refused" or answer.problem["code"]


def test_unresolved_name(bridge: Bridge) -> None:
    upstream = {**closed_port(), "host": "nowhere.internal", "addresses": []}
    bridge.start([{"upstreams": [upstream]}])
    assert bridge.ask(GET).status in (502, 503, 504)


def test_another_upstream(bridge: Bridge, upstream: Upstream) -> None:
    """In turn; and a request that could not be sent goes to the next, with a body only to the
    first."""
    bridge.start([{"upstreams": [closed_port(), upstream.config], "retries": 1}])
    for _ in range(3):
        assert serve_once(bridge, upstream).body == b"hi"
    statuses = {bridge.ask(POST + b"Content-Length: 1\r\n\r\na").status for _ in range(1)}
    assert statuses <= {502}


def test_no_retries(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [closed_port(), upstream.config], "retries": 0}])
    assert bridge.ask(GET).status == 502


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_stale_connection(bridge: Bridge, upstream: Upstream, method: bytes) -> None:
    """The service ends an idle connection just as it is used: what is idempotent goes once more."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GET)
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


def _pooled(bridge: Bridge, upstream: Upstream) -> tuple[Peer, Peer]:
    """A client, and the service's end of a connection that has become idle."""
    client, service = under_way(bridge, upstream, GET)
    service.send(OK)
    read_message(client)
    return client, service


def test_stale_connection_with_a_body(bridge: Bridge, upstream: Upstream) -> None:
    """What came whole with its head is sent again; what is still coming cannot be."""
    bridge.start([{"upstreams": [upstream.config]}])
    put = GET.replace(b"GET", b"PUT")[:-2] + b"Content-Length: 4\r\n\r\n"
    client, service = _pooled(bridge, upstream)
    client.send(put + b"body")
    assert read_message(service).body == b"body"
    service.close()
    service = upstream.peer()
    assert read_message(service).body == b"body"
    service.send(OK)
    assert read_message(client).body == b"hi"
    client.send(put + b"bo")
    service.until(b"bo")
    service.close()
    assert _error(read_message(client)) == "connection_terminated"


def test_stale_connection_is_no_retry(bridge: Bridge, upstream: Upstream, echoing: Upstream) -> None:
    """That an idle connection has ended says nothing about the service: retries are still there."""
    bridge.start(
        [
            {"upstreams": [upstream.config, closed_port()], "retries": 1},
            {"host": "b.internal", "upstreams": [echoing.config]},
        ]
    )
    client, service = _pooled(bridge, upstream)
    bridge.ask(GET.replace(b"a.int", b"b.int"))  # upstreams are taken in turn
    client.send(GET)
    read_message(service)
    service.close()
    service = upstream.peer()  # after the port that is closed
    read_message(service)
    service.send(OK)
    assert read_message(client).body == b"hi"
    assert poll("lines", lambda: bridge.lines()[2:])[0]["retries"] == 2


def test_stale_connection_that_spoke(bridge: Bridge, upstream: Upstream) -> None:
    """After a byte of an answer nothing is sent again."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = _pooled(bridge, upstream)
    client.send(GET)
    read_message(service)
    service.send(b"HTTP/1.1 2")
    service.close()
    assert _error(read_message(client)) == "connection_terminated"
    assert upstream.connections == 1


@pytest.mark.parametrize("order", ["end first", "request first"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_ends_as_it_is_used(bridge: Bridge, upstream: Upstream, end: str, order: str) -> None:
    """Both are seen in one round of the loop: what must not be sent twice is not sent there at all.
    libh2o calls back for the connections that we made before those that we accepted."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = _pooled(bridge, upstream)
    bridge.hold()
    if order == "end first":
        getattr(service, end)()
    client.send(POST + b"Content-Length: 1\r\n\r\nx")
    if order == "request first":
        getattr(service, end)()
    bridge.let_go()
    service = upstream.peer()
    assert read_message(service).body == b"x"
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
    client, service = under_way(bridge, upstream, GET)
    service.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)
    assert client.until(b"hello")
    service.close()
    rest = client.rest()
    assert rest in (b"", b"\r\n")


def test_reset_until_the_end(bridge: Bridge, upstream: Upstream) -> None:
    """Without length, only a reset tells a broken answer from one that is complete."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GET)
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
        client, service = under_way(bridge, upstream, GET)
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
    client, service = under_way(bridge, upstream, GET)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    outlast(2.0, lambda: service.send(b"x"))  # longer than the limit, with no pause like it
    service.send(b"y")
    assert service.ended()
    assert client.rest().endswith(b"xxxy")


UPGRADE = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def _has_keepalive(port: int) -> bool:
    """The bridge's end of the connections that have this port at the other."""
    shown = subprocess.run(["ss", "-Htno", "dport", f"= :{port}"], capture_output=True, text=True, check=True)
    return "timer:(keepalive" in shown.stdout


def test_tunnel_timeout(bridge: Bridge, upstream: Upstream) -> None:
    """A tunnel has a time of its own, and none of the exchange's; who vanishes is noticed."""
    times = {**TIMES, "idleMs": 200, "firstByteMs": 500, "totalMs": 500}
    bridge.start(
        [
            {"upstreams": [upstream.config], "timeouts": {**times, "tunnelMs": 0}},
            {"host": "b.internal", "upstreams": [upstream.config], "timeouts": {**times, "tunnelMs": 300}},
        ]
    )
    client, service = under_way(bridge, upstream, UPGRADE)
    service.send(UPGRADED)
    client.until(b"\r\n\r\n")
    for end in client.sock.getsockname(), service.sock.getsockname():
        assert _has_keepalive(end[1])
    short, its_service = under_way(bridge, upstream, UPGRADE.replace(b"a.int", b"b.int"))
    its_service.send(UPGRADED)
    short.until(b"\r\n\r\n")
    assert short.ended() and its_service.ended()
    outlast(0.7)
    client.send(b"ping")
    assert service.exactly(4) == b"ping"
    service.send(b"pong")
    assert client.exactly(4) == b"pong"


def test_total_timeout(bridge: Bridge, upstream: Upstream) -> None:
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, "totalMs": 400}}])
    client, service = under_way(bridge, upstream, GET)
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
    limits = {"idleMs": 1500}
    bridge.start([{"upstreams": [upstream.config], "timeouts": {**TIMES, **limits}}], limits=limits)
    client = bridge.connect()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    size = 16 << 20
    head = b"Content-Length: %d\r\n" % size if length else b"Connection: close\r\n"
    sender = threading.Thread(
        target=lambda: (service.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + b"x" * size), service.close())
    )
    sender.start()
    client.until(b"\r\n\r\n")
    got = client.got.count(b"x")

    def take() -> None:
        nonlocal got
        client.got = b""
        assert got == size or client.more(), f"ended after {got}"
        got += client.got.count(b"x")

    outlast(2.0, take)
    assert got < size
    while got < size:
        take()
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
    assert client.ended() and time.monotonic() - begin < TIMEOUT_S / 4
    # Said nothing at all: ended without a word.
    idle = bridge.connect()
    assert idle.rest() == b""


def test_after_a_pause(bridge: Bridge, echoing: Upstream) -> None:
    """Limits count from the first byte, however long nothing happened before."""
    bridge.start([{"upstreams": [echoing.config]}], limits={"headMs": 1000, "idleMs": 1000})
    bridge.ask(GET.replace(b"a.int", b"b.int"))
    outlast(1.8)  # that nothing happens is what is tested
    client = bridge.connect()
    client.send(GET[:10])
    poll("one half", lambda: bridge.has_read(client))
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


@pytest.mark.parametrize("limit, size", [(65536, 65400), (1 << 20, 1_000_000)])
def test_head_at_its_limit(bridge: Bridge, upstream: Upstream, limit: int, size: int) -> None:
    """What is taken is sent on, with what is added to it; and the answer's head likewise."""
    bridge.start([{"upstreams": [upstream.config]}], limits={"headBytes": limit})
    large = b"X: %s\r\n" % (b"x" * (size // 2))
    client = bridge.connect()
    client.send(b"GET /%s HTTP/1.1\r\nHost: a.internal\r\n%s\r\n" % (b"y" * (size // 2), large))
    service = upstream.peer()
    request = read_message(service)
    assert len(request.first) > size // 2 and len(request.get("x") or "") == size // 2
    service.send(b"HTTP/1.1 204 No Content\r\n%s%s\r\n" % (large, large.replace(b"X", b"Y")))
    answer = read_message(client)
    assert answer.status == 204 and len(answer.head) > size


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
    client, service = under_way(bridge, upstream, GET)
    assert bridge.ask(GET).status == 503
    service.send(OK)
    assert read_message(client).status == 200


def test_upstream_limit_of_all_threads(bridge: Bridge, upstream: Upstream) -> None:
    """It holds exactly, whichever threads the callers come to; and idle connections are in nobody's
    way, whichever thread has them."""
    limit = 8
    bridge.start([{"upstreams": [upstream.config], "maxConnections": limit}], threads=4)
    services: list[Peer] = []
    for _ in range(4):
        clients = [bridge.connect() for _ in range(limit)]
        for client in clients:
            client.send(GET)
        served: list[Peer] = []

        def all_served(served: list[Peer] = served) -> bool:
            while not upstream.peers.empty():
                services.append(upstream.peer())
            ready = select.select([s.sock for s in services if s not in served], [], [], 0)[0]
            for service in [s for s in services if s.sock in ready]:
                if service.ended():
                    services.remove(service)
                else:
                    served.append(service)
            return len(served) == limit

        poll("all of them", all_served)
        assert bridge.ask(GET).status == 503
        for service in served:
            read_message(service)
            service.send(OK)
        for client in clients:
            assert read_message(client).status == 200


@pytest.mark.parametrize("last", [False, True])
def test_upstream_limit_is_free_with_the_answer(
    bridge: Bridge, echoing: Upstream, last: bool
) -> None:
    """Who has all of an answer may ask again at once, by another connection and so by another thread,
    and finds the seat of that answer free; also where the service ends its connection with it."""
    answer = LAST if last else OK
    echoing.serve = lambda peer: [peer.send(answer) for _ in iter(lambda: read_message(peer), None)]
    bridge.start([{"upstreams": [echoing.config], "maxConnections": 1}], threads=4)
    clients = [bridge.connect() for _ in range(8)]
    for client in clients * 250:
        client.send(GET)
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


def test_two_tokens(bridge: Bridge, echoing: Upstream) -> None:
    """Rotation: for a while both are good, then only the new one, and no connection is made anew."""
    old, new = "0123456789abcdef-old", "0123456789abcdef-new"

    def route(*tokens: str) -> list[dict[str, Any]]:
        return [{"upstreams": [echoing.config], "tokens": list(tokens)}]

    def status(token: str) -> int:
        return bridge.ask(GET[:-2] + f"Authorization: Bearer {token}\r\n\r\n".encode()).status

    bridge.start(route(old))
    assert [status(t) for t in (old, new)] == [200, 401]
    bridge.reload(route(old, new))
    poll("both", lambda: [status(t) for t in (old, new)] == [200, 200])
    bridge.reload(route(new))
    poll("the new one", lambda: [status(t) for t in (old, new)] == [401, 200])
    assert echoing.connections == 1
