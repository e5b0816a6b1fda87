# SPDX-License-Identifier: Apache-2.0
"""What a kernel is told of packets that go nowhere (RFC 9484 7.2.1, 10.1)."""

from __future__ import annotations

from world import MESH_EDGE, MESH_GATEWAY, Pair, Space, poll, transfer

MEBIBYTE = 1 << 20


def _unreachable(space: Space, address: str) -> bool:
    return "nreachable" in space.run("ping", "-n", "-c1", "-W1", address, ok=False)


def test_nobody(pair: Pair) -> None:
    """A connector without its edge, an edge without that node, a node that is away."""
    gateway, edge = pair.gateway.space, pair.edge.space
    pair.gateway.tell(pair.connector())
    pair.gateway.start()
    poll("no edge", lambda: _unreachable(gateway, MESH_EDGE))
    poll("no edge, IPv6", lambda: _unreachable(gateway, "fd00:64::1"))

    pair.edge.tell(pair.server())
    pair.edge.start()
    pair.wait_open()
    poll("way", pair.ping)
    poll("no such node", lambda: _unreachable(edge, "100.96.0.99"))
    poll("no such node, IPv6", lambda: _unreachable(edge, "fd00:96::99"))
    assert pair.gateway.stop() == 0
    poll("away", lambda: _unreachable(edge, MESH_GATEWAY))


def test_narrow(pair: Pair) -> None:
    """A path that holds no 1280 bytes: IPv4 is told what it holds, and goes on."""
    gateway, edge = pair.gateway.space, pair.edge.space
    for space in (gateway, edge):
        space.run("ip", "link", "set", "wire0", "mtu", "1280")
    pair.edge.tell(pair.server(pair.node(pair.gateway.identity, addresses=[MESH_GATEWAY]), advertise=["100.64.0.0/12"]))
    pair.gateway.tell(pair.connector())
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    poll("way", pair.ping)
    transfer(edge, MESH_EDGE, gateway, MEBIBYTE)
    transfer(gateway, MESH_GATEWAY, edge, MEBIBYTE)
