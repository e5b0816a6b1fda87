# SPDX-License-Identifier: Apache-2.0
"""Our connector at a proxy from other hands: addresses, routes and packets."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from connectip import capsule, packet
from connectip.capsule import ADDRESS_ASSIGN, ADDRESS_REQUEST, ROUTE_ADVERTISEMENT, Capsule
from connectip.client import headers
from connectip.http3 import GREASE, GREASE_FAR
from connectip.link import Request
from stage import (
    ADDRESSES,
    FAMILIES,
    MESSAGE_ERROR,
    NETWORKS,
    TEMPLATE,
    Stage,
    carry_tcp,
    check_link_local_stays,
    is_reply,
    log_of,
    ping,
    ping_through,
    probe,
    probes,
    proposed,
    serve,
    served,
    wait_open,
    wait_proposed,
)
from world import MESH6_EDGE, MESH6_GATEWAY, MESH_EDGE, MESH_GATEWAY, poll


def test_ping(stage: Stage) -> None:
    """And what the request looks like: RFC 9484 4.4, RFC 9297 3.2, 3.4."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    assert request.link.pin == stage.gateway.identity.pin
    assert request.headers == headers(TEMPLATE)
    assert request.link.quic._remote_max_datagram_frame_size == 65535  # RFC 9221 3
    ping_through(stage, proxy)
    assert all(packet.parse(p).hops == 64 for p in request.echoes)  # RFC 9484 7.2: its own packets
    wait_proposed(stage, proxy, ADDRESSES, NETWORKS)
    assert stage.gateway.daemon.peers()[0]["group"].lower() == "x25519"  # aioquic has no ML-KEM


def test_advertised(stage: Stage) -> None:
    """The gateway's own networks; whoever gave addresses unasked is not asked for any."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    proxy.until("routes", lambda: request.of_type(ROUTE_ADVERTISEMENT))
    (found,) = capsule.read_ranges(request.of_type(ROUTE_ADVERTISEMENT)[-1])
    assert (str(found.start), str(found.end), found.protocol) == ("10.0.1.0", "10.0.1.255", 0)
    assert not request.of_type(ADDRESS_REQUEST)


def test_asks(stage: Stage) -> None:
    """RFC 9484 4.7.1: who needs an address and has none asks for it, with IDs of its own."""
    proxy = stage.proxy()
    proxy.answer = lambda request: request.link.answer(request, 200, capsule_protocol="?1")
    serve(stage, proxy)
    request = wait_open(stage, proxy)
    proxy.until("asked", lambda: request.of_type(ADDRESS_REQUEST))
    asked = capsule.read_addresses(request.of_type(ADDRESS_REQUEST)[0])
    assert {a.prefix.version: a.refused for a in asked} == {4: True, 6: True}, "no preference"
    assert len({a.request for a in asked} - {0}) == len(asked)
    given = {4: f"{MESH_GATEWAY}/32", 6: "::/128"}
    request.send(capsule.assign(*((a.request, given[a.prefix.version]) for a in asked)))
    request.send(capsule.routes(*NETWORKS))
    wait_proposed(stage, proxy, [f"{MESH_GATEWAY}/32"], NETWORKS)
    proxy.during(lambda: poll("way", lambda: stage.ping(MESH_EDGE)))
    assert request.aborted is None


def test_asked(stage: Stage) -> None:
    """RFC 9484 4.7.2: a proxy may ask, too; a gateway has nothing to give, and says so."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    request.send(capsule.request((5, "0.0.0.0/32"), (2**40, "2001:db8::1/128")))
    proxy.until("answer", lambda: request.of_type(ADDRESS_ASSIGN))
    entries = capsule.read_addresses(request.of_type(ADDRESS_ASSIGN)[-1])
    assert {(a.request, a.prefix.version) for a in entries if a.refused} == {(5, 4), (2**40, 6)}


def test_changes(stage: Stage) -> None:
    """RFC 9484 4.7.1, 4.7.3: each list replaces the one before."""
    proxy, request = served(stage)
    request.send(capsule.assign((0, "100.96.0.20/32")), capsule.routes("100.64.0.0/24", "100.65.0.0/16"))
    wait_proposed(stage, proxy, ["100.96.0.20/32"], ["100.64.0.0/24", "100.65.0.0/16"])
    request.send(capsule.advertise([("100.64.0.1", "100.64.0.2", 0)]))
    wait_proposed(stage, proxy, ["100.96.0.20/32"], ["100.64.0.1/32", "100.64.0.2/32"])
    request.send(capsule.assign(), capsule.routes())
    wait_proposed(stage, proxy, [], [])
    request.send(capsule.assign(*((0, a) for a in ADDRESSES)), capsule.routes(*NETWORKS))
    wait_proposed(stage, proxy, ADDRESSES, NETWORKS)
    ping_through(stage, proxy)


