# SPDX-License-Identifier: Apache-2.0
"""How soon packets get through again after something happened to one end; figures are printed, the
bench judges them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from world import (
    MESH_EDGE,
    MESH_GATEWAY,
    TIMEOUT_S,
    Node,
    Pair,
    Space,
    listening,
    listening_udp,
    poll,
)

ECHO = 9
PACKETS = 50
# No keep-alive comes to help within a test.
NEVER_MS = 600_000
QUIET_S = 0.5
FIREWALL = """\
table inet firewall {
	chain input {
		type filter hook input priority filter; policy accept;
		iifname wire0 ct state established,related accept
		iifname wire0 meta l4proto udp reject with icmpx admin-prohibited
	}
}
"""


@contextmanager
def echoing(space: Space, address: str) -> Iterator[None]:
    """Somebody there returns each datagram."""
    with space:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, ECHO))

    def serve() -> None:
        while (got := sock.recvfrom(64))[1]:
            with contextlib.suppress(OSError):  # there may be no way back just now
                sock.sendto(*got)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it is not connected; who reads from it is woken
            sock.shutdown(socket.SHUT_RDWR)
        thread.join()
        sock.close()


def recovers(what: str, source: Space, address: str, act: Callable[[], None]) -> float:
    """Seconds from act until an echo of what was sent later is there."""
    with source:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(0.005)
        begin = time.monotonic()
        act()
        done = time.monotonic()
        heard = 0.0
        while heard < done:
            assert time.monotonic() < begin + TIMEOUT_S, f"{what}: not in {TIMEOUT_S} s"
            with contextlib.suppress(OSError):
                sock.sendto(b"%f" % time.monotonic(), (address, ECHO))
                heard = float(sock.recv(64))
    seconds = time.monotonic() - begin
    print(f"{what}: {seconds * 1000:.0f} ms")
    return seconds


def restart(node: Node) -> None:
    """As systemd does, but sooner."""
    node.kill()
    node.start()


def wait_quiet(space: Space) -> None:
    """What was sent is acknowledged, the path is measured: it has nothing more to say."""
    seen, since = "", time.monotonic()

    def quiet() -> bool:
        nonlocal seen, since
        now = space.run("sh", "-c", "grep wire0 /proc/net/dev")
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > QUIET_S

    poll("silence on the wire", quiet)


def start_silent(pair: Pair) -> None:
    """Neither end says anything by itself."""
    silent = {"keepaliveMs": NEVER_MS, "idleMs": NEVER_MS}
    pair.edge.tell({**pair.server(), **silent})
    pair.gateway.tell({**pair.connector(), **silent})
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()


def test_edge_killed_gateway_silent(pair: Pair) -> None:
    """The next edge calls its peers back: who begins on its side does not wait for a keep-alive."""
    start_silent(pair)
    with echoing(pair.gateway.space, MESH_GATEWAY):
        recovers("before", pair.edge.space, MESH_GATEWAY, lambda: None)
        for _ in range(3):
            wait_quiet(pair.gateway.space)
            recovers("edge killed, traffic from its side", pair.edge.space, MESH_GATEWAY,
                     lambda: restart(pair.edge))  # fmt: skip
    log = pair.gateway.log.read_text("utf-8")
    assert log.count("cause=stateless reset") == 3, log


def test_edge_killed_first_packet(pair: Pair) -> None:
    """What comes from the edge's side while its gateway is being called back waits, and arrives."""
    start_silent(pair)
    wait_quiet(pair.gateway.space)
    pair.edge.kill()
    with listening(pair.gateway.space, MESH_GATEWAY) as server, pair.edge.space:
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with client:
            client.setblocking(False)
            assert client.connect_ex((MESH_GATEWAY, 7)) != 0
            pair.edge.start()
            server.accept()[0].close()
            resent = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[4]
    assert resent == 0, "the first packet was lost"


def test_edge_killed_counted_once(pair: Pair) -> None:
    """What waited and has arrived is not counted as lost."""
    start_silent(pair)
    wait_quiet(pair.gateway.space)
    pair.edge.kill()
    with pair.edge.space:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, listening_udp(pair.gateway.space, (MESH_GATEWAY, ECHO)) as there:
        for _ in range(PACKETS):
            sender.sendto(b"waits", (MESH_GATEWAY, ECHO))
        pair.edge.start()
        poll("the end of calling", lambda: "called back" in pair.edge.log.read_text("utf-8"))
        lost = pair.edge.fresh().counters()["noPeer"]
        there.setblocking(False)
        arrived = 0
        with contextlib.suppress(BlockingIOError):
            while there.recv(64):
                arrived += 1
    # The kernel itself has a few words to say, to nobody.
    assert lost + arrived < PACKETS + PACKETS // 2, (lost, arrived)


def test_filter_begins(pair: Pair) -> None:
    """A firewall starts at the gateway and takes the edge for a stranger, as it has not seen the gateway
    send: told of the change, the gateway sends, and who begins on the edge's side gets through."""
    start_silent(pair)
    wait_quiet(pair.gateway.space)
    with echoing(pair.gateway.space, MESH_GATEWAY):

        def begin() -> None:
            pair.gateway.space.run("nft", FIREWALL)
            with pair.edge.space, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"refused", (MESH_GATEWAY, ECHO))
            tell()

        def another() -> None:
            """Which has counted as many changes: one more or less."""
            pair.gateway.daemon.stop()
            pair.gateway.daemon.start()

        tell = pair.gateway.daemon.filter
        recovers("a firewall starts", pair.edge.space, MESH_GATEWAY, begin)
        wait_quiet(pair.gateway.space)
        pair.gateway.space.run("nft", "flush ruleset")
        pair.gateway.space.run("conntrack", "-F")
        tell = another
        recovers("and another meshgwd", pair.edge.space, MESH_GATEWAY, begin)


def test_connector_killed_both_sides(pair: Pair) -> None:
    """Its successor takes its place at once, whoever begins."""
    start_silent(pair)
    with echoing(pair.gateway.space, MESH_GATEWAY), echoing(pair.edge.space, MESH_EDGE):
        recovers("gateway killed, traffic from the edge", pair.edge.space, MESH_GATEWAY,
                 lambda: restart(pair.gateway))  # fmt: skip
        recovers("gateway killed, traffic from it", pair.gateway.space, MESH_EDGE,
                 lambda: restart(pair.gateway))  # fmt: skip
    poll("one is left", lambda: len(pair.edge.daemon.peers()) == 1)


def test_edge_stopped_and_gone(pair: Pair) -> None:
    """Who left in order is not called: the next edge has nobody to wait for."""
    start_silent(pair)
    assert pair.gateway.stop() == 0
    pair.gateway.process = None
    poll("gone", lambda: "edge: closed" in pair.edge.log.read_text("utf-8"))
    restart(pair.edge)
    poll("started", lambda: len(pair.edge.daemon.reports) > 1)
    pair.gateway.start()
    poll("again", lambda: pair.ping())
    assert "called back" not in pair.edge.log.read_text("utf-8")
