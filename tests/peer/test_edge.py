# SPDX-License-Identifier: Apache-2.0
"""A client from other hands at our edge: addresses, routes and packets."""

from __future__ import annotations

import errno
import ipaddress
import socket

import pytest
from connectip import capsule, packet
from connectip.client import Client
from connectip.link import Request
from stage import (
    FAMILIES,
    TEMPLATE,
    Stage,
    carry_tcp,
    check_link_local_stays,
    open_tunnel,
    ping,
    pings,
    probe,
    probes,
)
from world import EDGE, MESH6_EDGE, MESH6_GATEWAY, MESH_EDGE, MESH_GATEWAY, TIMEOUT_S

STRANGER, STRANGER6 = "100.96.0.77", "fd00:96::77"


def assigned(request: Request) -> list[str]:
    """Of the last capsule, without those refused."""
    entries = capsule.read_addresses(request.of_type(capsule.ADDRESS_ASSIGN)[-1])
    return sorted(str(a.prefix) for a in entries if not a.refused)


def advertised(request: Request) -> list[capsule.Range]:
    return capsule.read_ranges(request.of_type(capsule.ROUTE_ADVERTISEMENT)[-1])


def test_ping(edge: Stage) -> None:
    """Whole tunnel: RFC 9484 8.1."""
    client = edge.client()
    request = open_tunnel(client)
    assert client.link.pin == edge.edge.identity.pin
    pings(client, request)
    assert all(packet.parse(p).hops == 64 for p in request.packets)  # RFC 9484 7.2: its own packets


def test_told(edge: Stage) -> None:
    """RFC 9484 4.7.1 and 4.7.3; nobody has asked, so the request IDs are 0."""
    request = open_tunnel(edge.client())
    entries = capsule.read_addresses(request.of_type(capsule.ADDRESS_ASSIGN)[0])
    assert {a.request for a in entries} == {0}
    assert assigned(request) == sorted([f"{MESH_GATEWAY}/32", f"{MESH6_GATEWAY}/128"])
    networks = [ipaddress.ip_network(n) for n in ("100.64.0.0/12", "fd00:64::/32")]
    assert advertised(request) == [capsule.Range(n[0], n[-1]) for n in networks]


def test_request_address(edge: Stage) -> None:
    """RFC 9484 4.7.2: each entry is answered with its ID; a refusal is all-zero and not repeated."""
    client = edge.client()
    request = open_tunnel(client)
    before = len(request.of_type(capsule.ADDRESS_ASSIGN))
    wishes = [(1, "0.0.0.0/32"), (2, "::/128"), (7, f"{MESH_GATEWAY}/32"), (9, "203.0.113.1/32")]
    request.send(capsule.request(*wishes), capsule.request((2**62 - 1, "2001:db8::1/128")))
    answers: dict[int, list[capsule.Address]] = {}

    def answered() -> bool:
        answers.clear()
        for value in request.of_type(capsule.ADDRESS_ASSIGN)[before:]:
            for entry in capsule.read_addresses(value):
                answers.setdefault(entry.request, []).append(entry)
        return {1, 2, 7, 9, 2**62 - 1} <= set(answers)

    client.until("answers", answered)
    assert [str(a.prefix) for a in answers[7]][-1] == f"{MESH_GATEWAY}/32"
    assert all(a.refused and a.prefix.version == 4 for a in answers[9])
    assert all(a.refused and a.prefix.version == 6 for a in answers[2**62 - 1])
    before = len(request.of_type(capsule.ADDRESS_ASSIGN))
    request.send(capsule.request((10, "203.0.113.2/32")))
    client.until("another answer", lambda: len(request.of_type(capsule.ADDRESS_ASSIGN)) > before)
    last = {a.request for a in capsule.read_addresses(request.of_type(capsule.ADDRESS_ASSIGN)[-1])}
    assert 10 in last and not last & {1, 9, 2**62 - 1}, last
    assert assigned(request) == sorted([f"{MESH_GATEWAY}/32", f"{MESH6_GATEWAY}/128"])
    pings(client, request)


def test_site(edge: Stage) -> None:
    """RFC 9484 8.2: packets for a network behind the client, and from it."""
    client = edge.client()
    request = open_tunnel(client)
    request.send(capsule.routes("10.0.1.0/24"))
    edge.edge.space.run("ip", "route", "replace", "10.0.1.0/24", "dev", "mesh0")
    ping(client, request, "10.0.1.5", MESH_EDGE)
    with edge.edge.space:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.sendto(b"behind", ("10.0.1.6", 9))
        client.until("arrived", lambda: any(b"behind" in p for p in request.packets))


