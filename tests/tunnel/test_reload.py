# SPDX-License-Identifier: Apache-2.0
"""Another configuration while connections live: what it does not touch goes on, TCP included."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import initials
from world import EDGE, GATEWAY, MESH_EDGE, MESH_GATEWAY, TIMEOUT_S, Identity, Node, Pair, listening, poll

OTHER_ADDRESS = "100.96.0.77"


@contextmanager
def flow(pair: Pair) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection through the tunnel, and its two ends."""
    with listening(pair.edge.space, MESH_EDGE) as server:
        with pair.gateway.space:
            client = socket.create_connection((MESH_EDGE, 7), TIMEOUT_S)
        peer = server.accept()[0]
        peer.settimeout(TIMEOUT_S)
        with client, peer:
            yield client, peer


def goes_on(ends: tuple[socket.socket, socket.socket]) -> bool:
    client, peer = ends
    client.sendall(b"?")
    peer.sendall(peer.recv(1))
    return client.recv(1) == b"?"


def established(pair: Pair) -> int:
    return pair.edge.log.read_text("utf-8").count("edge: established")


def tell(pair: Pair, *nodes: dict[str, Any], **other: Any) -> None:
    """The edge, and until it reports so."""
    pair.edge.tell(pair.server(*nodes, **other))
    generation = pair.edge.daemon.generation
    reports = pair.edge.daemon.reports
    poll("told", lambda: reports and reports[-1]["generation"] == generation)


def test_untouched(pair: Pair, tmp_path: Path) -> None:
    """Nodes come and go, limits and what is advertised change: this one's flow does not notice."""
    pair.start()
    site1, other = pair.node(pair.gateway.identity), Identity(tmp_path, "other")
    site2 = pair.node(other, name="site2", addresses=[], routes=["10.0.2.0/24"])
    with flow(pair) as ends:
        tell(pair, site2, site1, pool=["100.96.1.0/24"])
        assert sorted(pair.edge.daemon.nodes()) == ["site1", "site2"]
        assert goes_on(ends)
        tell(pair, {**site1, "limits": {"packets": 5000, "bytes": 5000000}})
        assert goes_on(ends)
        tell(pair, limits={"handshakesPerPrefix": 5, "connections": 7})
        tell(pair, advertise=["100.64.0.0/12", "fd00:64::/32", "100.80.0.0/16"])
        assert goes_on(ends)
        pair.gateway.tell(pair.connector(advertise=["10.0.1.0/25"]))
        assert goes_on(ends)
    assert established(pair) == 1


def test_addresses_and_routes(pair: Pair) -> None:
    """A live node gets another address and loses a network, and its session knows it."""
    pair.start()
    proposals = pair.gateway.daemon.proposals
    with flow(pair) as ends:
        site1 = pair.node(pair.gateway.identity)
        tell(pair, {**site1, "addresses": [*site1["addresses"], f"{OTHER_ADDRESS}/32"]})
        poll("assigned", lambda: proposals and f"{OTHER_ADDRESS}/32" in proposals[-1]["addresses"])
        tell(pair, {**site1, "routes": []})
        poll("taken", lambda: f"{OTHER_ADDRESS}/32" not in proposals[-1]["addresses"])
        pair.gateway.space.run("ip", "address", "add", "10.0.1.5/32", "dev", "mesh0")
        with pair.gateway.space, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("10.0.1.5", 0))
            sock.sendto(b"not mine any more", (MESH_EDGE, 9))
        assert goes_on(ends)

        def refused() -> list[int]:
            return [p["packets"]["badSource"] for p in pair.edge.fresh().peers() if p["open"]]

        poll("refused", lambda: refused() == [1])
    assert established(pair) == 1


def test_removed(pair: Pair, tmp_path: Path) -> None:
    """Who is no node any more is closed at once; known again, it is back."""
    pair.start()
    tell(pair, pair.node(Identity(tmp_path, "other")))
    poll("closed", lambda: not pair.edge.daemon.peers())
    assert not pair.ping()
    tell(pair)
    poll("back", pair.ping)


def test_moved_pin(pair: Pair, tmp_path: Path) -> None:
    """A key that is another node's now begins anew as that node."""
    pair.start()
    other = Identity(tmp_path, "other")
    site2 = pair.node(pair.gateway.identity, name="site2")
    tell(pair, pair.node(other, addresses=[], routes=[]), site2)
    poll("as site2", lambda: [p["node"] for p in pair.edge.daemon.peers() if p["open"]] == ["site2"])
    poll("carries", pair.ping)
    assert established(pair) == 2


