# SPDX-License-Identifier: Apache-2.0
"""What a kernel is told of packets that go nowhere (RFC 9484 7.2, 7.2.1, 10.1)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from world import MESH6_EDGE, MESH6_GATEWAY, MESH_EDGE, MESH_GATEWAY, Pair, Space, poll, transfer

MEBIBYTE = 1 << 20


def _unreachable(space: Space, address: str) -> bool:
    return "nreachable" in space.run("ping", "-n", "-c1", "-W0.2", address, ok=False)


def test_nobody(pair: Pair) -> None:
    """A connector without its edge, an edge without that node, a node that is away."""
    gateway, edge = pair.gateway.space, pair.edge.space
    pair.gateway.tell(pair.connector())
    pair.gateway.start()
    poll("no edge", lambda: _unreachable(gateway, MESH_EDGE))
    poll("no edge, IPv6", lambda: _unreachable(gateway, "fd00:64::1"))

    pair.edge.tell(pair.server())
    pair.edge.start()
    pair.wait_open()
    poll("way", pair.ping)
    poll("no such node", lambda: _unreachable(edge, "100.96.0.99"))
    poll("no such node, IPv6", lambda: _unreachable(edge, "fd00:96::99"))
    assert pair.gateway.stop() == 0
    poll("away", lambda: _unreachable(edge, MESH_GATEWAY))


def test_narrow(pair: Pair) -> None:
    """A path that holds no 1280 bytes: IPv4 is told what it holds, and goes on."""
    gateway, edge = pair.gateway.space, pair.edge.space
    for space in (gateway, edge):
        space.run("ip", "link", "set", "wire0", "mtu", "1280")
    pair.edge.tell(pair.server(pair.node(pair.gateway.identity, addresses=[MESH_GATEWAY]), advertise=["100.64.0.0/12"]))
    pair.gateway.tell(pair.connector())
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    poll("way", pair.ping)
    transfer(edge, MESH_EDGE, gateway, MEBIBYTE)
    transfer(gateway, MESH_GATEWAY, edge, MEBIBYTE)


@contextmanager
def _host(router: Space, v4: str, v6: str) -> Iterator[Space]:
    """A network behind an end, which is its router: .1 and ::1; and one host there: .5 and ::5."""
    host = Space()
    router.run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan0", "netns",
               f"/proc/{os.getpid()}/fd/{host.fd}")  # fmt: skip
    for space, number in ((router, 1), (host, 5)):
        with space:
            Path("/proc/sys/net/ipv6/conf/lan0/accept_dad").write_text("0", encoding="ascii")
        space.run("ip", "address", "add", f"{v4}.{number}/24", "dev", "lan0")
        space.run("ip", "address", "add", f"{v6}::{number}/64", "dev", "lan0", "nodad")
        space.run("ip", "link", "set", "lan0", "up")
    host.run("ip", "route", "add", "default", "via", f"{v4}.1")
    host.run("ip", "route", "add", "default", "via", f"{v6}::1")
    with router:
        for family in ("ipv4", "ipv6"):
            Path(f"/proc/sys/net/{family}/conf/all/forwarding").write_text("1", encoding="ascii")
    try:
        yield host
    finally:
        host.close()


def _says(host: Space, target: str, hops: int, *words: str) -> None:
    """What comes of a packet that may go so far."""

    def said() -> bool:
        text = host.run("ping", "-n", "-c1", "-W1", "-t", str(hops), target, ok=False)
        return all(word in text for word in words)

    poll(f"{target} by {hops} hops: {words}", said)


def _check_way(host: Space, routers: tuple[str, ...], target: str) -> None:
    """Each router counts once (RFC 9484 7.2), and who stands behind the last one is reached."""
    for hops, router in enumerate(routers, 1):
        _says(host, target, hops, f"From {router}", "exceeded")
    _says(host, target, len(routers) + 1, f"from {target}", f"ttl={64 - len(routers)}")


def test_hops(pair: Pair) -> None:
    """RFC 9484 7.2: the kernel that puts a packet into the tunnel has counted it, and nobody does on the
    way out of it, or for packets of one's own. Both families, both ways, from one network to another."""
    gateway, edge = pair.gateway.space, pair.edge.space
    networks = ["10.0.1.0/24", "fd00:96:1::/64"]
    edge.run("ip", "route", "add", networks[0], "dev", "mesh0")
    pair.edge.tell(pair.server(pair.node(pair.gateway.identity, routes=networks)))
    pair.gateway.tell(pair.connector(advertise=networks))
    pair.edge.start()
    pair.gateway.start()
    pair.wait_open()
    with _host(gateway, "10.0.1", "fd00:96:1") as site, _host(edge, "100.64.1", "fd00:64:1") as service:
        _check_way(site, ("10.0.1.1",), MESH_EDGE)
        _check_way(site, ("fd00:96:1::1",), MESH6_EDGE)
        _check_way(site, ("10.0.1.1", MESH_EDGE), "100.64.1.5")
        _check_way(site, ("fd00:96:1::1", MESH6_EDGE), "fd00:64:1::5")
        _check_way(service, ("100.64.1.1", MESH_GATEWAY), "10.0.1.5")
        _check_way(service, ("fd00:64:1::1", MESH6_GATEWAY), "fd00:96:1::5")
