# SPDX-License-Identifier: Apache-2.0
"""A node of the edge goes wild, and another one does not notice."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rude
from rude import Rude, inner
from world import (
    EDGE, GATEWAY, MESH_EDGE, MESH_GATEWAY, Identity, Pair, listening_udp, poll, transfer,
)  # fmt: skip

MEBIBYTE = 1 << 20
OWN = "100.96.0.99"  # the rude one's address
WHO = "wild/gw1"
NETWORK = "10.0.99.0/24"


class Wild:
    """A pair at work, and a second node that has a key."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair = pair
        self.identity = Identity(folder, "rude.mesh")
        self.folder = folder
        node = pair.node(self.identity, name="wild", addresses=[f"{OWN}/32"], routes=[NETWORK])
        pair.edge.tell(pair.server(pair.node(pair.gateway.identity), node))
        pair.gateway.tell(pair.connector())
        pair.edge.start()
        pair.gateway.start()
        pair.wait_open()
        self.rude: list[Rude] = []

    def make(self, **manners: Any) -> Rude:
        made = Rude(self.pair.gateway.space, (GATEWAY, 0), self.identity, self.folder)
        made.window = manners.pop("window", made.window)
        made.asks = manners.pop("asks", True)
        made.manners = manners
        self.rude.append(made)
        return made

    def come(self, **manners: Any) -> Rude:
        return self.make(**manners).dial((EDGE, 443)).opened()

    def carries(self, size: int = MEBIBYTE) -> None:
        """The other node's traffic, both ways."""
        gateway, edge = self.pair.gateway.space, self.pair.edge.space
        transfer(edge, MESH_EDGE, gateway, size)
        transfer(gateway, MESH_GATEWAY, edge, size)

    def named(self, kind: str) -> bool:
        return (kind, WHO) in self.pair.edge.fresh().troubles()

    def log(self) -> str:
        return self.pair.edge.log.read_text("utf-8")


@pytest.fixture
def wild(pair: Pair, tmp_path: Path) -> Iterator[Wild]:
    made = Wild(pair, tmp_path)
    yield made
    for one in made.rude:
        one.close()


def test_capsules(wild: Wild) -> None:
    """Twenty thousand that mean nothing."""
    wild.come().send(rude.capsule(0x1234, b"") * 20_000)
    wild.carries()
    poll("the end of its request", lambda: "request ended node=wild" in wild.log())
    poll("its name", lambda: wild.named("breach"))


def test_routes(wild: Wild) -> None:
    """A million of them in one capsule. It is read to its end and not remembered."""
    peer = wild.come()
    routes = b"".join(rude.route(n * 4096, n * 4096) for n in range(1_000_000))
    peer.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, routes))
    wild.carries()
    peer.wait_taken()
    poll("its name", lambda: wild.named("excess"))


def test_requests_without_reading(wild: Wild) -> None:
    """Who asks and asks and takes no answer."""
    peer = wild.come(grants=False, window=200)
    ask = [rude.address(4, bytes(4), 32, n + 1) for n in range(500)]
    peer.send(b"".join(rude.capsule(rude.ADDRESS_REQUEST, entry) for entry in ask))
    wild.carries()
    poll("the end of its request", lambda: "request ended node=wild" in wild.log())


def test_spoofed(wild: Wild) -> None:
    """From another node's address, from the edge's own, from one that nobody has."""
    peer = wild.come()
    with listening_udp(wild.pair.edge.space, (MESH_EDGE, 9)) as sock:
        for source in (MESH_GATEWAY, MESH_EDGE, "203.0.113.9"):
            peer.packets(*[inner(source, MESH_EDGE, b"spoofed")] * 100)
        peer.packets(inner(OWN, MESH_EDGE, b"own"))
        assert sock.recvfrom(100)[0] == b"own"
    wild.carries()
    poll("its name", lambda: wild.named("spoofed"))
    wild.pair.edge.tell(wild.pair.server())
    poll("whom nobody knows any more is not spoken of", lambda: not wild.named("spoofed"))


def _shower(wild: Wild, stop: threading.Event) -> None:
    """More for the rude one than anybody takes."""
    with wild.pair.edge.space, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while not stop.wait(0.002):
            with contextlib.suppress(OSError):  # no way: it is not there any more
                for _ in range(20):
                    sock.sendto(bytes(1000), (OWN, 9))


def test_unacknowledged(wild: Wild) -> None:
    """It talks, and acknowledges nothing of what is sent to it without end; until it is sent away."""
    peer = wild.come(acknowledges=False, talks=True)
    stop = threading.Event()
    shower = threading.Thread(target=_shower, args=(wild, stop))
    shower.start()
    wild.carries(4 * MEBIBYTE)
    poll("its name", lambda: wild.named("deaf"))
    assert not wild.named("narrow")
    poll("its end", lambda: peer.ended)
    wild.carries()
    stop.set()
    shower.join()
    assert "cause=nothing is acknowledged" in wild.log()


def test_connections(wild: Wild) -> None:
    """Of those with one key that ask for nothing only the last few stay."""
    for _ in range(30):
        one = wild.make(asks=False).dial((EDGE, 443))
        poll("its handshake", lambda one=one: one.h3)
    poll("the end of most of them", lambda: sum(bool(p.ended) for p in wild.rude) == 26)
    wild.carries()
    assert wild.log().count("established node=wild") == 30


def test_many_requests(wild: Wild) -> None:
    """Who asks for tunnels without end is answered, and that is all: each line of the log is paid for."""
    peer = wild.come()
    peer.ask_more(500)
    poll("all answers", lambda: len(peer.statuses) == 501, 60)
    few = [s for s in peer.statuses[1:] if s != b"429"]
    assert len(few) < 400
    assert wild.log().count("refused node=wild") == len(few)
    poll("its name", lambda: wild.named("breach"))
    wild.carries()


def test_absent(wild: Wild) -> None:
    """A killed edge calls its peers back, and who comes does not wait for who does not. Coming may take
    longer than all of the calling does, but not each time."""
    edge = wild.pair.edge
    for _ in range(5):
        absent = wild.come()
        absent.going = False  # without a word
        begin = len(wild.log())
        edge.kill()
        edge.start()
        poll("way", lambda: edge.space.succeeds("ping", "-n", "-c1", "-W0.2", MESH_GATEWAY))
        before = "called back" not in wild.log()[begin:]
        poll("the end of calling", lambda: "called back" in wild.log()[begin:])
        if before:
            break
    else:
        raise AssertionError(wild.log())
