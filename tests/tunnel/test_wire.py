# SPDX-License-Identifier: Apache-2.0
"""A wire that is slower than the programs: their sockets fill up, and they wait for them."""

from __future__ import annotations

import contextlib
import os
import threading

from world import (
    EDGE,
    GATEWAY,
    IFF_NO_PI,
    IFF_TUN,
    MESH_EDGE,
    MESH_GATEWAY,
    Pair,
    transfer,
)

MEBIBYTE = 1 << 20


def _carry(source: int, target: int) -> None:
    """Packet by packet; what was not read yet counts for the sender's socket."""
    with contextlib.suppress(OSError):
        while packet := os.read(source, 65536):
            os.write(target, packet)


def _slow_wire(pair: Pair) -> None:
    ends = []
    for node, here, there in ((pair.gateway, GATEWAY, EDGE), (pair.edge, EDGE, GATEWAY)):
        node.space.run("ip", "link", "del", "wire0", ok=False)
        ends.append(node.space.tun("wire0", flags=IFF_TUN | IFF_NO_PI, mtu=1500))
        node.space.run("ip", "address", "add", here, "peer", there, "dev", "wire0")
    for source, target in (ends, ends[::-1]):
        threading.Thread(target=_carry, args=(source, target), daemon=True).start()


def test_slow(pair: Pair) -> None:
    """Nothing is lost between program and socket, and nobody waits for ever."""
    _slow_wire(pair)
    pair.start()
    gateway, edge = pair.gateway.space, pair.edge.space
    transfer(edge, MESH_EDGE, gateway, 8 * MEBIBYTE)
    transfer(gateway, MESH_GATEWAY, edge, 8 * MEBIBYTE)
    for node in (pair.gateway, pair.edge):
        assert node.fresh().counters()["udpLost"] == 0