def test_rotated_under_a_flow(pair: Pair, tmp_path: Path) -> None:
    """Certificates and keys of both ends change under a flow that lives."""
    pair.start()
    edge, gateway = Identity(tmp_path, "edge.mesh"), Identity(tmp_path, "gateway.mesh")
    both = [pair.edge.identity.pin, edge.pin]
    known = pair.node(pair.gateway.identity)
    known["replicas"][0]["pins"].append(gateway.pin)
    with flow(pair) as ends:
        pair.gateway.tell({**pair.connector(), "pins": both})
        pair.edge.identity = edge
        tell(pair, known)
        pair.gateway.identity = gateway
        pair.gateway.tell({**pair.connector(), "pins": both})
        assert goes_on(ends)
        assert established(pair) == 1
        pair.gateway.tell({**pair.connector(), "pins": [edge.pin]})
        poll("with the new keys", lambda: established(pair) == 2)
        assert goes_on(ends)


def goes_on_with_former(node: Node, told: dict[str, Any], key: str) -> None:
    """Told a key that is not the certificate's it stays as it was, and says so until it is told well."""
    wrong = {**told, "key": key}
    node.tell(wrong)
    poll("said", node.daemon.problem)
    problem = node.daemon.problem()
    assert problem["stands"]
    assert problem["file"] == "certificate"
    assert "key values mismatch" in problem["text"]
    assert node.daemon.reports[-1]["tunnel"]["role"] == told["role"]
    node.tell(told)
    poll("well", lambda: not node.daemon.problem())
    node.tell(wrong)
    poll("said again", node.daemon.problem)
    # Here it would have to begin anew, and a connector by sockets that its edge cannot be reached from.
    with node.space.udp("::", 0) as other:
        sockets = [other] if told["role"] == "connector" else node.udp
        node.daemon.tell({**wrong, "idleMs": told["idleMs"] + 1000}, node.tun, *sockets)
        assert node.fresh().problem()["stands"]
        node.tell(wrong)


def begins_with_nothing(node: Node, told: dict[str, Any]) -> None:
    """Started anew with such a key it says that there is no tunnel, until it is told well."""
    node.kill()
    node.start()
    poll("no tunnel", lambda: node.daemon.problem().get("stands") is False)
    assert node.daemon.peers() == []
    assert "key values mismatch" in node.daemon.problem()["text"]
    node.tell(told)
    poll("begun", lambda: not node.daemon.problem())


def test_no_pair(pair: Pair, tmp_path: Path) -> None:
    """Certificate and key do not match, at either end: what lives goes on, and what begins cannot."""
    pair.start()
    other = Identity(tmp_path, "other").key
    ends = [(pair.edge, pair.server()), (pair.gateway, pair.connector())]
    with flow(pair) as live:
        for node, told in ends:
            goes_on_with_former(node, told, other)
        assert goes_on(live)
    assert established(pair) == 1
    for node, told in ends:
        begins_with_nothing(node, told)
    poll("carries", pair.ping)


def limited(pair: Pair, way: str) -> int:
    """Packets of the node that were more than it may send, or get."""
    node = pair.edge.daemon.nodes().get("site1")
    return node[way]["limited"] if node else 0


def test_limits_of_a_node(pair: Pair) -> None:
    """So many packets a second, or bytes, each way, and the rest is dropped and counted."""
    pair.start()
    site1 = pair.node(pair.gateway.identity)
    with (
        flow(pair) as ends,
        pair.gateway.space.udp(MESH_GATEWAY, 9) as gateway,
        pair.edge.space.udp(MESH_EDGE, 9) as edge,
    ):
        ways = {"in": (gateway, MESH_EDGE), "out": (edge, MESH_GATEWAY)}
        for limits, size in (({"packets": 10}, 1), ({"bytes": 1500}, 1000)):
            before = {way: limited(pair, way) for way in ways}
            tell(pair, {**site1, "limits": limits})

            def reached() -> bool:
                """Far more than it may; and what is told is answered with a report."""
                for sock, to in ways.values():
                    for _ in range(100):
                        sock.sendto(bytes(size), (to, 9))
                tell(pair, {**site1, "limits": limits})
                return all(limited(pair, way) >= before[way] + 50 for way in ways)

            poll(f"limited {limits}", reached)
        tell(pair, site1)
        assert goes_on(ends)
    assert established(pair) == 1


def test_limits_of_strangers(pair: Pair) -> None:
    """Who begins a connection beyond what may be gets none, or has to prove his address; who has one
    keeps it."""
    pair.start()
    with flow(pair) as ends, pair.gateway.space.udp(GATEWAY, 0) as caller:

        def call(times: int) -> None:
            for _ in range(times):
                caller.sendto(initials.whole(), (EDGE, 443))

        def count(what: str, **limits: int) -> int:
            tell(pair, limits=limits)
            return pair.edge.daemon.counters()[what]

        one = {"connections": 1}
        assert count("refused", **one) == 0
        call(1)
        poll("no second connection", lambda: count("refused", **one) == 1)
        two = {"unauthenticated": 2}
        assert count("refused", **two) == 1
        call(3)
        poll("no third stranger", lambda: count("refused", **two) == 2)
        rate = {"handshakesPerPrefix": 1}
        assert count("retries", **rate) == 0
        call(8)  # far fewer than may begin by default
        poll("no second one in a second", lambda: count("retries", **rate))
        assert goes_on(ends)
    assert established(pair) == 1
