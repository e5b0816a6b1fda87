# SPDX-License-Identifier: Apache-2.0
"""A client from other hands at our edge: what it writes on the request stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aioquic.buffer import encode_uint_var
from connectip import capsule, packet
from connectip.capsule import ADDRESS_ASSIGN, ADDRESS_REQUEST, ROUTE_ADVERTISEMENT, Capsule
from connectip.client import Client
from connectip.http3 import GREASE, GREASE_FAR
from connectip.link import Request
from daemon import Daemon
from stage import FAMILIES, MESSAGE_ERROR, TEMPLATE, Stage, is_reply, open_tunnel, ping, pings
from world import EDGE, MESH6_EDGE, MESH_EDGE, MESH_GATEWAY, poll

ZERO = "0.0.0.0/32"
EXCESSIVE_LOAD, REQUEST_CANCELLED = 0x107, 0x10C  # RFC 9114 8.1
V4 = bytes([10, 0, 1, 1])
ROUTE = capsule.route("10.0.1.0", "10.0.1.255")


def wrong_address(**other: int) -> bytes:
    entry = {"request": 1, "version": 4, "length": 32, **other}
    return bytes([entry["request"], entry["version"]]) + V4 + bytes([entry["length"]])


MALFORMED = {
    "assign: version": Capsule(ADDRESS_ASSIGN, wrong_address(version=5)),
    "assign: prefix length": Capsule(ADDRESS_ASSIGN, wrong_address(length=33)),
    "assign: host bits": Capsule(ADDRESS_ASSIGN, wrong_address(length=24)),
    "assign: too short": Capsule(ADDRESS_ASSIGN, wrong_address()[:-1]),
    "assign: too long": Capsule(ADDRESS_ASSIGN, wrong_address() + b"\0"),
    "request: version": Capsule(ADDRESS_REQUEST, wrong_address(version=0)),
    "request: prefix length": Capsule(ADDRESS_REQUEST, wrong_address(length=255)),
    "request: host bits": Capsule(ADDRESS_REQUEST, wrong_address(length=8)),
    "request: ID 0": Capsule(ADDRESS_REQUEST, wrong_address(request=0)),
    "request: empty": Capsule(ADDRESS_REQUEST, b""),
    "request: ID twice": Capsule(ADDRESS_REQUEST, wrong_address() * 2),
    "route: version": Capsule(ROUTE_ADVERTISEMENT, b"\5" + ROUTE[1:]),
    "route: too short": Capsule(ROUTE_ADVERTISEMENT, ROUTE[:-1]),
    "route: backwards": capsule.advertise([("10.0.1.255", "10.0.1.0", 0)]),
    "route: overlap": capsule.advertise([("10.0.1.0", "10.0.1.9", 0), ("10.0.1.9", "10.0.1.20", 0)]),
    "route: order": capsule.advertise([("10.0.1.9", "10.0.1.9", 0), ("10.0.1.1", "10.0.1.1", 0)]),
    "route: twice": capsule.advertise([("10.0.1.9", "10.0.1.9", 0)] * 2),
    "route: version order": capsule.advertise([("::1", "::1", 0), ("10.0.1.1", "10.0.1.1", 0)]),
    "route: protocol order": capsule.advertise([("10.0.1.1", "10.0.1.1", 17), ("10.0.1.2", "10.0.1.2", 6)]),
    "route: overlap of protocols": capsule.advertise(
        [("10.0.1.0", "10.0.1.255", 0), ("10.0.1.7", "10.0.1.7", 6)]
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed(edge: Stage, what: str) -> None:
    """RFC 9484 4.7, RFC 9297 3.3: the stream is aborted, the connection goes on."""
    client = edge.client()
    request = open_tunnel(client)
    request.send(MALFORMED[what])
    client.until("aborted", lambda: request.reset is not None and request.stopped is not None)
    if not what.startswith(("route: o", "route: t", "route: v o", "request: e", "request: I")):
        assert request.reset == MESSAGE_ERROR, hex(request.reset or 0)
    client.settle(client.link)
    assert not client.link.closed


def test_truncated(edge: Stage) -> None:
    """RFC 9297 3.3: a FIN in the middle of a capsule."""
    client = edge.client()
    request = open_tunnel(client)
    request.send_data(capsule.request((1, ZERO)).encode()[:-1], end=True)
    client.until("aborted", lambda: request.aborted is not None)
    assert request.aborted == MESSAGE_ERROR


def test_end(edge: Stage) -> None:
    """RFC 9220 3: an orderly end is a FIN, from both sides."""
    client = edge.client()
    request = open_tunnel(client)
    request.send(capsule.request((1, ZERO)), end=True)
    client.until("ended", lambda: request.ended)
    assert request.aborted is None


def test_pieces(edge: Stage) -> None:
    """Capsules in single bytes, each in a DATA frame and a QUIC packet of its own, with frames of
    unknown types in between (RFC 9297 3.1, RFC 9114 9)."""
    client = edge.client()
    request = open_tunnel(client)
    data = Capsule(GREASE_FAR, b"grease").encode() + capsule.request((3, f"{MESH_GATEWAY}/32")).encode()
    for i, byte in enumerate(data):
        request.send_data(bytes([byte]))
        if i % 5 == 0:
            request.send_raw(encode_uint_var(GREASE_FAR) + b"\3abc")
            request.send_data(b"")
        client.step(0)
    client.until("answer", lambda: 3 in answered(request))
    pings(client, request)


def answered(request: Request) -> set[int]:
    values = request.of_type(ADDRESS_ASSIGN)
    return {a.request for v in values for a in capsule.read_addresses(v)}


def test_frame_in_bytes(edge: Stage) -> None:
    """Many capsules in one DATA frame, and its header and bytes one at a time."""
    client = edge.client()
    request = open_tunnel(client)
    capsules = (capsule.request((1, ZERO)), capsule.routes(), capsule.request((2, ZERO)))
    value = b"".join(c.encode() for c in capsules)
    for byte in b"\0" + encode_uint_var(len(value)) + value:
        request.send_raw(bytes([byte]))
        client.step(0)
    client.until("answers", lambda: {1, 2} <= answered(request))


def test_long_varints(edge: Stage) -> None:
    """RFC 9000 16: a number need not be in its shortest form."""
    client = edge.client()
    request = open_tunnel(client)
    entry = (0x80000005).to_bytes(4) + b"\4" + bytes(4) + b"\x20"
    request.send_data(b"\x40\x02" + (0xC000000000000000 + len(entry)).to_bytes(8) + entry)
    client.until("answer", lambda: 5 in answered(request))


def test_unknown(edge: Stage) -> None:
    """RFC 9297 3.2: unknown types are passed over, however long they are; a mebibyte is more than any
    window, so it has to be consumed as it comes."""
    client = edge.client()
    request = open_tunnel(client)
    for kind in (4, 0x17, GREASE, GREASE_FAR, 2**62 - 1):
        request.send(Capsule(kind, b""), Capsule(kind, b"\1\2\3"))
    request.send(Capsule(GREASE, bytes(3 << 20)), capsule.request((9, ZERO)))
    client.until("answer", lambda: 9 in answered(request))
    pings(client, request)


def test_datagram_capsule(edge: Stage) -> None:
    """RFC 9297 3.5: the same as a datagram, and one that is too long is thrown away."""
    client = edge.client()
    request = open_tunnel(client)
    for source, target in FAMILIES:
        data = packet.echo(source, target)
        request.send(
            Capsule(capsule.DATAGRAM, bytes(100_000)),
            Capsule(capsule.DATAGRAM, b"\x02" + data),
            Capsule(capsule.DATAGRAM, b"\0" + data),
        )
        client.until("reply", lambda t=target: any(is_reply(p, t) for p in request.packets))
        assert sum(is_reply(p, target) for p in request.packets) == 1


REFUSED = {
    "path": ({"_path": "/"}, {404}),
    "path of another": ({"_path": "/.well-known/masque/udp/192.0.2.6/443/"}, {404}),
    "protocol": ({"_protocol": "connect-udp"}, {501}),
    "GET": ({"_method": "GET", "_protocol": "", "capsule_protocol": ""}, {404, 405, 501}),
    "no protocol": ({"_protocol": "", "_scheme": "", "_path": ""}, {400, 404, 405, 501}),
}

ERROR_TYPES = {  # RFC 9209 2.3
    "dns_timeout", "dns_error", "destination_not_found", "destination_unavailable",
    "destination_ip_prohibited", "destination_ip_unroutable", "connection_refused",
    "connection_terminated", "connection_timeout", "connection_limit_reached", "http_request_error",
    "http_request_denied", "http_upgrade_failed", "http_protocol_error", "proxy_internal_response",
    "proxy_internal_error", "proxy_configuration_error", "proxy_loop_detected",
}  # fmt: skip


def check_status(value: str, allowed: set[str]) -> None:
    """One member of RFC 9209's list, a token and parameters, made by the proxy itself."""
    name, *parameters = (p.strip() for p in value.split(";"))
    assert name.replace("-", "").replace(".", "").isalnum(), value
    given = dict(p.split("=", 1) for p in parameters)
    assert given["error"] in allowed, value


