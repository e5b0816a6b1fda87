# SPDX-License-Identifier: Apache-2.0
"""What has two readings is refused, and the connection with it: whole, byte by byte, and behind a
request that is served. Nothing of it reaches the service, and nothing behind it is served.

The tables of what is refused, and why, are those of tests/unit/test_http_*.c; here are those that
somebody could smuggle a request with."""

from __future__ import annotations

import contextlib

import pytest

from bench import Bridge, Upstream, read_message, under_way

GOOD = b"GET /good HTTP/1.1\r\nHost: a.internal\r\n\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a.internal\r\n\r\n"
POST = b"POST /bad HTTP/1.1\r\nHost: a.internal\r\n"

REQUESTS = {
    "length-and-coding": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding-and-length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two-lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "same-length-twice": POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "list-of-lengths": POST + b"Content-Length: 0, 0\r\n\r\n",
    "signed-length": POST + b"Content-Length: +0\r\n\r\n",
    "coding-of-blanks": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "coding-with-tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "other-coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding-twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "coding-in-1.0": b"POST / HTTP/1.0\r\nHost: a.internal\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded": POST + b"X: a\r\n Content-Length: 44\r\n\r\n",
    "folded-coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare-lf": POST + b"X: a\nContent-Length: 44\r\n\r\n",
    "bare-cr": POST + b"X: a\rContent-Length: 44\r\n\r\n",
    "bare-lf-end": b"GET /bad HTTP/1.1\r\nHost: a.internal\r\n\n",
    "nul-in-name": POST + b"Content-\0Length: 44\r\n\r\n",
    "nul-in-value": POST + b"X: \0\r\n\r\n",
    "no-host": b"GET /bad HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET /bad HTTP/1.1\r\nHost: a.internal\r\nHost: b\r\n\r\n",
    "other-authority": b"GET http://b.internal/bad HTTP/1.1\r\nHost: a.internal\r\n\r\n",
    "connect": b"CONNECT a.internal:80 HTTP/1.1\r\nHost: a.internal:80\r\n\r\n",
    "version": b"GET /bad HTTP/2.0\r\nHost: a.internal\r\n\r\n",
    "blank-in-line": b"GET /bad x HTTP/1.1\r\nHost: a.internal\r\n\r\n",
    "dots": b"GET /x/../bad HTTP/1.1\r\nHost: a.internal\r\n\r\n",
    "escaped-dots": b"GET /x/%2e%2E/bad HTTP/1.1\r\nHost: a.internal\r\n\r\n",
    "escaped-slash": b"GET /x%2fbad HTTP/1.1\r\nHost: a.internal\r\n\r\n",
    "fragment": b"GET /bad#x HTTP/1.1\r\nHost: a.internal\r\n\r\n",
}
# The head of these is good, and has been sent on when the body turns out bad.
BODIES = {
    "chunk-size": b"x\r\n",
    "chunk-size-0x": b"0x1\r\na\r\n0\r\n\r\n",
    "chunk-size-overflow": b"100000000000000000\r\n",
    "chunk-blank": b"1 \r\na\r\n0\r\n\r\n",
    "chunk-bare-lf": b"1\na\r\n0\r\n\r\n",
    "chunk-longer": b"1\r\nab\r\n0\r\n\r\n",
    "chunk-extension-lf": b"1;a\nb\r\na\r\n0\r\n\r\n",
    "trailer-length": b"0\r\nContent-Length: 44\r\n\r\n",
    "trailer-bare-lf": b"0\r\nX: a\nY: b\r\n\r\n",
}
ANSWERS = {
    "length-and-coding": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
    "coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "nul": b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n",
    "blank": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "version": b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no-http": b"220 mail.example ESMTP\r\n\r\n",
    "status": b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    "unasked-101": b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "204-with-body": b"HTTP/1.1 204 N\r\nContent-Length: 1\r\n\r\nx",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_request(bridge: Bridge, echoing: Upstream, name: str) -> None:
    bridge.start([{"upstreams": [echoing.config]}])
    for slowly in False, True:
        client = bridge.connect()
        client.send(GOOD)
        assert read_message(client).status == 200
        if slowly:
            client.send_slowly(REQUESTS[name] + HIDDEN)
        else:
            client.send(REQUESTS[name] + HIDDEN)
        answer = read_message(client)
        assert answer.status in (400, 501, 505), answer.head
        assert answer.problem["status"] == answer.status
        assert answer.get("connection") == "close"
        assert client.ended()
        client.close()
    assert echoing.connections == 1


@pytest.mark.parametrize("name", BODIES)
def test_body(bridge: Bridge, upstream: Upstream, name: str) -> None:
    """The service sees a request that never ends, and the connection break."""
    bridge.start([{"upstreams": [upstream.config]}])
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    client = bridge.connect()
    client.send(head)
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    client.send_slowly(BODIES[name] + HIDDEN)
    answer = read_message(client)
    assert answer.status == 400 and answer.get("connection") == "close"
    assert client.ended()
    assert b"hidden" not in service.rest()
    # With its head, it does not even get there.
    client = bridge.connect()
    client.send(head + BODIES[name] + HIDDEN)
    assert read_message(client).status == 400
    assert client.ended()
    assert upstream.connections == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_answer(bridge: Bridge, upstream: Upstream, name: str) -> None:
    """502, the service's connection ends, the client's goes on."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    for slowly in False, True:
        client.send(GOOD)
        service = upstream.peer()
        read_message(service)
        if slowly and name != "bad-chunk":
            with contextlib.suppress(ConnectionError):  # who has heard enough does not wait for the rest
                service.send_slowly(ANSWERS[name])
        else:
            service.send(ANSWERS[name])
        answer = read_message(client)
        assert answer.status == 502
        assert "error=" in (answer.get("proxy-status") or "")
        assert service.ended()


def test_answer_too_much(bridge: Bridge, upstream: Upstream) -> None:
    """What an answer says beyond its end goes to nobody."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GOOD)
    more = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden"
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" + more)
    assert read_message(client).body == b"hi"
    assert service.ended()
    client.send(GOOD)
    service = upstream.peer()
    read_message(service)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nho")
    assert read_message(client).body == b"ho"


def test_answer_with_more_after_its_chunks(bridge: Bridge, upstream: Upstream) -> None:
    """The same for a caller who knows no chunks."""
    bridge.start([{"upstreams": [upstream.config]}])
    old = GOOD.replace(b"HTTP/1.1", b"HTTP/1.0")
    client, service = under_way(bridge, upstream, old)
    more = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden"
    service.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + more)
    assert read_message(client).body == b"hi"
    assert service.ended()


