# SPDX-License-Identifier: Apache-2.0
"""Packets get through, both families, both ways."""

from __future__ import annotations

from world import MESH6_EDGE, MESH6_GATEWAY, MESH_EDGE, MESH_GATEWAY, Pair, poll, transfer

MEBIBYTES = 1 << 20


def test_ping(pair: Pair) -> None:
    pair.start()
    assert pair.ping()
    assert pair.ping(MESH6_EDGE)


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