@pytest.mark.parametrize("what", REFUSED)
def test_refused(edge: Stage, what: str) -> None:
    """With a status that fits and Proxy-Status; RFC 9297 3.4: without Capsule-Protocol."""
    client = edge.client()
    client.connect(EDGE)
    other, statuses = REFUSED[what]
    request = client.open(TEMPLATE, **other)
    assert request.status in statuses, request
    assert "capsule-protocol" not in request.headers
    check_status(request.headers["proxy-status"], ERROR_TYPES)
    client.until("ended", lambda: request.ended)
    pings(client, open_tunnel(client))


def advertised(request: Request) -> set[str]:
    ranges = capsule.read_ranges(request.of_type(ROUTE_ADVERTISEMENT)[-1])
    assert all(r.start == r.end for r in ranges)
    return {str(r.start) for r in ranges}


@pytest.fixture(name="names")
def fixture_names(edge: Stage) -> Iterator[Daemon]:
    """What the edge asks for names: MESH_EDGE has some."""
    daemon = edge.edge.daemon
    daemon.names = {
        "both.example": ["203.0.113.7", MESH6_EDGE, MESH_EDGE],
        "four.example": [MESH_EDGE],
        "six.example": [MESH6_EDGE],
        "late.example": "late",
        "old.example": None,
    }
    daemon.asked_for.clear()
    yield daemon
    daemon.resolves.set()


