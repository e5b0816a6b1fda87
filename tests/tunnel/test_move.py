# SPDX-License-Identifier: Apache-2.0
"""The gateway's address changes, and the way between the ends is blocked for a while."""

from __future__ import annotations

import signal
import socket

from test_live import echoing, recovers, wait_quiet
from world import EDGE, MESH_EDGE, TIMEOUT_S, Pair, listening, poll

FIRST, SECOND, THIRD = "192.0.2.1", "192.0.2.11", "192.0.2.12"
BLOCK = """table inet block {
chain in { type filter hook prerouting priority -300; udp dport 443 drop; }
chain out { type filter hook output priority -300; udp sport 443 drop; }
}"""


def move(pair: Pair, before: str, after: str) -> None:
    """As meshgwd sees it: another address, hence other sockets."""
    space = pair.gateway.space
    space.run("ip", "address", "del", f"{before}/24", "dev", "wire0")
    space.run("ip", "address", "add", f"{after}/24", "dev", "wire0")
    former = pair.gateway.udp
    pair.gateway.udp = [space.udp("0.0.0.0", 0)]
    pair.gateway.tell(pair.connector())
    for sock in former:
        sock.close()


def settle(pair: Pair) -> None:
    """None may move before its handshake is confirmed (RFC 9000 section 9). And nothing is under way
    that the kernel would send by the new address before the tunnel knows of it: an edge that sees a
    connection move in the middle of that closes it, for ngtcp2 up to 1.25 counts one of its IDs twice."""
    poll("a handshake that is confirmed", pair.ping)
    wait_quiet(pair.gateway.space)


def edge_log(pair: Pair) -> str:
    """What the edge has said so far."""
    return pair.edge.log.read_text("utf-8")


def exchange(client: socket.socket, peer: socket.socket, what: str) -> None:
    """There and back."""
    for source, to in ((client, peer), (peer, client)):
        source.sendall(what.encode())
        assert to.recv(100) == what.encode()


def test_move(pair: Pair) -> None:
    """RFC 9000 section 9: the connection goes over to the new address, and what is in it goes on;
    also when it changes again at once, be it by a new connection."""
    pair.start()
    with listening(pair.edge.space, MESH_EDGE) as server, pair.gateway.space:
        client = socket.create_connection((MESH_EDGE, 7), TIMEOUT_S)
        peer = server.accept()[0]
        with client, peer:
            client.settimeout(TIMEOUT_S)
            peer.settimeout(TIMEOUT_S)
            settle(pair)
            move(pair, FIRST, SECOND)
            exchange(client, peer, SECOND)
            poll("moved", lambda: f"moved node=site1 to={SECOND}:" in edge_log(pair))
            assert edge_log(pair).count("edge: established") == 1
            for before, after in ((SECOND, THIRD), (THIRD, FIRST), (FIRST, SECOND)):
                move(pair, before, after)
                exchange(client, peer, after)
    assert "connector: moved local=" in pair.gateway.log.read_text("utf-8")


def test_move_silent(pair: Pair) -> None:
    """A gateway that has nothing to say moves, too: who begins behind the edge finds it there."""
    pair.start()
    settle(pair)
    with echoing(pair.gateway.space, "100.96.0.18"):
        recovers("address changed, traffic from the edge", pair.edge.space, "100.96.0.18",
                 lambda: move(pair, FIRST, SECOND))  # fmt: skip
    assert edge_log(pair).count("edge: established") == 1


def test_move_fails(pair: Pair) -> None:
    """Nobody answers to the new address: the gateway dials until somebody does."""
    pair.start()
    pair.edge.space.run("ip", "route", "add", "blackhole", f"{SECOND}/32")
    move(pair, FIRST, SECOND)
    poll("dialled", lambda: pair.gateway.log.read_text("utf-8").count("-> dialing") > 1)
    pair.edge.space.run("ip", "route", "del", "blackhole", f"{SECOND}/32")
    poll("back", pair.ping)


def test_no_way_to_move(pair: Pair) -> None:
    """Sockets of another family cannot carry the connection; when there are others it comes back."""
    pair.start()
    pair.gateway.udp = [pair.gateway.space.udp("::", 0)]
    pair.gateway.tell(pair.connector())
    poll("none", lambda: "no socket of the edge's family" in pair.gateway.log.read_text("utf-8"))
    assert not pair.ping()
    pair.gateway.udp = [pair.gateway.space.udp("0.0.0.0", 0)]
    pair.gateway.tell(pair.connector())
    poll("back", pair.ping)


def test_blocked(pair: Pair) -> None:
    """The silent tunnel is kept, another is dialled beside it, and the addresses stay meanwhile."""
    pair.start()
    told = poll("proposal", lambda: [p for p in pair.gateway.daemon.proposals if p["routes"]])[-1]
    with echoing(pair.edge.space, MESH_EDGE):
        recovers("before", pair.gateway.space, MESH_EDGE, lambda: None)
        pair.edge.space.run("nft", BLOCK)
        assert not pair.ping()
        poll("silent", lambda: "the edge does not answer" in pair.gateway.log.read_text("utf-8"))
        poll("dialled twice", lambda: "cause=handshake" in pair.gateway.log.read_text("utf-8"))
        recovers("UDP blocked, and free again", pair.gateway.space, MESH_EDGE,
                 lambda: pair.edge.space.run("nft", "delete table inet block"))  # fmt: skip
    assert pair.gateway.daemon.proposals[-1] == told
    assert EDGE in pair.gateway.daemon.peers()[0]["address"]


def test_heard_again(pair: Pair) -> None:
    """That an edge which was silent answers again is said at once, not when a report is due."""
    pair.start()
    assert pair.edge.process
    pair.edge.process.send_signal(signal.SIGSTOP)
    assert not pair.ping()
    poll("silence is told", lambda: pair.gateway.named("silent"))
    pair.edge.process.send_signal(signal.SIGCONT)
    poll("it is over", lambda: "silent" not in dict(pair.gateway.daemon.troubles()), 3)
    assert pair.ping()


def test_another_edge(pair: Pair) -> None:
    """When one that is silent is given up for another one it is spoken of no more."""
    pair.edge.udp.append(pair.edge.space.udp("0.0.0.0", 444))
    edges = [{"address": EDGE, "port": port} for port in (443, 444)]
    pair.edge.tell(pair.server())
    pair.gateway.tell(pair.connector(edges=edges))
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    pair.edge.space.run("nft", BLOCK)
    poll("silence is told", lambda: not pair.ping() and pair.gateway.named("silent"))
    other = f"{EDGE}:444"
    poll("the other one", lambda: other in [p["address"] for p in pair.gateway.fresh().peers()])
    assert pair.ping()
    assert not pair.gateway.named("silent")
