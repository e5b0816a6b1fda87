# SPDX-License-Identifier: Apache-2.0
"""What an edge knows of its nodes, as far as it takes packets to see it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from world import MESH_EDGE, MESH_GATEWAY, TIMEOUT_S, Pair, Space, poll, transfer

POOL = "100.96.0.0/24"
LISTEN = (MESH_EDGE, 9)
MEBIBYTE = 1 << 20


def _assigned(pair: Pair) -> list[str]:
    """What the gateway proposes now, once it knows its routes, too."""
    last = pair.gateway.daemon.proposals[-1:]
    return last[0]["addresses"] if last and last[0]["routes"] else []


def _foreign(pair: Pair) -> int:
    """Packets of the node from networks that are not its own."""
    foreign: int = pair.edge.fresh().nodes()["site1"]["foreign"]
    return foreign


def _start(pair: Pair, *nodes: dict[str, Any], advertise: str, **other: Any) -> None:
    pair.edge.tell(pair.server(*nodes, **other))
    pair.gateway.tell(pair.connector(advertise=[advertise]))
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()


def test_pool(pair: Pair) -> None:
    """A node without addresses gets one of the pool, and the same of an edge that begins anew."""
    node = pair.node(pair.gateway.identity, addresses=[])
    _start(pair, node, advertise="10.0.1.0/24", pool=[POOL])
    poll("proposal", lambda: _assigned(pair))
    (first,) = _assigned(pair)
    assert ipaddress.ip_network(first).subnet_of(ipaddress.ip_network(POOL))

    address = first.partition("/")[0]
    pair.gateway.space.run("ip", "address", "add", first, "dev", "mesh0")

    def is_ours() -> bool:
        """Nobody else's address would be let through (BCP 38)."""
        return pair.gateway.space.succeeds("ping", "-n", "-c1", "-W1", "-I", address, MESH_EDGE)

    poll("an answer", is_ours)
    told = len(pair.gateway.daemon.proposals)
    assert pair.edge.stop() == 0
    pair.edge.start()
    poll("the same", is_ours)
    # Nothing was withdrawn meanwhile.
    assert len(pair.gateway.daemon.proposals) == told


def _send(space: Space, source: str, what: bytes) -> None:
    with space, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.sendto(what, LISTEN)


def test_foreign_source(pair: Pair) -> None:
    """A network inside a node's own is another node's: what is sent from it goes nowhere (BCP 38)."""
    wide = pair.node(pair.gateway.identity, routes=["10.0.0.0/16"])
    inner = pair.node(pair.edge.identity, name="site2", addresses=[], routes=["10.0.2.0/24"])
    for address in ("10.0.1.5", "10.0.2.5"):
        pair.gateway.space.run("ip", "address", "add", f"{address}/32", "dev", "mesh0")
    pair.edge.space.run("ip", "route", "add", "10.0.0.0/16", "dev", "mesh0")
    _start(pair, wide, inner, advertise="10.0.0.0/16")
    with pair.edge.space:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.settimeout(TIMEOUT_S)
    with listener:
        listener.bind(LISTEN)
        poll("way", lambda: pair.ping())
        for _ in range(10):
            _send(pair.gateway.space, "10.0.2.5", b"foreign")
        _send(pair.gateway.space, "10.0.1.5", b"own")
        assert listener.recvfrom(100)[1][0] == "10.0.1.5"
    poll("counted", lambda: _foreign(pair) == 10)
    assert pair.edge.daemon.nodes()["site1"]["in"]["packets"] > 0


def test_pieces(pair: Pair) -> None:
    """The kernel's super-packets count against a node's limits as what they are: many packets."""
    pair.start()
    assert pair.ping()
    transfer(pair.gateway.space, MESH_GATEWAY, pair.edge.space, MEBIBYTE)
    least = MEBIBYTE // 1500  # no packet is larger

    def out() -> dict[str, int]:
        node = pair.edge.fresh().nodes()["site1"]
        return node["out"] if node["out"]["bytes"] >= MEBIBYTE else {}

    assert poll("counted", out)["packets"] >= least
    (peer,) = pair.edge.daemon.peers()
    assert peer["packets"]["out"] >= least


def test_own_address(pair: Pair) -> None:
    """The edge is reached at an address of its own inside of a node's networks. No node gets it, or sends from it."""
    own, other = "100.96.0.1", "100.96.0.0"
    wide = ["100.96.0.0/12"]
    pair.edge.space.run("ip", "address", "add", f"{own}/32", "dev", "mesh0")
    pair.gateway.space.run("ip", "route", "add", f"{own}/32", "dev", "mesh0")
    node = pair.node(pair.gateway.identity, addresses=[], routes=wide)
    pair.edge.tell(pair.server(node, addresses=[f"{own}/32"], pool=[f"{other}/31"]))
    connector = pair.connector(advertise=wide)
    connector["connector"]["accept"]["routes"].append(f"{own}/32")
    pair.gateway.tell(connector)
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    poll("an answer", lambda: pair.ping(own))
    poll("an address", lambda: _assigned(pair) == [f"{other}/32"])
    assert f"{own}/32" in pair.gateway.daemon.proposals[-1]["routes"]

    pair.gateway.space.run("ip", "address", "add", f"{own}/32", "dev", "mesh0")
    _send(pair.gateway.space, own, b"foreign")
    poll("counted", lambda: _foreign(pair) == 1)