def test_forbidden(stage: Stage) -> None:
    """What was not agreed on at home is not taken: the rest is, and the tunnel goes on."""
    proxy, request = served(stage)
    request.send(capsule.assign((0, "192.168.1.1/32"), (0, f"{MESH_GATEWAY}/32"), (0, "0.0.0.0/0")))
    request.send(capsule.routes("0.0.0.0/0", "::/0"))
    wait_proposed(stage, proxy, [f"{MESH_GATEWAY}/32"], NETWORKS)
    request.send(capsule.routes("192.168.0.0/16", "10.0.0.0/8"))
    wait_proposed(stage, proxy, [f"{MESH_GATEWAY}/32"], [])
    assert request.aborted is None
    assert "denied=2" in log_of(stage)


def test_too_many(stage: Stage) -> None:
    """A list beyond the limit is passed over: the former one holds."""
    proxy, request = served(stage)
    many = ((a, a, 0) for a in (f"100.{64 + i // 256}.{i % 256}.0" for i in range(1000)))
    request.send(capsule.advertise(many))
    proxy.until("said", lambda: "passed over" in log_of(stage))
    assert proposed(stage) == (sorted(ADDRESSES), sorted(NETWORKS))
    ping_through(stage, proxy)


MALFORMED = {
    "assign": (Capsule(ADDRESS_ASSIGN, b"\0\4\x0a\0\0\1\x21"), MESSAGE_ERROR),
    "assign: host bits": (Capsule(ADDRESS_ASSIGN, b"\0\4\x0a\0\0\1\x08"), MESSAGE_ERROR),
    "assign: cut": (Capsule(ADDRESS_ASSIGN, b"\0\4\x0a\0"), MESSAGE_ERROR),
    "request: empty": (Capsule(ADDRESS_REQUEST, b""), None),
    "route: backwards": (capsule.advertise([("100.64.0.9", "100.64.0.1", 0)]), MESSAGE_ERROR),
    "route: order": (
        capsule.advertise([("100.64.0.9", "100.64.0.9", 0), ("100.64.0.1", "100.64.0.1", 0)]),
        None,
    ),
    "route: overlap": (
        capsule.advertise([("100.64.0.1", "100.64.0.9", 0), ("100.64.0.9", "100.64.0.9", 0)]),
        None,
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed(stage: Stage, what: str) -> None:
    """RFC 9484 4.7, RFC 9297 3.3: aborted; and the connector comes again."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    bad, error = MALFORMED[what]
    request.send(bad)
    proxy.until("aborted", lambda: request.reset is not None and request.stopped is not None)
    assert error in (None, request.reset)
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)


def in_bytes(request: Request) -> None:
    """Capsules, unknown ones and unknown frames among them, byte by byte."""
    request.link.answer(request, 103, link="</x>")
    request.link.answer(request, 200, capsule_protocol="?1;a=1", x_unknown="1" * 1000)
    capsules = [
        Capsule(GREASE_FAR, b"grease"),
        capsule.assign(*((0, a) for a in ADDRESSES)),
        Capsule(4, b""),
        capsule.routes(*NETWORKS),
    ]
    for byte in b"".join(c.encode() for c in capsules):
        request.send_data(bytes([byte]))
    request.send_raw(b"\x21\3abc")
    request.send(Capsule(GREASE, bytes(1 << 20)), Capsule(capsule.DATAGRAM, bytes(70_000)))


def test_pieces(stage: Stage) -> None:
    """RFC 9297 3.1, 3.2, RFC 9114 4.1 (interim responses), 9."""
    proxy = stage.proxy()
    proxy.answer = in_bytes
    served(stage, proxy)
    ping_through(stage, proxy)


def test_datagram_capsule(stage: Stage) -> None:
    """RFC 9297 3.5, RFC 9484 5: the same as a datagram; unknown contexts are dropped."""
    proxy, request = served(stage)
    data = packet.echo(MESH_EDGE, MESH_GATEWAY)
    request.send_packet(data, 2)
    request.send(Capsule(capsule.DATAGRAM, b"\1" + data), Capsule(capsule.DATAGRAM, b"\0" + data))
    proxy.until("reply", lambda: [p for p in request.packets if is_reply(p, MESH_GATEWAY)])
    proxy.settle(request.link)
    assert len([p for p in request.packets if is_reply(p, MESH_GATEWAY)]) == 1


def test_early_packets(stage: Stage) -> None:
    """RFC 9297 2.1: a datagram may overtake the response it belongs to."""
    proxy = stage.proxy()

    def answer(request: Request) -> None:
        for _ in range(3):
            request.send_packet(packet.echo(MESH_EDGE, MESH_GATEWAY))
        proxy.accept(request)

    proxy.answer = answer
    serve(stage, proxy)
    wait_open(stage, proxy)
    ping_through(stage, proxy)


def test_policy(stage: Stage) -> None:
    """RFC 9484 7.2.1, 11: neither from what the proxy does not route, nor to what is not ours."""
    proxy, request = served(stage)
    cases = [
        ("8.8.8.8", MESH_GATEWAY, (packet.UNREACHABLE, 13)),
        ("2001:db8::1", MESH6_GATEWAY, (packet.UNREACHABLE6, 5)),
        (MESH_EDGE, "192.0.2.1", (packet.UNREACHABLE, None)),
    ]
    for source, target, (kind, code) in cases:
        request.packets.clear()
        request.send_packet(packet.udp(source, target, b"no"))
        proxy.until("refused", lambda: request.packets)
        got = packet.parse(request.packets[0])
        assert got.target == source and got.icmp and got.icmp[0] == kind, got
        assert code in (None, got.icmp[1]), got


def test_probe(stage: Stage) -> None:
    """RFC 9484 7.2: the connector finds out that 1280 bytes get through."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    proxy.until("probe", lambda: probes(request))
    assert probes(request)[0].icmp == (packet.ECHO6, 0)


def test_probe_unanswered(stage: Stage) -> None:
    """RFC 9484 7.2: it is sent again. Who answers none carries packets all the same: QUIC has measured
    the path."""
    proxy = stage.proxy()

    def answer(request: Request) -> None:
        request.silent = True
        proxy.accept(request)

    proxy.answer = answer
    request = served(stage, proxy)[1]
    proxy.until("a second one", lambda: len(probes(request)) > 1)
    for ours, theirs in FAMILIES:
        ping(proxy, request, theirs, ours)
    assert request.aborted is None and not request.link.closed


def test_link_local(stage: Stage) -> None:
    """RFC 9484 7.2: it is answered, and goes no further."""
    proxy, request = served(stage)
    probe(proxy, request, MESH6_EDGE, "fe80::1")
    check_link_local_stays(proxy, request, stage.gateway.space, MESH6_EDGE, MESH6_GATEWAY)


def test_transport(stage: Stage) -> None:
    proxy, request = served(stage)
    backwards = tuple((there, here) for here, there in FAMILIES)
    carry_tcp(proxy, request, stage.edge.space, stage.gateway.space, backwards)


def _learnt(stage: Stage, target: str) -> int:
    """The path's MTU, after a packet that may have been too large for it."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    with stage.gateway.space, socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.sendto(bytes(1400), (target, 9))
    found = stage.gateway.space.run("ip", "-o", "route", "get", target).split()
    return int(found[found.index("mtu") + 1]) if "mtu" in found else 0


@pytest.mark.parametrize("target", [t for _, t in FAMILIES])
def test_too_big(stage: Stage, target: str) -> None:
    """RFC 9221 3, RFC 9484 10.1: the proxy takes no larger frames, and the kernel is told."""
    proxy = stage.proxy(max_datagram_frame_size=1320)
    serve(stage, proxy)
    stage.gateway.space.run("ip", "link", "set", "mesh0", "mtu", "1500")
    wait_open(stage, proxy)
    wait_proposed(stage, proxy, ADDRESSES, NETWORKS)
    mtu = proxy.until("told", lambda: _learnt(stage, target))
    assert 1280 <= mtu < 1320
    proxy.during(lambda: poll("way", lambda: stage.ping(target, mtu - 28 - 20 * (":" in target))))


def test_frames_too_small(stage: Stage) -> None:
    """RFC 9484 7.2: where IPv6 does not fit, the request is given up."""
    proxy = stage.proxy(max_datagram_frame_size=1200)
    serve(stage, proxy)
    request = proxy.wait_request()
    proxy.until("given up", lambda: request.aborted is not None)
    assert "mtu-too-small" in log_of(stage)


def test_static(stage: Stage) -> None:
    """Static addresses and routes, as for a proxy that tells nothing (RFC 9484 4.7.1)."""
    proxy = stage.proxy()
    proxy.answer = lambda request: request.link.answer(request, 200)
    static: dict[str, Any] = stage.connector(addresses=ADDRESSES, routes=NETWORKS)
    serve(stage, proxy, **static)
    request = wait_open(stage, proxy)
    ping_through(stage, proxy)
    assert not request.of_type(ADDRESS_REQUEST)