NAMES = {
    "both.example": FAMILIES,
    "four.example": FAMILIES[:1],
    "six.example": FAMILIES[1:],
}


@pytest.mark.parametrize("name", NAMES)
def test_name(edge: Stage, names: Daemon, name: str) -> None:
    """RFC 9484 4.1: a name is resolved before the answer; 4.6: its addresses are the scope, as far as
    they are advertised at all, and of families that have an address."""
    client = edge.client()
    request = open_tunnel(client, name, "*")
    assert names.asked_for == [name]
    assert advertised(request) == {target for _, target in NAMES[name]}
    given = capsule.read_addresses(request.of_type(ADDRESS_ASSIGN)[-1])
    assert {str(a.prefix.network_address) for a in given} == {source for source, _ in NAMES[name]}
    for source, target in NAMES[name]:
        ping(client, request, source, target)


NAMELESS = {
    "none.example": (502, "dns_error"),
    "old.example": (502, "dns_error"),  # meshgwd does not know the call
    "late.example": (504, "dns_timeout"),
}


@pytest.mark.parametrize("name", NAMELESS)
def test_name_refused(edge: Stage, names: Daemon, name: str) -> None:
    """RFC 9484 4.1: DNS is named as the reason (RFC 9209 2.3.1, 2.3.2), and all else goes on."""
    client = edge.client()
    client.connect(EDGE)
    request = client.open(TEMPLATE, name)
    status, error = NAMELESS[name]
    assert request.status == status, request
    check_status(request.headers["proxy-status"], {error})
    client.until("ended", lambda: request.ended)
    assert names.asked_for == [name]
    pings(client, open_tunnel(client, "both.example"))