def test_transport(edge: Stage) -> None:
    client = edge.client()
    carry_tcp(client, open_tunnel(client), edge.gateway.space, edge.edge.space, FAMILIES)


@pytest.mark.parametrize(("source", "target"), [(STRANGER, MESH_EDGE), (STRANGER6, MESH6_EDGE)])
def test_spoofed(edge: Stage, source: str, target: str) -> None:
    """RFC 9484 11, 7.2.1: refused, and told by ICMP (to the address that was used)."""
    client = edge.client()
    request = open_tunnel(client)
    request.packets.clear()
    request.send_packet(packet.echo(source, target))
    client.until("error", lambda: request.packets)
    got = packet.parse(request.packets[0])
    assert got.target == source
    assert got.icmp == ((packet.UNREACHABLE6, 5) if ":" in source else (packet.UNREACHABLE, 13))


UNROUTABLE = [(MESH_GATEWAY, "198.51.100.1"), (MESH6_GATEWAY, "2001:db8:5::1")]


@pytest.mark.parametrize(("source", "target"), UNROUTABLE)
def test_unroutable(edge: Stage, source: str, target: str) -> None:
    """RFC 9484 7.2.1: what was not advertised is unreachable."""
    client = edge.client()
    request = open_tunnel(client)
    request.packets.clear()
    request.send_packet(packet.udp(source, target, b"where"))
    client.until("error", lambda: request.packets)
    got = packet.parse(request.packets[0])
    assert got.target == source
    assert got.icmp and got.icmp[0] == (packet.UNREACHABLE6 if ":" in source else packet.UNREACHABLE)


def test_link_local(edge: Stage) -> None:
    """RFC 9484 7.2: it is answered, and goes no further."""
    client = edge.client()
    request = open_tunnel(client)
    probe(client, request, MESH6_GATEWAY, "fe80::1")
    check_link_local_stays(client, request, edge.edge.space, MESH6_GATEWAY, MESH6_EDGE)


@pytest.mark.parametrize("silent", [False, True])
def test_probe(edge: Stage, silent: bool) -> None:
    """RFC 9484 7.2: the edge looks whether 1280 bytes get through. A client need not answer: QUIC has
    measured the path."""
    client = edge.client()
    client.connect(EDGE)
    request = client.link.reserve()
    request.silent = silent
    client.ask(request, TEMPLATE)
    client.until("probe", lambda: probes(request))
    found = probes(request)[0]
    assert found.icmp == (packet.ECHO6, 0) and found.target in (MESH6_GATEWAY, "ff02::1")
    pings(client, request)


def test_junk(edge: Stage) -> None:
    """RFC 9484 5, 6: unknown contexts and what is no packet are dropped, and nothing else happens."""
    client = edge.client()
    request = open_tunnel(client)
    good = packet.echo(MESH_GATEWAY, MESH_EDGE)
    for context in (1, 2, 3, 63, 64, 2**62 - 1):
        request.send_packet(good, context)
    request.packets.clear()
    cut = [b"", b"\0", b"\x45", good[:19], good[:-1], good + b"x"]
    for bad in (*cut, b"\x55" + good[1:], b"\x60" + bytes(10)):
        request.send_packet(bad)
    client.settle(client.link)
    ping(client, request, MESH_GATEWAY, MESH_EDGE)
    assert request.aborted is None and not client.link.closed
    assert not [p for p in request.packets if packet.parse(p).icmp != (packet.REPLY, 0)]


@pytest.mark.parametrize(("source", "target"), FAMILIES)
def test_too_big(stage: Stage, source: str, target: str) -> None:
    """RFC 9484 10.1: dropped, and the sender hears of it by ICMP with a size that does fit."""
    stage.edge.tell(stage.server())
    stage.edge.start()
    stage.edge.space.run("ip", "link", "set", "mesh0", "mtu", "1500")
    client = stage.client(max_datagram_frame_size=1320)
    request = open_tunnel(client)

    def size() -> int:
        found = stage.edge.space.run("ip", "-o", "route", "get", source).split()
        return int(found[found.index("mtu") + 1]) if "mtu" in found else 0

    def learnt() -> int:
        with stage.edge.space:
            sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.sendto(bytes(1400), (source, 9))
        client.step()
        return size()

    mtu = client.until("told", learnt)
    assert 1280 <= mtu < 1320
    ping(client, request, source, target, size=mtu - 28 - 20 * (":" in source))
    assert request.aborted is None
    assert max(map(len, request.packets)) == mtu


