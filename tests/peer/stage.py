# SPDX-License-Identifier: Apache-2.0
"""One of our ends, one of somebody else's, and what tests do with them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from connectip import capsule, packet
from connectip.client import Client, configure
from connectip.http3 import CLIENT_SETTINGS, PROXY_SETTINGS
from connectip.link import Request
from connectip.proxy import Proxy
from world import (
    EDGE,
    IFF_NO_PI,
    IFF_TUN,
    MESH6_EDGE,
    MESH6_GATEWAY,
    MESH_EDGE,
    MESH_GATEWAY,
    Pair,
    Space,
    poll,
    transfer,
)

TEMPLATE = "https://edge.mesh/.well-known/masque/ip/{target}/{ipproto}/"
MESSAGE_ERROR = 0x10E  # H3_MESSAGE_ERROR, RFC 9114 8.1
ADDRESSES = [f"{MESH_GATEWAY}/32", f"{MESH6_GATEWAY}/128"]
NETWORKS = ["100.64.0.0/12", "fd00:64::/32"]
Pairs = tuple[tuple[str, str], ...]
FAMILIES: Pairs = ((MESH_GATEWAY, MESH_EDGE), (MESH6_GATEWAY, MESH6_EDGE))


class Stage(Pair):
    """A pair of which one end is not ours: it has that one's network, certificate and key."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.clients: list[Client] = []
        self.proxies: list[Proxy] = []

    def client(
        self,
        name: str = "gateway.mesh",
        settings: dict[int, int] | None = CLIENT_SETTINGS,  # type: ignore[assignment]
        quic: dict[str, Any] | None = None,
        local: str = "0.0.0.0",
        **other: Any,
    ) -> Client:
        configuration = configure(self.folder, name, server_name="edge.mesh", **other)
        sock = self.gateway.space.udp(local, 0)
        self.clients.append(Client(sock, configuration, settings, **(quic or {})))
        return self.clients[-1]

    def proxy(
        self,
        settings: dict[int, int] | None = PROXY_SETTINGS,  # type: ignore[assignment]
        port: int = 443,
        **other: Any,
    ) -> Proxy:
        for sock in self.edge.udp:
            sock.close()
        self.edge.udp = []
        sock = self.edge.space.udp("0.0.0.0", port)
        self.proxies.append(Proxy(sock, configure(self.folder, "edge.mesh", **other), settings))
        return self.proxies[-1]

    def part(self) -> None:
        """Of those that were not ours."""
        for one in (*self.clients, *self.proxies):
            one.close()
        self.clients, self.proxies = [], []

    def end(self) -> None:
        self.part()
        super().end()

    def close(self) -> None:
        self.part()
        super().close()


def serve(stage: Stage, proxy: Proxy | None = None, **told: Any) -> Proxy:
    """Our connector, and a proxy that gives it what it expects; `told` is of its configuration."""
    proxy = proxy or stage.proxy()
    proxy.addresses, proxy.networks = ADDRESSES, NETWORKS
    stage.gateway.tell({**stage.connector(), **told})
    stage.gateway.start()
    return proxy


def log_of(stage: Stage) -> str:
    return stage.gateway.log.read_text("utf-8")


def proposed(stage: Stage) -> tuple[list[str], list[str]]:
    """Addresses and routes, as meshgwd was last told."""
    last = stage.gateway.daemon.proposals[-1:]
    return (sorted(last[0]["addresses"]), sorted(last[0]["routes"])) if last else ([], [])


def wait_proposed(stage: Stage, proxy: Proxy, addresses: list[str], routes: list[str]) -> None:
    wanted = (sorted(addresses), sorted(routes))
    proxy.until(f"proposal {wanted}", lambda: proposed(stage) == wanted)


def wait_open(stage: Stage, proxy: Proxy, number: int = 1) -> Request:
    """The so-manieth request, answered and known as such."""
    request = proxy.wait_request(number)
    proxy.until("open", lambda: any(p["open"] for p in stage.gateway.daemon.peers()))
    return request


def served(stage: Stage, proxy: Proxy | None = None) -> tuple[Proxy, Request]:
    """The same, and until the connector has its tunnel, with all that it expects."""
    proxy = serve(stage, proxy)
    request = wait_open(stage, proxy)
    wait_proposed(stage, proxy, ADDRESSES, NETWORKS)
    return proxy, request


