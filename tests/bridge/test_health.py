# SPDX-License-Identifier: Apache-2.0
"""Health checks: who does not answer them gets no requests, and gets them again when it does."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from bench import GET, Bridge, Peer, Upstream, poll, read_message

HEALTH = {
    "path": "/healthz?full=1", "intervalMs": 100, "timeoutMs": 300, "failures": 2, "successes": 2,
}  # fmt: skip


class Service:
    """An upstream that says its name, and what a test wants of its health."""

    def __init__(self, name: bytes) -> None:
        self.name, self.health = name, b"HTTP/1.1 204 No Content\r\n\r\n"
        self.checks: list[bytes] = []
        self.upstream = Upstream(self._serve)

    def _serve(self, peer: Peer) -> None:
        request = read_message(peer)
        if b"/healthz" not in request.head:
            while True:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + self.name)
                read_message(peer)
        self.checks.append(request.head)
        peer.send(self.health)
        peer.rest()


@pytest.fixture
def services() -> Any:
    made = [Service(b"a"), Service(b"b")]
    yield made
    for service in made:
        with contextlib.suppress(OSError):  # a test has closed it
            service.upstream.close()


def _answers(bridge: Bridge) -> set[bytes]:
    return {bridge.ask(GET).body for _ in range(8)}


@pytest.mark.parametrize(
    "bad",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",  # bare line feeds
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20000,
        b"",  # nothing, for longer than it may take
    ],
    ids=["error", "malformed", "endless", "silent"],
)
def test_down_and_up(bridge: Bridge, services: list[Service], bad: bytes) -> None:
    a, b = services
    good = a.health
    bridge.start([{"upstreams": [a.upstream.config, b.upstream.config], "health": HEALTH}])
    poll("both", lambda: _answers(bridge) == {b"a", b"b"})
    a.health = bad
    poll("b only", lambda: _answers(bridge) == {b"b"})
    a.health = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + good
    poll("both again", lambda: _answers(bridge) == {b"a", b"b"})
    assert a.checks[0].startswith(b"GET /healthz?full=1 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_none_is_left(bridge: Bridge, services: list[Service]) -> None:
    """503 that says so; and a connection that is refused is a no."""
    a, _ = services
    bridge.start([{"upstreams": [a.upstream.config], "health": HEALTH}])
    assert bridge.ask(GET).body == b"a"
    a.upstream.close()
    answer = poll("down", lambda: (m := bridge.ask(GET)).status == 503 and m)
    assert answer.problem["code"] == "upstream-down"
    assert "error=destination_unavailable" in answer.get("proxy-status")


def test_proxy_protocol(bridge: Bridge, upstream: Upstream) -> None:
    """The check's connection says that it is nobody's."""
    bridge.start([{"upstreams": [upstream.config], "health": HEALTH, "proxyProtocol": True}])
    service = upstream.peer()
    assert service.exactly(16) == b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
    assert read_message(service).first == "GET /healthz?full=1 HTTP/1.1"


def test_reload(bridge: Bridge, services: list[Service]) -> None:
    """Checks go on over a reload, and end with the upstream."""
    a, b = services
    route = {"upstreams": [a.upstream.config], "health": HEALTH}
    bridge.start([route])
    poll("a check", lambda: a.checks)
    a.health = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    poll("down", lambda: bridge.ask(GET).status == 503)
    bridge.reload([route, {"host": "c", "upstreams": [a.upstream.config], "health": HEALTH}])
    assert bridge.ask(GET).status == 503  # what was known stays known
    bridge.reload([{"upstreams": [b.upstream.config], "health": HEALTH}])
    poll("b", lambda: bridge.ask(GET).body == b"b")
    seen = len(a.checks)
    poll("checks of b", lambda: len(b.checks) >= 5)
    assert len(a.checks) <= seen + 1  # one was under way
    bridge.reload([route])
    poll("a again, as if new", lambda: bridge.ask(GET).body == b"a")
