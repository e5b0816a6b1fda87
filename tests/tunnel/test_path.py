# SPDX-License-Identifier: Apache-2.0
"""The way between gateway and edge goes bad: packets get through as far as they can, and both ends
say what is wrong with it."""

from __future__ import annotations

import time

import pytest

from disorder import relaying
from world import (
    EDGE,
    GATEWAY,
    MESH_EDGE,
    MESH_GATEWAY,
    TIMEOUT_S,
    Pair,
    drop,
    mend,
    poll,
    transfer,
)

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
# At 20 % each way five SYNs, which take 15 s, stay unanswered once in 165 connections; each pause of
# TCP is twice the one before (RFC 6298 5.5).
LOSS_S = 60.0
RELAY = (GATEWAY, 4433)
NARROW = 1300
LOOK_S = 2.0  # so long each end has looked at its path in between, which it does once a second


def carries(pair: Pair, size: int, seconds: float = TIMEOUT_S) -> None:
    """Both ways."""
    transfer(pair.edge.space, MESH_EDGE, pair.gateway.space, size, seconds)
    transfer(pair.gateway.space, MESH_GATEWAY, pair.edge.space, size, seconds)


@pytest.mark.parametrize("percent", [1, 5, 20])
def test_loss(pair: Pair, percent: int) -> None:
    pair.start()
    drop(pair, f"meta l4proto udp numgen random mod 100 < {percent}")
    carries(pair, 256 * KIBIBYTE // percent, LOSS_S)

    def seen() -> bool:
        pair.gateway.space.run("ping", "-nqfc300", "-W1", MESH_EDGE, ok=False)
        return pair.gateway.named("lossy") and pair.edge.named("lossy")

    poll("its name", seen)


def test_reordering(pair: Pair) -> None:
    """Half of the packets are overtaken by others, and some come twice."""
    pair.edge.tell(pair.server())
    pair.gateway.tell(pair.connector(edges=[{"address": GATEWAY, "port": RELAY[1]}]))
    with relaying(pair.gateway.space, RELAY, (EDGE, 443)) as relay:
        pair.edge.start()
        pair.gateway.start()
        pair.wait_open()
        carries(pair, 256 * KIBIBYTE)
        assert relay.overtaken > relay.passed // 4
        end = time.monotonic() + LOOK_S
        while time.monotonic() < end:
            for node in (pair.gateway, pair.edge):
                assert not node.fresh().troubles()


def _start_v4(pair: Pair) -> None:
    """IPv6 needs 1280 bytes, and would go with its path."""
    node = pair.node(pair.gateway.identity, addresses=[f"{MESH_GATEWAY}/32"])
    pair.edge.tell(pair.server(node, advertise=["100.64.0.0/12"]))
    pair.gateway.tell(pair.connector())
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    carries(pair, MEBIBYTE)


def _see_narrow(pair: Pair) -> None:
    carries(pair, MEBIBYTE)
    poll("its name", lambda: pair.gateway.named("narrow") or pair.edge.named("narrow"))
    assert not pair.gateway.named("lossy") and not pair.edge.named("lossy")
    assert pair.gateway.log.read_text("utf-8").count("connector: established") == 1


def test_narrow(pair: Pair) -> None:
    """Our own interfaces become narrower; the kernel says so."""
    _start_v4(pair)
    for node in (pair.gateway, pair.edge):
        node.space.run("ip", "link", "set", "wire0", "mtu", str(NARROW))
    _see_narrow(pair)


def test_black_hole(pair: Pair) -> None:
    """Somewhere on the path, and nobody says a word."""
    _start_v4(pair)
    drop(pair, f"meta l4proto udp meta length > {NARROW}")
    _see_narrow(pair)


def test_narrow_for_ipv6(pair: Pair) -> None:
    """RFC 9484 7.2: where 1280 bytes do not get through, the request is ended; it says why."""
    drop(pair, f"meta l4proto udp meta length > {NARROW}")
    pair.start()
    for node in (pair.gateway, pair.edge):
        poll("its name", lambda n=node: n.named("narrow"))
    mend(pair)
    poll("the way back", lambda: pair.ping() and pair.ping(size=1200))


def test_address_change(pair: Pair) -> None:
    """The gateway's address goes and another one comes."""
    pair.start()
    assert pair.ping()
    pair.gateway.space.run("ip", "address", "del", f"{GATEWAY}/24", "dev", "wire0")
    pair.gateway.space.run("ip", "address", "add", "192.0.2.3/24", "dev", "wire0")
    poll("by the new address", pair.ping)
    poll("it is known", lambda: [p for p in pair.edge.fresh().peers() if p["address"].startswith("192.0.2.3:")])