def ping_through(stage: Stage, proxy: Proxy) -> None:
    """From the gateway's own kernel, to hosts behind the proxy."""
    for target in (MESH_EDGE, MESH6_EDGE):
        assert proxy.during(lambda t=target: poll(t, lambda: stage.ping(t))), target


def open_tunnel(client: Client, target: str = "*", ipproto: str = "*") -> Request:
    """And until addresses and routes are there."""
    if not client.link.complete:
        client.connect(EDGE)
    request = client.open(TEMPLATE, target, ipproto)
    assert request.status == 200, request.headers
    assert request.headers["capsule-protocol"] == "?1"
    client.until("assigned", lambda: request.of_type(capsule.ADDRESS_ASSIGN))
    client.until("routes", lambda: request.of_type(capsule.ROUTE_ADVERTISEMENT))
    return request


def ping(peer: Client | Proxy, request: Request, source: str, target: str, **other: int) -> None:
    """Until the kernel of our end has answered; what came before is forgotten. One packet may be lost on
    the way, so it is sent again."""
    request.packets.clear()
    for sequence in range(1, 100):
        request.send_packet(packet.echo(source, target, sequence, **other))
        for _ in range(10):
            peer.step()
            if any(is_reply(p, target) for p in request.packets):
                return
    raise AssertionError(f"no reply: {request.packets}")


def pings(client: Client, request: Request) -> None:
    for source, target in FAMILIES:
        ping(client, request, source, target)


def probes(request: Request) -> list[packet.Packet]:
    """Those of RFC 9484 7.2 that have come: echo requests with 1232 bytes of data."""
    return [packet.parse(p) for p in request.echoes if len(p) == 1280]


def probe(peer: Client | Proxy, request: Request, *sources: str) -> None:
    """RFC 9484 7.2: those of ours, to ff02::1, are answered, by whatever address."""
    for source in sources:
        data = packet.echo(source, "ff02::1", size=1232)

        def replied(data: bytes = data, source: str = source) -> bool:
            """The first ones may be lost to path MTU discovery."""
            request.send_packet(data)
            peer.step()
            return any((got := packet.parse(p)).icmp == (packet.REPLY6, 0) and got.target == source
                       for p in request.packets)  # fmt: skip

        peer.until("reply", replied)


def check_link_local_stays(
    peer: Client | Proxy, request: Request, there: Space, source: str, target: str
) -> None:
    """RFC 9484 7.2: nothing link-local goes beyond the tunnel, into the kernel there."""
    with there:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind(("::", 9))
    sock.setblocking(False)
    with sock:
        request.send_packet(packet.udp("fe80::1", target, b"local"))
        request.send_packet(packet.udp(source, target, b"global"))
        got: list[bytes] = []

        def received() -> bool:
            try:
                got.append(sock.recv(100))
            except BlockingIOError:
                return False
            return True

        peer.until("global", received)
        assert got == [b"global"]


def carry_tcp(peer: Client | Proxy, request: Request, here: Space, there: Space, pairs: Pairs) -> None:
    """TCP by the kernels of both sides, a mebibyte each way. The peer's is `here`, with a TUN device for
    what it sends and gets; `pairs` are addresses here and there."""
    here.run("ip", "link", "set", "mesh0", "down")
    tun = here.tun("peer0", flags=IFF_TUN | IFF_NO_PI)
    for own, other in pairs:
        mine = [f"{own}/128", "nodad"] if ":" in own else [f"{own}/32"]
        here.run("ip", "address", "replace", mine[0], "dev", "peer0", *mine[1:])
        here.run("ip", "route", "replace", other, "dev", "peer0")
    peer.attach(tun, request)
    for own, other in pairs:
        peer.during(lambda a=other: transfer(there, a, here, 1 << 20))
        peer.during(lambda a=own: transfer(here, a, there, 1 << 20))
    peer.detach()
    os.close(tun)


def is_reply(data: bytes, source: str) -> bool:
    got = packet.parse(data)
    return got.source == source and got.icmp in ((packet.REPLY, 0), (packet.REPLY6, 0))