def begin_name(client: Client, names: Daemon) -> Request:
    """A request that stays without an answer until names.resolves is set."""
    names.resolves.clear()
    names.asked_for.clear()
    if not client.link.complete:
        client.connect(EDGE)
    request = client.link.reserve()
    client.ask(request, TEMPLATE, "both.example")
    client.until("asked", lambda: names.asked_for)
    return request


def test_name_early(edge: Stage, names: Daemon) -> None:
    """RFC 9484 7.1: who does not wait for the answer loses packets at most; another request of the same
    connection is one too many (RFC 9209 2.3.12)."""
    client = edge.client()
    request = begin_name(client, names)
    asked = capsule.request((5, ZERO)).encode()
    request.send_data(asked[:3])
    client.settle(client.link)
    request.send_data(asked[3:])
    request.send_packet(packet.echo(MESH_GATEWAY, MESH_EDGE))
    client.settle(client.link)
    assert not request.status
    assert client.open(TEMPLATE).status == 503
    names.resolves.set()
    client.until("answer", lambda: 5 in answered(request))
    assert request.status == 200
    pings(client, request)


def test_name_early_end(edge: Stage, names: Daemon) -> None:
    """A FIN before the answer ends the request behind it, in order."""
    client = edge.client()
    request = begin_name(client, names)
    request.send(capsule.request((1, ZERO)), end=True)
    client.settle(client.link)
    names.resolves.set()
    client.until("ended", lambda: request.ended)
    assert request.status == 200
    assert request.aborted is None


def test_name_early_flood(edge: Stage, names: Daemon) -> None:
    """Nobody keeps what never ends."""
    client = edge.client()
    request = begin_name(client, names)
    request.send(Capsule(GREASE, bytes(64 << 10)))
    client.until("aborted", lambda: request.aborted is not None)
    assert request.aborted == EXCESSIVE_LOAD
    names.resolves.set()
    pings(client, open_tunnel(client, "both.example"))


@pytest.mark.parametrize("how", ["stream", "connection", "node", "overtaken"])
def test_name_left(edge: Stage, names: Daemon, how: str) -> None:
    """The answer comes when nobody waits for it any more, or who waited is no node any more, or has its
    tunnel elsewhere; and nobody has to wait until it comes."""
    client = first = edge.client()
    request = begin_name(client, names)
    if how == "stream":
        request.abort(REQUEST_CANCELLED)
        client.settle(client.link)
    elif how == "overtaken":
        client = edge.client()
    else:
        if how == "node":
            edge.edge.tell(edge.server(edge.node(edge.edge.identity)))
        else:
            client.link.quic.close(0x100)
        client.until("closed", lambda: client.link.closed)
        poll("gone", lambda: not edge.edge.fresh().peers())
        edge.edge.tell(edge.server())
        client = edge.client()
    another = open_tunnel(client)
    names.resolves.set()
    if how == "overtaken":
        first.until("refused", lambda: request.status)
        assert request.status == 503
    client.settle(client.link)
    pings(client, another)


SCOPES = [
    ("", "*"), ("*", ""), ("*", "256"), ("*", "-1"), ("*", "0x11"), ("*", "udp"), ("*", "1000"),
    ("100.64.0.1/33", "*"), ("100.64.0.1/", "*"), ("100.64.0.1/24", "*"), ("fd00:64::/129", "*"),
    ("fd00:64::1/64", "*"), ("100.64.0.0/016", "*"), ("100.64.0.0/-1", "*"), ("fe80::1%eth0", "*"),
    ("[fd00:64::1]", "*"), ("100.64.0.1/16/16", "*"), ("a b", "*"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "ipproto"), SCOPES)
