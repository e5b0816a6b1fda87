# SPDX-License-Identifier: Apache-2.0
"""Requests through the bridge: what arrives on each side, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import Bridge, Upstream, echo, poll, read_message, under_way

GET = b"GET /x?y HTTP/1.1\r\nHost: a.internal\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: a.internal\r\n"
HEALTH = b"GET /.well-known/meshgw/health HTTP/1.1\r\nHost: a.internal\r\n\r\n"
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


def test_first_come_first_served(bridge: Bridge, upstream: Upstream) -> None:
    """Those whose requests wait are served in the order of their requests."""
    bridge.start([{"upstreams": [upstream.config]}])
    clients = [bridge.connect() for _ in range(20)]
    for client in clients:
        client.send(HEALTH)
        assert read_message(client).status == 200
    # Before it waits again the last one is still in epoll's list of those that are ready.
    poll("it waits", lambda: bridge.states() == {"S"})
    bridge.hold()
    for client in clients:
        client.send(HEALTH)
    bridge.let_go()
    for client in clients:
        assert read_message(client).status == 200
    poll("the log", lambda: len(bridge.lines()) == 2 * len(clients))
    ports = [client.sock.getsockname()[1] for client in clients]
    assert [line["peerPort"] for line in bridge.lines()] == ports + ports


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
    client, service = under_way(bridge, upstream, GET)
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


def test_max_forwards(bridge: Bridge, upstream: Upstream) -> None:
    """OPTIONS goes on one time less, and ends here when it may not; other methods do not care."""
    bridge.start([{"upstreams": [upstream.config]}])
    options = b"OPTIONS /x HTTP/1.1\r\nHost: a.internal\r\nMax-Forwards: %s\r\n\r\n"
    client = bridge.connect()
    client.send(options % b"0")
    assert read_message(client).status == 200
    assert upstream.connections == 0
    client.send(options % b"7")
    service = upstream.peer()
    assert read_message(service).all("max-forwards") == ["6"]
    service.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert read_message(client).status == 204
    client.send(GET.replace(b"\r\n\r\n", b"\r\nMax-Forwards: 0\r\n\r\n"))
    assert read_message(service).get("max-forwards") == "0"
    # Who may not ask at all is not answered so.
    other = options.replace(b"a.int", b"b.int")
    assert bridge.ask(other % b"0").status == 404
    assert bridge.ask(options % b"x").status == 400


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
    client, service = under_way(bridge, upstream, GET.replace(b"GET", b"HEAD"))
    service.send(answer)
    got = read_message(client, head_only=True)
    assert got.get("content-length") == length
    client.send(GET)
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert read_message(client).body == b"hi"


def test_range(bridge: Bridge, upstream: Upstream) -> None:
    """A part of something, and the condition under which."""
    bridge.start([{"upstreams": [upstream.config]}])
    fields = b"Range: bytes=2-3\r\nIf-Range: \"a\"\r\n"
    client, service = under_way(bridge, upstream, GET[:-2] + b"X: 1\r\n\r\n")
    service.send(b"HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\nContent-Length: 0\r\n\r\n")
    assert read_message(client).get("accept-ranges") == "bytes"
    client.send(GET[:-2] + fields + b"\r\n")
    assert fields in read_message(service).head
    service.send(b"HTTP/1.1 206 Part\r\nContent-Range: bytes 2-3/9\r\nContent-Length: 2\r\n\r\ncd")
    answer = read_message(client)
    assert (answer.status, answer.get("content-range"), answer.body) == (206, "bytes 2-3/9", b"cd")


def test_edits(bridge: Bridge, upstream: Upstream) -> None:
    """What a route says of path, Host and fields, in both directions."""
    edit = {"set": [["X-Set", "ours"]], "remove": ["X-Gone"]}
    route = {"path": "/api", "stripPrefix": True, "hostHeader": "name.internal:81",
             "requestHeaders": edit, "responseHeaders": edit}  # fmt: skip
    bridge.start([{"upstreams": [upstream.config], **route}])
    theirs = b"X-Set: theirs\r\nX-Gone: a\r\nX-Stays: b\r\n"
    client = bridge.connect()
    client.send(b"GET /api/v1?q HTTP/1.1\r\nHost: a.internal\r\n" + theirs + b"\r\n")
    service = upstream.peer()
    request = read_message(service)
    assert request.first == "GET /v1?q HTTP/1.1" and request.all("host") == ["name.internal:81"]
    service.send(b"HTTP/1.1 200 OK\r\n" + theirs + b"Content-Length: 0\r\n\r\n")
    for message in request, read_message(client):
        assert message.all("x-set") == ["ours"] and message.all("x-stays") == ["b"]
        assert not message.all("x-gone")


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
    upgrade = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    client, service = under_way(bridge, upstream, GET.replace(b"\r\n\r\n", upgrade))
    service.send(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
    assert read_message(client).status == 400
    client.send(GET)
    read_message(service)


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