@pytest.mark.parametrize(("source", "target"), FAMILIES)
def test_first(stage: Stage, source: str, target: str) -> None:
    """What is small gets through at once: it does not wait until the path's size is known."""
    stage.edge.tell(stage.server())
    stage.edge.start()
    client = stage.client(max_datagram_frame_size=1250)
    request = open_tunnel(client)
    request.send_packet(packet.echo(source, target))
    client.until("reply", lambda: any(packet.parse(p).source == target for p in request.packets))


@pytest.mark.parametrize("where", [f"{MESH_EDGE}", f"{MESH_EDGE}/32", "100.64.0.0/16", "*"])
def test_scope(edge: Stage, where: str) -> None:
    """RFC 9484 4.6: a target and a protocol, or a protocol of all hosts. ICMP is always allowed."""
    client = edge.client()
    request = open_tunnel(client, where, "17")
    networks = [ipaddress.ip_network(n) for n in (["0.0.0.0/0", "::/0"] if where == "*" else [where])]
    routes = advertised(request)
    assert {r.start.version for r in routes} == {n.version for n in networks}
    for found in routes:
        assert found.protocol == packet.UDP
        assert any(found.start in n and found.end in n for n in networks), found
    assert {ipaddress.ip_network(a).version for a in assigned(request)} == {n.version for n in networks}
    for source, target in FAMILIES[: len(networks)]:
        ping(client, request, source, target)
        check_protocols(client, request, source, target)
    check_protocols_back(edge, client, request)


def check_protocols(client: Client, request: Request, source: str, target: str) -> None:
    """UDP reaches the edge's kernel, TCP does not."""
    v6 = ":" in source
    kind = packet.UNREACHABLE6 if v6 else packet.UNREACHABLE
    syn = bytes.fromhex("0009001300000001000000005002ffff00000000")
    request.packets.clear()
    request.send_packet(packet.udp(source, target, b"", ports=(9, 19)))
    client.until("answer of the kernel", lambda: request.packets)
    assert packet.parse(request.packets[0]).icmp == (kind, 4 if v6 else 3)
    request.packets.clear()
    request.send_packet(packet.build(source, target, packet.TCP, syn))
    client.until("refused", lambda: request.packets)
    assert packet.parse(request.packets[0]).icmp == (kind, 1 if v6 else 13)


def check_protocols_back(edge: Stage, client: Client, request: Request) -> None:
    """The same of what the edge's kernel sends."""
    with edge.edge.space:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with tcp, udp:
        tcp.settimeout(TIMEOUT_S)
        with pytest.raises(OSError) as refused:
            tcp.connect((MESH_GATEWAY, 9))
        assert refused.value.errno == errno.EHOSTUNREACH
        udp.sendto(b"in scope", (MESH_GATEWAY, 9))
        client.until("arrived", lambda: any(b"in scope" in p for p in request.packets))
        assert not any(packet.parse(p).protocol == packet.TCP for p in request.packets)


def test_scope6(edge: Stage) -> None:
    """RFC 9484 4.6, 4.8: the protocol is looked for behind extension headers."""
    client = edge.client()
    request = open_tunnel(client, "fd00:64::/48", "17")
    assert {ipaddress.ip_network(a).version for a in assigned(request)} == {6}
    request.packets.clear()
    inner = packet.parse(packet.udp(MESH6_GATEWAY, MESH6_EDGE, b"", ports=(9, 19))).payload
    options = bytes([packet.UDP, 0, 1, 4, 0, 0, 0, 0]) + inner  # PadN
    request.send_packet(packet.build(MESH6_GATEWAY, MESH6_EDGE, 60, options))
    client.until("answer of the kernel", lambda: request.packets)
    assert packet.parse(request.packets[0]).icmp == (packet.UNREACHABLE6, 4)


def test_early(edge: Stage) -> None:
    """RFC 9484 7.1: packets may precede the response, and even the request; then they may be lost."""
    client = edge.client()
    client.connect(EDGE)
    request = client.link.reserve()
    request.send_packet(packet.echo(MESH_GATEWAY, MESH_EDGE))
    client.settle(client.link)
    assert not client.link.closed
    client.ask(request, TEMPLATE)
    request.send_packet(packet.echo(MESH_GATEWAY, MESH_EDGE))
    client.until("answer", lambda: request.status)
    assert request.status == 200
    pings(client, request)


def test_two_requests(edge: Stage) -> None:
    """A connection has one tunnel; another one is refused, and the first goes on."""
    client = edge.client()
    first = open_tunnel(client)
    second = client.open(TEMPLATE)
    assert second.status == 503
    pings(client, first)
    first.send_data(b"", end=True)
    client.until("closed", lambda: first.ended)
    client.until("another", lambda: client.open(TEMPLATE).status == 200)