def test_malformed_scope(edge: Stage, target: str, ipproto: str) -> None:
    """RFC 9484 4.6, RFC 9114 4.1.2: malformed, by 400 or the stream's error; no template has an empty
    variable."""
    client = edge.client()
    client.connect(EDGE)
    request = client.open(TEMPLATE, target, ipproto)
    assert request.status in (400, 404) or request.aborted == MESSAGE_ERROR, request
    if request.status:
        check_status(request.headers["proxy-status"], {"http_request_error"})


GOOD = [
    ("0.0.0.0/0", "*"), ("*", "6"), ("*", "255"), ("fd00:64::1", "58"), ("FD00:64:0::/48", "*"),
    ("100.64.0.1", "017"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "ipproto"), GOOD)
def test_scope_forms(edge: Stage, target: str, ipproto: str) -> None:
    client = edge.client()
    client.connect(EDGE)
    request = client.open(TEMPLATE, target, ipproto)
    assert request.status == 200, request


@pytest.mark.parametrize("number", ["0", "43", "44", "60"])
def test_extension_headers(edge: Stage, number: str) -> None:
    """RFC 9484 4.8: they need not be accepted as a scope; then it is forbidden, not malformed."""
    client = edge.client()
    client.connect(EDGE)
    request = client.open(TEMPLATE, "*", number)
    assert request.status == 403, request
    check_status(request.headers["proxy-status"], {"http_request_denied"})


HEADERS = [
    {"capsule_protocol": ""}, {"capsule_protocol": "?0"}, {"capsule_protocol": "1"},
    {"capsule_protocol": "?1;a=b;c"}, {"_path": "/.well-known/masque/ip/%2A/%2a/"},
    {"_path": "/.well-known/masque/ip/*/%2A/"},
    {"user_agent": ""}, {"x_unknown": "y" * 2000}, {"priority": "u=1, i"},
]  # fmt: skip


@pytest.mark.parametrize("other", HEADERS)
def test_headers(edge: Stage, other: dict[str, str]) -> None:
    """RFC 9297 3.4: Capsule-Protocol is a hint, whatever it says; RFC 3986 6.2.2.2: escaped or not is
    the same."""
    client = edge.client()
    client.connect(EDGE)
    request = client.open(TEMPLATE, **other)
    assert request.status == 200, request
    ping(client, request, MESH_GATEWAY, MESH_EDGE)


@pytest.mark.parametrize("field", ["content-length", "content-type", "transfer-encoding"])
def test_content(edge: Stage, field: str) -> None:
    """RFC 9297 3.2: such a message is malformed."""
    client = edge.client()
    client.connect(EDGE)
    values = {"content-length": "0", "content-type": "text/plain", "transfer-encoding": "chunked"}
    request = client.open(TEMPLATE, **{field.replace("-", "_"): values[field]})
    assert request.status == 400 or request.aborted == MESSAGE_ERROR, request
    client.settle(client.link)
    assert not client.link.closed


TEMPLATES = [
    "https://edge.mesh/masque/ip?t={target}&i={ipproto}",
    "https://edge.mesh/masque/ip{?target,ipproto}",
    "https://edge.mesh/a{?target}{&ipproto}",
    "https://edge.mesh/p/{target,ipproto}/",
    "https://edge.mesh/masque/?user=bob",
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates(stage: Stage, template: str) -> None:
    """Those of RFC 9484 3; the edge is told the same template without its authority."""
    path = template.removeprefix("https://edge.mesh")
    stage.edge.tell(stage.server(template=path))
    stage.edge.start()
    client = stage.client()
    client.connect(EDGE)
    request = client.open(template)
    assert request.status == 200, request
    pings(client, request)
