# SPDX-License-Identifier: Apache-2.0
"""QUIC over IPv6, beside IPv4: what the tunnel goes through, whatever goes through it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from test_live import echoing, recovers, restart, wait_quiet
from test_move import settle
from world import (
    EDGE,
    EDGE6,
    GATEWAY6,
    MESH6_EDGE,
    MESH6_GATEWAY,
    MESH_EDGE,
    MESH_GATEWAY,
    Node,
    Pair,
    poll,
    transfer,
)

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
ETHERNET, LEAST = 1500 - 48, 1280 - 48  # payloads of UDP
MOVED6 = "2001:db8::11"
AT6 = {"address": EDGE6, "port": 443}
AT4 = {"address": EDGE, "port": 443}
# As meshgwd tells it of an edge without a name.
NAMES = {
    "serverName": EDGE6,
    "authority": f"[{EDGE6}]",
    "template": f"https://[{EDGE6}]/.well-known/masque/ip/{{target}}/{{ipproto}}/",
}


@pytest.fixture
def dual(pair: Pair) -> Pair:
    """Its edge listens on [::]:443 beside 0.0.0.0:443; the gateway knows it by its IPv6 address."""
    pair.edge.udp.append(pair.edge.space.udp("::", 443))
    pair.gateway.udp.append(pair.gateway.space.udp("::", 0))
    pair.gateway.tell(pair.connector(edges=[AT6], **NAMES))
    return pair


def begin(pair: Pair, *nodes: dict[str, Any], **told: Any) -> None:
    pair.edge.tell(pair.server(*nodes, **told))
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()


def log_of(node: Node) -> str:
    return node.log.read_text("utf-8")


def anew(node: Node) -> list[dict[str, Any]]:
    """The peers of a report that is made now: told something, also the same, it says what is."""
    node.tell(node.daemon.told[0])
    generation, reports = node.daemon.generation, node.daemon.reports
    poll("told", lambda: reports and reports[-1]["generation"] == generation)
    return node.daemon.peers()


def wait_payload(pair: Pair, size: int) -> None:
    """The largest that either end sends."""
    for node in (pair.gateway, pair.edge):
        poll(f"{size} bytes", lambda n=node: [p["payload"] for p in anew(n)] == [size])


def wait_address(pair: Pair, address: str) -> None:
    """From where the edge sees the gateway."""
    peers = pair.edge.daemon.peers
    poll(address, lambda: [p for p in peers() if p["address"].startswith(f"{address}:")])


def resocket(pair: Pair, *sockets: socket.socket) -> None:
    """As meshgwd has them; until the gateway has seen it."""
    former = [s for s in pair.gateway.udp if s not in sockets]
    pair.gateway.udp = list(sockets)
    anew(pair.gateway)
    for sock in former:
        sock.close()


def test_carry(dual: Pair) -> None:
    """Behind a Retry, up to what Ethernet has room for, through a restart of the edge that only the
    edge can tell of, and from another address."""
    begin(dual, limits={"retryAbove": 0})
    gateway, edge = dual.gateway.space, dual.edge.space
    wait_address(dual, f"[{GATEWAY6}]")
    assert [p["address"] for p in dual.gateway.daemon.peers()] == [f"[{EDGE6}]:443"]
    poll("Retry", lambda: dual.edge.daemon.counters().get("retries"))
    transfer(edge, MESH_EDGE, gateway, MEBIBYTE)
    transfer(gateway, MESH6_GATEWAY, edge, MEBIBYTE)

    with echoing(gateway, MESH_GATEWAY):
        recovers("before", edge, MESH_GATEWAY, lambda: None)
        wait_quiet(gateway)
        recovers("edge killed", edge, MESH_GATEWAY, lambda: restart(dual.edge))
    assert log_of(dual.gateway).count("cause=stateless reset") == 1

    settle(dual)
    gateway.run("ip", "address", "add", f"{MOVED6}/64", "dev", "wire0", "nodad")
    gateway.run("ip", "address", "del", f"{GATEWAY6}/64", "dev", "wire0")
    resocket(dual, dual.gateway.udp[0], gateway.udp("::", 0))
    transfer(edge, MESH6_EDGE, gateway, 64 * KIBIBYTE)
    poll("moved", lambda: f"moved node=site1 to=[{MOVED6}]:" in log_of(dual.edge))
    wait_payload(dual, ETHERNET)
    for node in (dual.gateway, dual.edge):
        assert not node.daemon.troubles()
        assert "slower" not in log_of(node)


def test_narrow(dual: Pair) -> None:
    """The least that IPv6 has (RFC 8200 5), which is a little more than QUIC needs."""
    for end in (dual.gateway, dual.edge):
        end.space.run("ip", "link", "set", "wire0", "mtu", "1280")
    node = dual.node(dual.gateway.identity, addresses=[f"{MESH_GATEWAY}/32"])
    begin(dual, node, advertise=["100.64.0.0/12"])
    transfer(dual.edge.space, MESH_EDGE, dual.gateway.space, 256 * KIBIBYTE)
    transfer(dual.gateway.space, MESH_GATEWAY, dual.edge.space, 256 * KIBIBYTE)
    wait_payload(dual, LEAST)


def test_dual(dual: Pair) -> None:
    """A family without a socket is passed over. One that comes later, or changes, is nothing to a
    tunnel over the other; it is there when that one goes."""
    v4, v6 = dual.gateway.udp
    dual.gateway.udp = [v4]
    dual.gateway.tell(dual.connector(edges=[AT6, AT4]))
    begin(dual)
    assert "no socket of the edge's family" in log_of(dual.gateway)
    another = dual.gateway.space.udp("::", 0)
    for six in (v6, another):
        resocket(dual, v4, six)
        assert dual.ping()
    assert "(another address)" not in log_of(dual.gateway)
    resocket(dual, another)
    wait_address(dual, f"[{GATEWAY6}]")
    poll("over IPv6", dual.ping)
    assert log_of(dual.gateway).count("connector: established") == 2
