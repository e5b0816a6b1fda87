# SPDX-License-Identifier: Apache-2.0
"""What harms the tunnel in the lab: a bad way between gateway and edge, and the peers without manners
of tests/tunnel, at the lab's addresses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import network
from lab.edge import EDGE, KEYS
from lab.node import Node

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("tunnel", "process")]
# pylint: disable=wrong-import-position
import initials
from disorder import Relay, relaying
from rude import Rude
from world import Space

RELAY = (EDGE, 4433)
# gw1's on the uplink.
GATEWAY = network.PLANS["gw1"].ports[1].addresses[0].partition("/")[0]
SWITCH = Node(network.SWITCH)
# What comes from a gateway's cable, and what goes there.
RULES = """\
table bridge {table} {{
    chain forward {{
        type filter hook forward priority 0
        iifname {port} meta protocol ip ip protocol udp {rule} drop
        oifname {port} meta protocol ip ip protocol udp {rule} drop
    }}
}}
"""


class Place(Space):
    """A node of the lab."""

    def __init__(self, name: str) -> None:  # pylint: disable=super-init-not-called
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.back = []


@dataclass(frozen=True)
class Named:
    """Whose certificate and key rude.Rude looks for; the lab's identities have no names."""

    name: str


@contextmanager
def whole_packets(*names: str) -> Iterator[None]:
    """A rule is to see packets, and not what is to be cut into packets later."""
    for name in names:
        Node(name).run("ip link set wan0 gso_max_segs 1")
    try:
        yield
    finally:
        for name in names:
            Node(name).run("ip link set wan0 gso_max_segs 65535")


@contextmanager
def dropped(name: str, rule: str) -> Iterator[None]:
    """UDP on the way to a gateway and from it, as far as the rule says; "" is all of it."""
    spoil(name, rule)
    try:
        yield
    finally:
        mend(name)


def spoil(name: str, rule: str) -> None:
    """See dropped()."""
    text = RULES.format(table=f"way_{name}", port=f"{name}-wan0", rule=rule)
    SWITCH.run(["nft", "-f", "-"], stdin=text)


def mend(name: str) -> None:
    """The reverse."""
    SWITCH.run(f"nft delete table bridge way_{name}")


@contextmanager
def disordered() -> Iterator[Relay]:
    """Another edge, and a way to the edge on which packets overtake each other."""
    with relaying(Place("edge"), RELAY, (EDGE, 443)) as relay:
        yield relay


@contextmanager
def bad_initials(rate: int) -> Iterator[None]:
    """So many a second from a gateway's address, which the edge knows for a good one."""
    kinds = (initials.forged, initials.whole, initials.truncated, initials.garbage)
    shots = [kinds[n % len(kinds)]() for n in range(rate)]
    gun = initials.Gun(Place("gw1"), spoofed=False, source=GATEWAY, to=(EDGE, 443))
    with gun.firing(shots, rate):
        yield


class Crowd:
    """Rude ones, all of which end with the `with`."""

    def __init__(self) -> None:
        self._all: list[Rude] = []

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._all:
            one.close()

    def _make(self, where: str, at: tuple[str, int], identity: str, manners: dict[str, Any]) -> Rude:
        made = Rude(Place(where), at, Named(identity), KEYS)  # type: ignore[arg-type]
        made.manners = manners
        self._all.append(made)
        return made

    def node(self, name: str, **manners: bool) -> Rude:
        """At the edge, which knows its name; its request is answered."""
        return self._make("gw1", (GATEWAY, 0), name, manners).dial((EDGE, 443)).opened()

    def edge(self, port: int, **manners: bool) -> Rude:
        """With the edge's own key; it does not serve yet."""
        return self._make("edge", (EDGE, port), "edge", manners)