def test_answer_unasked(bridge: Bridge, upstream: Upstream) -> None:
    """An idle connection that speaks is closed: its words are nobody's answer."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GOOD)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert read_message(client).status == 200
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden")
    assert service.ended()


@pytest.mark.parametrize(
    "field", ["X-Forwarded-For: 10.9.9.9", "Forwarded: for=10.9.9.9", "X_Forwarded_For: 10.9.9.9",
              "X-Real-IP: 10.9.9.9", "Keep-Alive: 10.9.9.9", "X-Mine: 10.9.9.9"]
)  # fmt: skip
def test_not_passed_on(bridge: Bridge, upstream: Upstream, field: str) -> None:
    """Who called is not the caller's to say, and a connection's own fields end with it."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GOOD[:-2] + f"{field}\r\nConnection: X-Mine\r\n\r\n".encode())
    assert b"10.9.9.9" not in read_message(upstream.peer()).head


def test_well_known_is_ours(bridge: Bridge, echoing: Upstream) -> None:
    bridge.start([{"upstreams": [echoing.config]}])
    get = b"GET /.well-known/meshgw/%s HTTP/1.1\r\nHost: x\r\n\r\n"
    assert bridge.ask(get % b"health").body == b"ok\n"
    assert bridge.ask(get % b"other").status == 404
    assert echoing.connections == 0
