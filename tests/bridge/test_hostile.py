# SPDX-License-Identifier: Apache-2.0
"""Who means ill, on either side: what others have been broken with, each as a test of its own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bench import Bridge, Peer, Upstream, read_message, under_way

GET = b"GET / HTTP/1.1\r\nHost: a.internal\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.internal\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
HIDDEN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden"
ONE_READ = 128 * 1024  # LOOP_INPUT


def test_answer_behind_an_answer(bridge: Bridge, tmp_path: Path) -> None:
    """A connection that has more to say when it is taken again says it to nobody."""
    upstream = Upstream(path=tmp_path / "app")
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET + GET)
    service = upstream.peer()
    read_message(service)
    bridge.hold()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %06d\r\n\r\n"
    body = b"x" * (ONE_READ - len(head % 0))
    service.send(head % len(body) + body + HIDDEN)
    bridge.let_go()
    assert read_message(client).body == body
    again = upstream.peer()
    read_message(again)
    again.send(OK)
    assert read_message(client).body == b"hi"
    upstream.close()


ALIKE = ["X.Forwarded.For", "X_Forwarded_For", "X-Forwarded.For", "X~Real~IP", "Content.Length",
         "Transfer_Encoding", "X.User", "X_User", "x_secret"]  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_look_alikes(bridge: Bridge, upstream: Upstream, name: str) -> None:
    """What CGI and its heirs take for another field is not the caller's to send."""
    edit = {"set": [["X-User", "us"]], "remove": ["X-Secret"]}
    bridge.start([{"upstreams": [upstream.config], "requestHeaders": edit}])
    client = bridge.connect()
    client.send(GET[:-2] + name.encode() + b": 10.9.9.9\r\n\r\n")
    assert b"10.9.9.9" not in read_message(upstream.peer()).head


TRAILERS = ["X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Anything", "X-User", "X.User",
            "X-Secret", "Authorization", "x" * 65]  # fmt: skip


@pytest.mark.parametrize("name", TRAILERS)
def test_trailers(bridge: Bridge, upstream: Upstream, name: str) -> None:
    """Nor in a trailer, which some services add to the head."""
    edit = {"set": [["X-User", "us"]], "remove": ["X-Secret"]}
    bridge.start([{"upstreams": [upstream.config], "requestHeaders": edit}])
    client = bridge.connect()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    client.send_slowly(b"0\r\n" + name.encode() + b": 10.9.9.9\r\n\r\n")
    assert read_message(client).status == 400
    assert b"10.9.9.9" not in service.rest()


