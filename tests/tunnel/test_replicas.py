# SPDX-License-Identifier: Apache-2.0
"""Two replicas of one node: who carries it, and who takes over when."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon import Daemon
from world import (
    MESH_EDGE,
    MESH_GATEWAY,
    Node,
    Pair,
    Space,
    check_ended_well,
    drop,
    listening_udp,
    mend,
    poll,
)


@contextmanager
def beside(pair: Pair, path: Path, name: str) -> Iterator[Node]:
    """Another replica of the node, with the same addresses, which dials from the same host."""
    space = Space()
    node = Node(path, name, space)
    node.udp = [pair.gateway.space.udp("0.0.0.0", 0)]
    node.tun = space.tun()
    space.run("ip", "address", "add", f"{MESH_GATEWAY}/32", "dev", "mesh0")
    space.run("ip", "route", "add", f"{MESH_EDGE}/32", "dev", "mesh0")
    yield node
    if node.process:
        node.process.send_signal(signal.SIGCONT)
    check_ended_well(node)
    node.close()


@pytest.fixture(name="second")
def fixture_second(pair: Pair, tmp_path: Path) -> Iterator[Node]:
    with beside(pair, tmp_path, "second.mesh") as node:
        yield node


@pytest.fixture(name="third")
def fixture_third(pair: Pair, tmp_path: Path) -> Iterator[Node]:
    with beside(pair, tmp_path, "third.mesh") as node:
        yield node


def start(pair: Pair, *others: Node, promote: str = "automatic") -> None:
    """The first is active."""
    identities = [n.identity for n in (pair.gateway, *others)]
    pair.edge.tell(pair.server(pair.node(*identities, promote=promote)))
    pair.gateway.tell(pair.connector())
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    expected = {"gw1": "active"}
    for i, other in enumerate(others, 2):
        other.tell({**pair.connector(), **pair.common(other)})
        other.start()
        expected[f"gw{i}"] = "passive"
    poll("all", lambda: states(pair.edge.daemon) == expected)


def states(daemon: Daemon) -> dict[str, str]:
    nodes = daemon.nodes()
    return {r["name"]: r["state"] for r in nodes["site1"]["replicas"]} if nodes else {}


def arrives(pair: Pair) -> bool:
    """What the edge's side sends to the node."""
    return pair.edge.space.succeeds("ping", "-n", "-c1", "-W1", MESH_GATEWAY)


def promote(daemon: Daemon) -> None:
    """By hand, to the second and back; each wish is done once, however often it is told."""
    wishes = [("gw2", "done"), ("gw2", "active"), ("gw1", "done"), ("gw3", "unknown")]
    for identity, (replica, result) in enumerate(wishes, 1):
        daemon.promote(identity, "site1", replica)
        poll(f"{replica} {result}", lambda i=identity: daemon.promoted(i))
        assert daemon.promoted(identity)[0] == result
    node = daemon.nodes()["site1"]
    assert (node["active"], node["why"], node["changes"]) == ("gw1", "promoted", 3)
    assert states(daemon) == {"gw1": "active", "gw2": "passive"}
    daemon.promote(3, "site1", "gw1")
    poll("said again", lambda: len(daemon.promoted(3)) > 1)


def test_left(pair: Pair, second: Node) -> None:
    """The second replica is passive, and takes over from one that leaves."""
    start(pair, second)
    promote(pair.edge.daemon)
    assert pair.gateway.stop() == 0
    pair.gateway.process = None
    poll("promoted", lambda: [p["active"] for p in pair.edge.daemon.peers()] == [True])
    check_ended_well(second)
    second.process = None
    poll("lost", lambda: states(pair.edge.daemon) == {"gw1": "offline", "gw2": "offline"})
    assert pair.edge.daemon.nodes()["site1"]["why"] == "lost"


def test_silent(pair: Pair, second: Node) -> None:
    """An active replica that does not answer is relieved long before its connection has timed out;
    and does not come back by itself when it answers again."""
    start(pair, second)
    assert arrives(pair)
    assert pair.gateway.process
    pair.gateway.process.send_signal(signal.SIGSTOP)
    try:
        poll("the second carries", lambda: arrives(pair))
        pair.edge.daemon.promote(1, "site1", "gw1")
        poll("promoted", lambda: pair.edge.daemon.promoted(1))
        assert pair.edge.daemon.promoted(1)[0] == "done"
        poll("the second carries again", lambda: arrives(pair))
    finally:
        pair.gateway.process.send_signal(signal.SIGCONT)
    poll("said", lambda: states(pair.edge.daemon) == {"gw1": "passive", "gw2": "active"})
    assert pair.edge.daemon.nodes()["site1"]["why"] == "silent"
    with listening_udp(pair.edge.space, (MESH_EDGE, 9)) as server, pair.gateway.space:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"here again", (MESH_EDGE, 9))
        assert server.recv(100) == b"here again"
    assert states(pair.edge.daemon) == {"gw1": "passive", "gw2": "active"}


def test_silent_left(pair: Pair, second: Node, third: Node) -> None:
    """Of those that are left none answers: whoever does so first goes on."""
    start(pair, second, third)
    for i, node in enumerate((second, third), 2):
        assert node.process
        node.process.send_signal(signal.SIGSTOP)
        pair.edge.daemon.promote(i, "site1", f"gw{i}")
        poll("promoted", lambda i=i: pair.edge.daemon.promoted(i))
        poll("another one carries", lambda: arrives(pair))
    assert pair.gateway.stop() == 0
    pair.gateway.process = None
    poll("lost", lambda: pair.edge.daemon.nodes()["site1"]["why"] == "lost")
    active = pair.edge.daemon.nodes()["site1"]["active"]
    other = third if active == "gw2" else second
    assert other.process
    other.process.send_signal(signal.SIGCONT)
    poll("the last one carries", lambda: arrives(pair))


def test_all_silent(pair: Pair, second: Node) -> None:
    """What ails the way to all of them is no reason for a change: whoever is heard first goes on."""
    start(pair, second)
    drop(pair, "udp dport 443")
    poll("silence", lambda: not arrives(pair) and pair.edge.named("silent"))
    assert pair.edge.daemon.nodes()["site1"]["changes"] == 1
    mend(pair)
    poll("again", lambda: arrives(pair))


def test_silent_manual(pair: Pair, second: Node) -> None:
    """Who was chosen by hand is waited for."""
    start(pair, second, promote="manual")
    assert pair.gateway.process
    pair.gateway.process.send_signal(signal.SIGSTOP)
    try:
        poll("noticed", lambda: not arrives(pair) and pair.edge.named("silent"))
        assert states(pair.edge.daemon) == {"gw1": "active", "gw2": "passive"}
    finally:
        pair.gateway.process.send_signal(signal.SIGCONT)
    poll("it goes on", lambda: arrives(pair))
