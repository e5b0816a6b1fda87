# SPDX-License-Identifier: Apache-2.0
"""Requests through the bridge: what arrives on each side, byte for byte."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from bench import Bridge, Peer, Upstream, echo, poll, read_message

GET = b"GET /x?y HTTP/1.1\r\nHost: a.internal\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: a.internal\r\n"
MIB = 1 << 20


def test_there_and_back(bridge: Bridge, upstream: Upstream) -> None:
    """Head, body and connection, on both sides."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    request = read_message(service)
    assert request.first == "GET /x?y HTTP/1.1"
    assert request.get("host") == "a.internal"
    assert "for=127.0.0.1" in (request.get("forwarded") or "")
    assert request.get("x-forwarded-for") == "127.0.0.1"
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello")
    answer = read_message(client)
    assert answer.first == "HTTP/1.1 200 OK" and answer.body == b"hello"
    assert answer.get("x-a") == "b"
    # Both connections serve once more.
    client.send(GET)
    read_message(service)
    service.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert read_message(client).status == 204
    assert upstream.connections == 1


def test_byte_by_byte(bridge: Bridge, upstream: Upstream) -> None:
    """Whatever the pieces are that bytes come in."""
    bridge.start([{"upstreams": [upstream.config]}])
    body = b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    client = bridge.connect()
    service = None
    for _ in range(2):
        client.send_slowly(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        service = service or upstream.peer()
        assert service.until(b"\r\n\r\n").startswith(b"POST /x HTTP/1.1\r\n")
        assert service.exactly(len(body)) == body
        service.send_slowly(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        assert read_message(client).body == b"2\r\nhi\r\n0\r\n\r\n"


def test_unix(bridge: Bridge, tmp_path: Path) -> None:
    upstream = Upstream(echo, path=tmp_path / "app")
    bridge.start([{"upstreams": [upstream.config]}])
    assert bridge.ask(GET).body.startswith(b"GET /x?y HTTP/1.1")
    upstream.close()


def test_pipelined(bridge: Bridge, echoing: Upstream) -> None:
    """Sent all at once, answered in order."""
    bridge.start([{"upstreams": [echoing.config]}])
    client = bridge.connect()
    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a.internal\r\n\r\n" % i for i in range(200)))
    for i in range(200):
        assert read_message(client).body.startswith(b"GET /%d HTTP/1.1" % i)
    # Bodies, and refusals between.
    client.send(
        POST + b"Content-Length: 3\r\n\r\nabc" + GET.replace(b"a.internal", b"other") + GET
    )
    assert read_message(client).body.endswith(b"\r\n\r\nabc")
    assert read_message(client).status == 404
    assert read_message(client).status == 200


@pytest.mark.parametrize("kind", ["length", "chunked"])
def test_upload(bridge: Bridge, upstream: Upstream, kind: str) -> None:
    """A request flows before it is complete, and an answer before the request is."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    head = b"Content-Length: 6\r\n\r\n" if kind == "length" else b"Transfer-Encoding: chunked\r\n\r\n"
    first, second = (b"abc", b"def") if kind == "length" else (b"3\r\nabc\r\n", b"3\r\ndef\r\n0\r\nX-T: 1\r\n\r\n")
    client.send(POST + head)
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    client.send(first)
    assert service.exactly(len(first)) == first
    service.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    assert client.until(b"1\r\na\r\n").startswith(b"HTTP/1.1 200 OK")
    client.send(second)
    assert service.exactly(len(second)) == second
    service.send(b"1\r\nb\r\n0\r\nX-U: 2\r\n\r\n")
    assert client.until(b"\r\n\r\n") == b"1\r\nb\r\n0\r\nX-U: 2\r\n\r\n"
    client.send(GET)
    read_message(service)
    assert upstream.connections == 1


def test_events_are_not_delayed(bridge: Bridge, upstream: Upstream) -> None:
    """Server-Sent Events, without length, each by itself; the end is the connection's."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    head = client.until(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    for i in range(3):
        service.send(b"data: %d\n\n" % i)
        assert client.until(b"\r\n") + client.until(b"\n\n\r\n") == b"9\r\ndata: %d\n\n\r\n" % i
    service.close()
    assert client.until(b"0\r\n\r\n") == b"0\r\n\r\n"
    client.send(GET)
    upstream.peer()


def test_http_1_0(bridge: Bridge, upstream: Upstream) -> None:
    """A client that knows no chunks gets none."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a.internal\r\nConnection: keep-alive\r\n\r\n")
    service = upstream.peer()
    assert read_message(service).first == "GET / HTTP/1.1"
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    answer = read_message(client)
    assert answer.get("connection") == "keep-alive" and answer.body == b"hi"
    client.send(b"GET / HTTP/1.0\r\nHost: a.internal\r\n\r\n")
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1;a=b\r\n!\r\n0\r\n\r\n")
    answer = read_message(client)
    assert answer.get("transfer-encoding") is None and answer.body == b"hi!"
    assert client.ended()
    client = bridge.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a.internal\r\nConnection: keep-alive\r\n\r\n")
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    service.close()
    assert read_message(client).body == b"until the end"


@pytest.mark.parametrize(
    "answer, length",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "7"),
    ],
)
def test_head(bridge: Bridge, upstream: Upstream, answer: bytes, length: str | None) -> None:
    """An answer to HEAD has no body, and both connections go on."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET.replace(b"GET", b"HEAD"))
    service = upstream.peer()
    read_message(service)
    service.send(answer)
    got = read_message(client, head_only=True)
    assert got.get("content-length") == length
    client.send(GET)
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert read_message(client).body == b"hi"


def test_expect(bridge: Bridge, upstream: Upstream) -> None:
    """The service says whether it wants the body."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    service = upstream.peer()
    assert b"Expect: 100-continue" in service.until(b"\r\n\r\n")
    service.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    assert b"Link: </a>" in client.until(b"\r\n\r\n")
    client.send(b"abc")
    assert service.exactly(3) == b"abc"
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert read_message(client).body == b"hi"
    client.send(POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    service.until(b"\r\n\r\n")
    service.send(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
    assert read_message(client).status == 417


def test_websocket(bridge: Bridge, upstream: Upstream) -> None:
    """Bytes both ways, until each side has ended."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    upgrade = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    client.send(GET.replace(b"\r\n\r\n", upgrade) + b"early ")
    service = upstream.peer()
    request = read_message(service)
    assert request.get("upgrade") == "websocket" and request.get("connection") == "upgrade"
    service.send(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
    answer = client.until(b"\r\n\r\n")
    assert b"101" in answer and b"pgrade: websocket" in answer
    assert client.exactly(5) == b"first"
    client.send(b"\x81\x00GET")
    assert service.exactly(11) == b"early \x81\x00GET"
    service.send(b"x" * MIB)
    assert client.exactly(MIB) == b"x" * MIB
    client.sock.shutdown(1)
    assert service.ended()
    service.send(b"last")
    service.close()
    assert client.rest() == b"last"


def test_refused_upgrade(bridge: Bridge, upstream: Upstream) -> None:
    """An answer like any other."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
    assert read_message(client).status == 400
    client.send(GET)
    read_message(service)


def _sink(peer: Peer) -> None:
    """Answers with the length and sum of a body of Content-Length."""
    while True:
        head = peer.until(b"\r\n\r\n")
        left = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        total = hashlib.sha256()
        while left:
            if not peer.got:
                assert peer.more()
            total.update(peer.got)
            left, peer.got = left - len(peer.got), b""
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + total.hexdigest().encode())


def test_large_upload(bridge: Bridge) -> None:
    """256 MiB up, at the memory of one read."""
    upstream = Upstream(_sink)
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    total = hashlib.sha256()
    block = bytes(range(256)) * 4096
    client.send(POST + b"Content-Length: %d\r\n\r\n" % (256 * MIB))
    for i in range(256):
        client.send(block)
        if i == 16:
            before = bridge.memory_kib()
        total.update(block)
    assert read_message(client).body == total.hexdigest().encode()
    assert bridge.memory_kib() - before < 4096
    upstream.close()


def test_slow_reader(bridge: Bridge, upstream: Upstream) -> None:
    """A client that reads nothing holds the service back; memory does not grow."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
    before = bridge.memory_kib()
    service.sock.setblocking(False)
    sent = 0

    def stuck() -> bool:
        nonlocal sent
        try:
            sent += service.sock.send(b"x" * MIB)
        except BlockingIOError:
            return True
        return False

    # Stuck, and still so a little later: nobody takes it any more.
    poll("held back", lambda: stuck() and not any(not stuck() for _ in range(50)))
    assert sent < 64 * MIB
    assert bridge.memory_kib() - before < 4096
    service.sock.setblocking(True)

    def rest() -> None:
        left = 256 * MIB - sent
        while left:
            left -= service.sock.send(b"x" * min(left, MIB))

    thread = threading.Thread(target=rest)
    thread.start()
    client.until(b"\r\n\r\n")
    left = 256 * MIB - len(client.got)
    while left:
        client.got = b""
        assert client.more()
        left -= len(client.got)
    thread.join()


def test_slow_service(bridge: Bridge, upstream: Upstream) -> None:
    """And the other way round."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(POST + b"Content-Length: %d\r\n\r\n" % (256 * MIB))
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    before = bridge.memory_kib()
    client.sock.setblocking(False)
    sent = 0

    def stuck() -> bool:
        nonlocal sent
        try:
            sent += client.sock.send(b"x" * MIB)
        except BlockingIOError:
            return True
        return False

    poll("held back", lambda: stuck() and not any(not stuck() for _ in range(50)))
    assert sent < 64 * MIB
    assert bridge.memory_kib() - before < 4096


def test_proxy_protocol(bridge: Bridge, upstream: Upstream) -> None:
    """Version 2, in front of each connection, which then serves one client only."""
    bridge.start([{"upstreams": [upstream.config], "proxyProtocol": True}])
    client = bridge.connect()
    client.send(GET)
    service = upstream.peer()
    header = service.exactly(16 + 12)
    assert header[:12] == b"\r\n\r\n\0\r\nQUIT\n" and header[12:16] == b"\x21\x11\0\x0c"
    assert header[16:24] == b"\x7f\0\0\1" * 2
    assert int.from_bytes(header[24:26]) == client.sock.getsockname()[1]
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert read_message(client).status == 200
    assert service.ended()


def test_reload(bridge: Bridge, upstream: Upstream) -> None:
    """What is under way ends as it began; what comes then is served anew; the pool stays."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, idle = bridge.connect(), bridge.connect()
    client.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh")
    client.until(b"\r\n\r\nh")
    b, c = GET.replace(b"a.int", b"b.int"), GET.replace(b"a.int", b"c.int")
    closed = {"host": "c.internal", "upstreams": [upstream.config], "sources": ["10.0.0.0/8"]}
    bridge.reload([{"host": "b.internal", "upstreams": [upstream.config]}, closed])
    poll("the new routes", lambda: bridge.ask(c).status == 403)
    assert bridge.ask(GET).status == 404
    service.send(b"i")
    assert client.exactly(1) == b"i"
    idle.send(b)
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert read_message(idle).status == 200
    assert upstream.connections == 1
    # A bad one changes nothing.
    bridge.file.write_text("{")
    bridge.process.send_signal(1)
    poll("a complaint", lambda: "stays as it was" in bridge.log.read_text())
    client.send(b)
    read_message(service)


def test_drain(bridge: Bridge, upstream: Upstream) -> None:
    """Told to stop: idle connections end, what is under way is finished and says so."""
    bridge.start([{"upstreams": [upstream.config]}])
    busy, idle = bridge.connect(), bridge.connect()
    idle.send(GET)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    read_message(idle)
    busy.send(GET)
    read_message(service)
    assert bridge.process
    bridge.process.terminate()
    assert idle.ended()
    assert bridge.process.poll() is None
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    answer = read_message(busy)
    assert answer.body == b"hi" and answer.get("connection") == "close"
    assert busy.ended()
    assert bridge.process.wait(10) == 0