PATHS = ["/open;x/admin", "/;/admin", "/admin;x", "/admin;x/y", "/;a=b/admin/z", "/x/..%3b/admin",
         "//admin;x=y"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_parameters_of_segments(bridge: Bridge, upstream: Upstream, path: str) -> None:
    """Some services take them off before they look: it must not lead to another route."""
    closed = {"path": "/admin", "upstreams": [upstream.config], "sources": ["10.0.0.0/8"]}
    bridge.start([{"upstreams": [upstream.config]}, closed, {**closed, "path": "/open/admin"}])
    answer = bridge.ask(f"GET {path} HTTP/1.1\r\nHost: a.internal\r\n\r\n".encode())
    assert answer.status in (400, 404)
    assert upstream.connections == 0


def test_parameters_pass(bridge: Bridge, upstream: Upstream) -> None:
    """Where they change nothing."""
    bridge.start([{"upstreams": [upstream.config]}, {"path": "/a", "upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(GET.replace(b" / ", b" /a/b;c=d/e;f "))
    assert read_message(upstream.peer()).first == "GET /a/b;c=d/e;f HTTP/1.1"


def test_heard_before_the_end(bridge: Bridge, upstream: Upstream) -> None:
    """A connection from the pool that began to answer was not a stale one: no second try."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    for beginning in b"HTTP/1.1 20", b"HTTP/1.1 103 Early Hints\r\n\r\n":
        client.send(GET)
        service = upstream.peer()
        read_message(service)
        service.send(OK)
        assert read_message(client).status == 200
        client.send(GET)
        read_message(service)
        service.send(beginning)
        service.close()
        if b"103" in beginning:
            client.until(b"\r\n\r\n")
        assert read_message(client).status == 502


def test_nominations_without_end(bridge: Bridge, upstream: Upstream) -> None:
    """What Connection names is looked for in each field: a long list is no request's."""
    bridge.start([{"upstreams": [upstream.config]}])
    fields = b"".join(b"A%d: x\r\n" % i for i in range(90))
    request = GET[:-2] + b"Connection: " + b"a," * 30000 + b"\r\n" + fields + b"\r\n"
    assert bridge.ask(request).status in (400, 431)
    assert upstream.connections == 0


def test_admin_when_full(bridge: Bridge, upstream: Upstream, tmp_path: Path) -> None:
    """Who looks after the gateway is let in when nobody else is."""
    admin = tmp_path / "admin"
    bridge.start([{"upstreams": [upstream.config]}], limits={"connections": 2}, admin=f"unix:{admin}")
    clients = [bridge.connect() for _ in range(2)]
    for client in clients:
        client.send(GET.replace(b"a.int", b"b.int"))
        assert read_message(client).status == 404
    assert bridge.ask(GET).status == 503
    operator = Peer(socket.socket(socket.AF_UNIX))
    operator.sock.connect(str(admin))
    operator.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert read_message(operator).status == 200


def test_proxy_protocol_of_both_families(bridge: Bridge, upstream: Upstream) -> None:
    """A client of IPv4 on a socket of IPv6 is one of IPv4, at both ends."""
    bridge.listener.close()
    bridge.listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    bridge.port = bridge.listener.getsockname()[1]
    bridge.start([{"upstreams": [upstream.config], "proxyProtocol": True}])
    client = bridge.connect()
    client.send(GET)
    header = upstream.peer().exactly(28)
    assert header[12:16] == b"\x21\x11\0\x0c" and header[16:24] == b"\x7f\0\0\1" * 2


@pytest.mark.parametrize("scheme", ["NTLM", "negotiate"])
def test_connection_that_is_logged_in(bridge: Bridge, upstream: Upstream, scheme: str) -> None:
    """It is not the next caller's."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GET[:-2] + f"Authorization: {scheme} eA==\r\n\r\n".encode())
    service.send(OK)
    assert read_message(client).status == 200
    assert service.ended()


def test_body_behind_its_answer(bridge: Bridge, upstream: Upstream) -> None:
    """What comes of a body when all is answered is neither a request nor anybody's body."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(POST + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    service.send(OK)
    assert client.until(b"hi").endswith(b"\r\n\r\nhi")
    client.send(GET.replace(b" / ", b" /hidden ") + b"x" * 1000 + GET)
    assert client.ended()
    assert service.rest() == b"" and upstream.connections == 1


PROXIES = {"one": b"PROXY TCP4 10.9.9.9 10.9.9.8 1 2\r\n",
           "two": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([10, 9, 9, 9, 10, 9, 9, 8, 0, 1, 0, 2])}  # fmt: skip


@pytest.mark.parametrize("version", PROXIES)
def test_client_speaks_for_another(bridge: Bridge, upstream: Upstream, version: str) -> None:
    """The PROXY protocol is spoken to upstreams, and heard from nobody."""
    bridge.start([{"upstreams": [upstream.config], "sources": ["10.9.9.9/32"]}])
    answer = bridge.ask(PROXIES[version] + GET)
    assert answer.status == 400
    assert bridge.stop() == 0
    assert [line.get("peer") for line in bridge.lines()] == ["127.0.0.1"]


def test_log_of_the_hostile(bridge: Bridge, upstream: Upstream) -> None:
    """One line a request, whatever is in it, and no secret in any."""
    token = "secret-of-this-test-0123"
    bridge.start([{"upstreams": [upstream.config], "tokens": [token]}])
    head = b"Host: a.internal\r\nAuthorization: Bearer "
    for request in (
        b'GET /"\\\xff\xe2\x80\xa8?' + token.encode() + b" HTTP/1.1\r\n" + head + b"x\r\n\r\n",
        b'G{"a":1}T / HTTP/1.1\r\nHost: a"}\r\n\r\n',
        b"GET /" + b"\x7f" * 3000 + b" HTTP/1.1\r\nHost: \xff\xff\r\n\r\n",
        b"GET /x HTTP/1.1\r\n" + head + token.encode() + b"x\r\n\r\n",
        b"GET /x HTTP/1.1\r\n" + head + token[:-1].encode() + b"\r\n\r\n",
    ):
        assert bridge.ask(request).status in (400, 401)
    assert bridge.stop() == 0
    assert len(bridge.lines()) == 5
    assert token[:-1] not in bridge.access.read_text() + bridge.log.read_text()
