# SPDX-License-Identifier: Apache-2.0
"""Packets get through, both families, both ways."""

from __future__ import annotations

import re

from world import MESH6_EDGE, MESH6_GATEWAY, MESH_EDGE, MESH_GATEWAY, Pair, Space, poll, transfer

MEBIBYTES = 1 << 20


def test_ping(pair: Pair) -> None:
    pair.start()
    assert pair.ping()
    assert pair.ping(MESH6_EDGE)


COUNTED = {
    "outer": "iifname wire0 udp length > 0",
    "marked": "iifname wire0 ip dscp != 0",
    "inner": "iifname mesh0 ip dscp ef ip ecn ect0",
    "inner6": "iifname mesh0 ip6 dscp ef ip6 ecn ect0",
}


def _count(space: Space) -> None:
    space.run("nft", "add table inet marks")
    space.run("nft", "add chain inet marks in { type filter hook prerouting priority 0; }")
    for name, rule in COUNTED.items():
        space.run("nft", f"add counter inet marks {name}")
        space.run("nft", f"add rule inet marks in {rule} counter name {name}")


def _counted(space: Space) -> dict[str, int]:
    found = re.findall(r"counter (\w+) {\s*packets (\d+)", space.run("nft", "list counters"))
    return {name: int(packets) for name, packets in found}


def test_marks(pair: Pair) -> None:
    """RFC 9484 10.3: all packets of a connection are one flow to its congestion control, so a mark of a
    packet inside is not the outer one's. Nor is it lost (RFC 9484 10.2: ECN)."""
    ends = (pair.gateway.space, pair.edge.space)
    for space in ends:
        _count(space)
    pair.start()
    for target in (MESH_EDGE, MESH6_EDGE):
        for size in ("56", "1200"):
            ping = ("ping", "-n", "-c1", "-W1", "-Q", "0xba", "-s", size, target)
            poll(f"{target} {size}", lambda p=ping: pair.gateway.space.succeeds(*p))
    for space in ends:  # the kernel's answers are marked as the questions
        counted = _counted(space)
        assert counted["outer"] > 0 and counted["inner"] >= 2 and counted["inner6"] >= 2, counted
        assert counted["marked"] == 0, counted


def test_tcp(pair: Pair) -> None:
    """Both ways and both families."""
    pair.start()
    gateway, edge = pair.gateway.space, pair.edge.space
    transfer(edge, MESH_EDGE, gateway, 16 * MEBIBYTES)
    transfer(gateway, MESH_GATEWAY, edge, 16 * MEBIBYTES)
    transfer(edge, MESH6_EDGE, gateway, 4 * MEBIBYTES)
    transfer(gateway, MESH6_GATEWAY, edge, 4 * MEBIBYTES)


def test_told(pair: Pair) -> None:
    """Addresses and routes of the edge come to meshgwd as proposals; both report what they are."""
    pair.start()
    proposal = poll("proposal", lambda: [p for p in pair.gateway.daemon.proposals if p["routes"]])[-1]
    assert sorted(proposal["addresses"]) == [f"{MESH_GATEWAY}/32", f"{MESH6_GATEWAY}/128"]
    assert sorted(proposal["routes"]) == ["100.64.0.0/12", "fd00:64::/32"]
    # A report of the moment between handshake and request knows nobody who is active.
    peers = pair.edge.daemon.peers
    (peer,) = poll("report", lambda: [p for p in peers() if p["active"]])
    assert (peer["node"], peer["replica"]) == ("site1", "gw1")
    assert peer["group"] == "X25519MLKEM768"
