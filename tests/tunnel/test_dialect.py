# SPDX-License-Identifier: Apache-2.0
"""Both ends depart from the RFCs in the same way: another protocol, another path, no capsules, other settings."""

from __future__ import annotations

from typing import Any

from world import MESH6_EDGE, MESH_EDGE, MESH_GATEWAY, Pair, poll, transfer

MEBIBYTE = 1 << 20

DIALECT: dict[str, Any] = {
    "protocol": "cf-connect-ip",
    "path": "/",
    "authority": "tunnel.example",
    "ignoreMissingConnectProtocol": True,
    "staticOnly": True,
    "settings": [[0x276, 1]],
}


def _connector(pair: Pair, **dialect: Any) -> dict[str, Any]:
    static = {
        "addresses": [f"{MESH_GATEWAY}/32", "fd00:96::18/128"],
        "routes": ["100.64.0.0/12", "fd00:64::/32"],
    }
    return {**pair.connector(**static), "dialect": {**DIALECT, **dialect}}


def test_dialect(pair: Pair) -> None:
    """Addresses and routes are what both were told; networks behind the node count, too."""
    gateway, edge = pair.gateway.space, pair.edge.space
    gateway.run("ip", "address", "add", "10.0.1.5/32", "dev", "mesh0")
    edge.run("ip", "route", "add", "10.0.1.0/24", "dev", "mesh0")
    pair.edge.tell({**pair.server(), "dialect": DIALECT})
    pair.gateway.tell(_connector(pair))
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    poll("way", pair.ping)
    poll("way, IPv6", lambda: pair.ping(MESH6_EDGE))
    transfer(edge, MESH_EDGE, gateway, MEBIBYTE)
    transfer(gateway, "10.0.1.5", edge, MEBIBYTE)
    assert not [p for p in pair.gateway.daemon.proposals if p["addresses"] or p["routes"]]


def test_refused(pair: Pair) -> None:
    """An edge of the dialect knows one path."""
    pair.edge.tell({**pair.server(), "dialect": DIALECT})
    pair.gateway.tell(_connector(pair, path="/x"))
    pair.edge.start()
    pair.gateway.start()
    poll("refusal", lambda: "status=404" in pair.gateway.log.read_text("utf-8"))
