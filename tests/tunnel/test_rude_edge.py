# SPDX-License-Identifier: Apache-2.0
"""An edge without manners: the gateway lives, believes nothing of it, says what it is, and goes to
the next edge."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rude
from rude import Rude, inner
from world import EDGE, MESH_EDGE, MESH_GATEWAY, Pair, listening_udp, poll, transfer

MEBIBYTE = 1 << 20
PORT = 444
WHO = f"{EDGE}:{PORT}"
RANGE = (0x64400000, 0x644FFFFF)  # 100.64.0.0/12


class Wild:
    """The first edge that the gateway dials is the rude one, the second one is ours."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair = pair
        self.rude = Rude(pair.edge.space, (EDGE, PORT), pair.edge.identity, folder)

    def begin(self, **manners: Any) -> Rude:
        self.rude.manners = manners
        self.rude.serve()
        edges = [{"address": EDGE, "port": p} for p in (PORT, 443)]
        self.pair.edge.tell(self.pair.server())
        # aioquic knows no ML-KEM, and as a server it cannot ask for another share.
        self.pair.gateway.tell({**self.pair.connector(edges=edges), "groups": "X25519"})
        self.pair.edge.start()
        self.pair.gateway.start()
        return self.rude

    def start(self, **manners: Any) -> Rude:
        """Until the rude one has accepted."""
        return self.begin(**manners).opened()

    def welcome(self) -> None:
        """What an edge says at first."""
        mine = rude.address(4, socket.inet_aton(MESH_GATEWAY), 32)
        self.rude.send(
            rude.capsule(rude.ADDRESS_ASSIGN, mine)
            + rude.capsule(rude.ROUTE_ADVERTISEMENT, rude.route(*RANGE))
        )

    def named(self, kind: str) -> bool:
        return (kind, WHO) in self.pair.gateway.fresh().troubles()

    def goes_on(self) -> None:
        """By way of the other edge, both ways."""
        poll("the other edge", self.pair.ping)
        gateway, edge = self.pair.gateway.space, self.pair.edge.space
        transfer(edge, MESH_EDGE, gateway, MEBIBYTE)
        transfer(gateway, MESH_GATEWAY, edge, MEBIBYTE)


@pytest.fixture
def wild(pair: Pair, tmp_path: Path) -> Iterator[Wild]:
    made = Wild(pair, tmp_path)
    yield made
    made.rude.close()


def test_capsules(wild: Wild) -> None:
    peer = wild.rude
    peer.on_open = lambda: peer.send(rude.capsule(0x1234, b"") * 20_000)
    wild.start()
    wild.goes_on()
    poll("its name", lambda: wild.named("breach"))


def test_routes(wild: Wild) -> None:
    """A million in one capsule: none is taken, as it is not known what would be missing."""
    peer = wild.start()
    routes = b"".join(rude.route(RANGE[0] + n, RANGE[0] + n) for n in range(0, 2_000_000, 2))
    peer.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, routes))
    peer.wait_taken()
    poll("its name", lambda: wild.named("excess"))
    assert not any(p["routes"] for p in wild.pair.gateway.daemon.proposals)
    peer.answers = False  # on a slow machine it was there for so long that it is dialled again
    peer.leave()
    wild.goes_on()


def test_ragged_routes(wild: Wild) -> None:
    """Few enough, and each of them many prefixes: what is proposed is bounded, too."""
    peer = wild.start()
    step = 1 << 12  # from 1 to 4094 of each block: 22 prefixes
    routes = b"".join(
        rude.route(first + 1, first + step - 2) for first in range(RANGE[0], RANGE[1], step)
    )
    peer.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, routes))
    daemon = wild.pair.gateway.daemon
    poll("a proposal", lambda: any(p["routes"] for p in daemon.proposals))
    assert max(len(p["routes"]) for p in daemon.proposals) == 4097
    peer.leave()
    wild.goes_on()


def test_spoofed(wild: Wild) -> None:
    """From addresses that the edge has not told of."""
    peer = wild.rude
    peer.on_open = wild.welcome
    wild.start()
    with listening_udp(wild.pair.gateway.space, (MESH_GATEWAY, 9)) as sock:
        poll("routes", lambda: any(p["routes"] for p in wild.pair.gateway.daemon.proposals))
        for source in (MESH_GATEWAY, "10.0.1.1", "203.0.113.9"):
            peer.packets(*[inner(source, MESH_GATEWAY, b"spoofed")] * 100)
        peer.packets(inner(MESH_EDGE, MESH_GATEWAY, b"own"))
        assert sock.recvfrom(100)[0] == b"own"
    poll("its name", lambda: wild.named("spoofed"))
    peer.leave()
    wild.goes_on()


def test_unacknowledged(wild: Wild) -> None:
    """What the gateway sends to it is as good as lost, though it talks all the time."""
    wild.rude.on_open = wild.welcome
    wild.start(acknowledges=False, talks=True)
    wild.goes_on()
    poll("its name", lambda: wild.named("deaf"))
    assert not wild.named("narrow")


def test_unanswered(wild: Wild) -> None:
    """It keeps the connection and says nothing to the request."""
    wild.rude.answers = False
    wild.begin()
    poll("its request", lambda: wild.rude.asked)
    poll("its name", lambda: wild.named("refused"))
    wild.goes_on()


def test_told_meanwhile(wild: Wild) -> None:
    """What it tells while meshgwd looks at what it told before comes next, and not with the next
    regular report, after 5 s."""
    daemon = wild.pair.gateway.daemon
    peer = wild.start()
    daemon.judges.clear()
    peer.send(rude.capsule(rude.ADDRESS_ASSIGN, rude.address(4, socket.inet_aton(MESH_GATEWAY), 32)))
    poll("addresses", lambda: daemon.proposals)
    reports = len(daemon.reports)
    peer.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, rude.route(*RANGE)))
    poll("a report of that time", lambda: len(daemon.reports) > reports)
    daemon.judges.set()
    poll("routes", lambda: daemon.proposals[-1]["routes"], 4.5)
