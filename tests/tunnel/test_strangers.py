# SPDX-License-Identifier: Apache-2.0
"""Ten thousand bad Initials a second, and more of what begins no connection: the tunnel that is there
goes on, and whoever has a key gets in."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import initials
from world import EDGE, GATEWAY, MESH_EDGE, Node, Pair, poll, transfer

RATE = 10_000
DEARER = 3  # 35 us of CPU a datagram with the sanitizers, 13 without
ARRIVE = 0.8  # of them, at least
KIBIBYTE = 1 << 10
KINDS = (
    initials.garbage,
    initials.truncated,
    initials.forged,
    initials.whole,
    lambda: initials.forged(version=0),
    lambda: initials.forged(version=0x1A2A3A4A),  # RFC 9000 15: one to be negotiated
)


def heard(node: Node) -> int:
    """Datagrams that it has read."""
    return int(node.fresh().counters()["udpReceived"])


@contextmanager
def flooded(node: Node, gun: initials.Gun) -> Iterator[None]:
    """From begin to end, and for a second at least; most of it arrives."""
    rate = RATE // DEARER if node.has_shadow() else RATE
    shots = [KINDS[n % len(KINDS)]() for n in range(RATE)]
    with gun.firing(shots, rate):
        before, begin = heard(node), time.monotonic()
        yield
        poll("a second", lambda: time.monotonic() > begin + 1)
        arrived = (heard(node) - before) / (time.monotonic() - begin)
    print(f"{arrived:.0f} datagrams a second of {rate}")
    assert arrived > ARRIVE * rate


@pytest.mark.parametrize("spoofed", [False, True], ids=["own", "spoofed"])
def test_flood(pair: Pair, *, spoofed: bool) -> None:
    # Answers find a way out.
    pair.edge.space.run("ip", "route", "add", "default", "via", GATEWAY)
    pair.start()
    with flooded(pair.edge, initials.Gun(pair.gateway.space, spoofed=spoofed)):
        transfer(pair.edge.space, MESH_EDGE, pair.gateway.space, 64 * KIBIBYTE)
        pair.gateway.tell(None)
        pair.gateway.tell(pair.connector())
        poll("a new connection", pair.ping)
        poll("its name", lambda: pair.edge.named("flooded"))
    poll("when its last datagrams are read", pair.ping)


def test_flood_of_gateway(pair: Pair) -> None:
    """Its socket is as open; there strangers get no answer at all."""
    pair.start()
    to = (GATEWAY, pair.gateway.udp[0].getsockname()[1])
    with flooded(pair.gateway, initials.Gun(pair.edge.space, spoofed=False, source=EDGE, to=to)):
        transfer(pair.edge.space, MESH_EDGE, pair.gateway.space, 64 * KIBIBYTE)
        poll("its name", lambda: pair.gateway.named("flooded"))
    poll("when its last datagrams are read", pair.ping)


CALLERS = 300  # more than there may be at the same time
DEAR = {
    # packets of each, and the length that its hello claims
    "gaps": (17, 4000),
    "claims": (1, 131_000),
}
# Of both as much as is let be.
MODEST = (5, 32 << 10)


def _called(pair: Pair, packets: int, claim: int) -> int:
    """Handshakes that make an edge remember what it can, and go no further; from addresses that
    count as proven. Tells how many KiB more the edge has had since."""
    pair.edge.space.run("ip", "route", "add", "default", "via", GATEWAY)
    pair.edge.tell(pair.server(limits={"retryAbove": 1000}))
    pair.gateway.tell(pair.connector())
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    before = pair.edge.status("VmHWM")
    gun = initials.Gun(pair.gateway.space, spoofed=True)
    # Made before: on a busy machine that takes longer than an edge waits for the rest of one.
    for n, shots in enumerate([initials.torn(packets, claim) for _ in range(CALLERS)]):
        gun.fire(shots, struct.pack("!H", n << 6 | 1))
    poll("what came behind all of them", pair.ping)
    return pair.edge.status("VmHWM") - before


@pytest.mark.parametrize("packets,claim", DEAR.values(), ids=DEAR)
def test_dear(pair: Pair, packets: int, claim: int) -> None:
    """They are ended at once."""
    took = _called(pair, packets, claim)
    assert took < 8 * KIBIBYTE or pair.edge.has_shadow()


def test_modest(pair: Pair) -> None:
    """They have their time, and what they took is given back to the system."""
    took = _called(pair, *MODEST)
    poll("more than there may be", lambda: pair.edge.fresh().counters().get("refused"))
    peak = pair.edge.status("VmHWM")
    if not pair.edge.has_shadow():
        poll("most of it", lambda: pair.edge.status("VmRSS") < peak - took // 2)
