# SPDX-License-Identifier: Apache-2.0
"""Our connector at a proxy from other hands: how a proxy says no, and how connections come and go."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from aioquic.buffer import Buffer, encode_uint_var
from aioquic.h3.connection import ErrorCode, FrameType, Setting, encode_frame
from aioquic.quic import connection as quic_connection
from aioquic.quic.packet import QuicErrorCode, QuicProtocolVersion, QuicTransportParameters
from aioquic.tls import ClientHello, Epoch
from connectip import capsule, packet
from connectip.client import headers
from connectip.http3 import GREASE, GREASE_FAR, PROXY_SETTINGS
from connectip.link import Link, Request
from connectip.proxy import Proxy, ServerQuic
from stage import (
    ADDRESSES,
    MESSAGE_ERROR,
    NETWORKS,
    TEMPLATE,
    Stage,
    log_of,
    ping_through,
    probes,
    serve,
    wait_open,
)
from test_move import FIRST, SECOND, move
from world import EDGE, MESH_EDGE, MESH_GATEWAY

IGNORE = {"dialect": {"ignoreMissingConnectProtocol": True}}


def test_late_settings(stage: Stage) -> None:
    """RFC 9220 3: the connector waits for leave to ask."""
    proxy = serve(stage, stage.proxy(settings=None))
    proxy.until("connected", lambda: proxy.links and proxy.links[0].http.theirs)
    link = proxy.links[0]
    proxy.settle(link)
    assert not proxy.requests
    assert (link.http.theirs or {}).get(Setting.H3_DATAGRAM) == 1
    link.http.send_settings({**PROXY_SETTINGS, GREASE: 5, GREASE_FAR: 2**62 - 1})
    wait_open(stage, proxy)
    ping_through(stage, proxy)


MISSING = {
    "connect protocol": {Setting.H3_DATAGRAM: 1},
    "connect protocol 0": {Setting.ENABLE_CONNECT_PROTOCOL: 0, Setting.H3_DATAGRAM: 1},
    "datagrams": {Setting.ENABLE_CONNECT_PROTOCOL: 1},
    "datagrams 0": {Setting.ENABLE_CONNECT_PROTOCOL: 1, Setting.H3_DATAGRAM: 0},
}


@pytest.mark.parametrize("what", MISSING)
def test_missing(stage: Stage, what: str) -> None:
    """RFC 9220 3, RFC 9297 2.1.1: then nothing is asked, and why is said."""
    proxy = serve(stage, stage.proxy(settings=MISSING[what]))
    proxy.until("refused", lambda: proxy.links and proxy.links[0].closed)
    assert not proxy.requests
    said = "the server does not take datagrams" if "datagrams" in what else "CONNECT"
    proxy.until("said", lambda: said in log_of(stage))


def test_ignored(stage: Stage) -> None:
    """The same with the dialect's option."""
    proxy = serve(stage, stage.proxy(settings=MISSING["connect protocol"]), **IGNORE)
    wait_open(stage, proxy)
    ping_through(stage, proxy)


# What our connector says of itself to everybody: RFC 9114 7.2.4.1, RFC 9204 5, RFC 9297 2.1.1.
OWN_SETTINGS = {
    Setting.QPACK_MAX_TABLE_CAPACITY: 0,
    Setting.MAX_FIELD_SECTION_SIZE: 8192,
    Setting.QPACK_BLOCKED_STREAMS: 0,
    Setting.H3_DATAGRAM: 1,
}
DIALECT = {
    "protocol": "cf-connect-ip",
    "path": "/",
    "authority": "tunnel.example",
    "ignoreMissingConnectProtocol": True,
    "staticOnly": True,
    "settings": [[0x276, 1], [GREASE_FAR, 2**62 - 1]],
}


def test_dialect(stage: Stage) -> None:
    """Each of its options as the other end sees it; addresses and routes are taken for granted."""
    proxy = stage.proxy(settings=MISSING["connect protocol"])
    proxy.answer = lambda request: request.link.answer(request, 200)
    told = stage.connector(serverName="name.example", addresses=ADDRESSES, routes=NETWORKS)
    serve(stage, proxy, **told, dialect=DIALECT)
    request = wait_open(stage, proxy)
    assert request.headers == headers(
        TEMPLATE, _protocol="cf-connect-ip", _authority="tunnel.example", _path="/"
    )
    assert hello_of(request.link).server_name == "name.example"
    assert request.link.http.theirs == {**OWN_SETTINGS, 0x276: 1, GREASE_FAR: 2**62 - 1}
    ping_through(stage, proxy)
    assert not request.capsules and not probes(request)


def test_template(stage: Stage) -> None:
    """RFC 9484 3, 4.4: variables in a query, and a port that is not 443. No name, no SNI."""
    proxy = stage.proxy(port=8443)
    template = "https://edge.mesh:8443/vpn{?target,ipproto}"
    told = stage.connector(
        edges=[{"address": EDGE, "port": 8443}],
        authority="edge.mesh:8443",
        template=template,
        serverName=EDGE,
    )
    serve(stage, proxy, **told)
    request = wait_open(stage, proxy)
    assert request.headers == headers(template)
    assert request.headers[":authority"] == "edge.mesh:8443"
    assert request.headers[":path"] == "/vpn?target=*&ipproto=*"
    assert hello_of(request.link).server_name is None  # RFC 6066 3: addresses are no names
    assert request.link.http.theirs == OWN_SETTINGS
    ping_through(stage, proxy)


BROKEN = [{Setting.H3_DATAGRAM: 2}, {**PROXY_SETTINGS, Setting.ENABLE_CONNECT_PROTOCOL: 2}]


@pytest.mark.parametrize("settings", BROKEN)
def test_broken_settings(stage: Stage, settings: dict[int, int]) -> None:
    """RFC 9297 2.1.1, RFC 8441 3: a value that there is not."""
    proxy = serve(stage, stage.proxy(settings=settings))
    closed = proxy.until("refused", lambda: proxy.links and proxy.links[0].closed)
    # RFC 9000 10.2.3: in a handshake packet an application's error is APPLICATION_ERROR.
    assert closed.error_code in (ErrorCode.H3_SETTINGS_ERROR, 0xC)
    proxy.until("said", lambda: f"code={ErrorCode.H3_SETTINGS_ERROR:#x}" in log_of(stage))


REFUSALS = {
    400: "", 403: "proxy.example; error=http_request_denied", 404: "", 302: "",
    502: 'proxy.example; error=dns_error; rcode="NXDOMAIN"', 503: "edge; error=connection_limit_reached",
}  # fmt: skip


@pytest.mark.parametrize("status", REFUSALS)
def test_refused(stage: Stage, status: int) -> None:
    """RFC 9484 4.5, RFC 9209: said as it came; the next attempt succeeds."""
    proxy = stage.proxy()
    field = {"proxy_status": REFUSALS[status]} if REFUSALS[status] else {}

    def answer(request: Request) -> None:
        if len(proxy.requests) > 1:
            proxy.accept(request)
            return
        request.link.answer(request, status, location="https://other.example/", **field)
        request.send_raw(b"", end=True)

    proxy.answer = answer
    serve(stage, proxy)
    wait_open(stage, proxy, 2)
    assert f"refused status={status}" in log_of(stage)
    assert REFUSALS[status] in log_of(stage)
    ping_through(stage, proxy)


MALFORMED = [
    {"content_type": "text/html"}, {"transfer_encoding": "chunked"},
    {"status": "204"}, {"status": "205"}, {"status": "206"},
]  # fmt: skip


@pytest.mark.parametrize("other", MALFORMED)
def test_malformed_response(stage: Stage, other: dict[str, str]) -> None:
    """RFC 9297 3.2: success that is none. Content-Length is not among them: nghttp3 takes it off such
    a response, as RFC 9110 9.3.6 has it."""
    proxy = stage.proxy()
    status = int(other.get("status", "200"))
    fields = {k: v for k, v in other.items() if k != "status"}
    proxy.answer = lambda request: request.link.answer(request, status, **fields)
    serve(stage, proxy)
    request = proxy.wait_request()
    proxy.until("given up", lambda: request.aborted is not None or request.link.closed)
    assert not any(p["open"] for p in stage.gateway.daemon.peers())


def test_extras(stage: Stage) -> None:
    """RFC 9114 6.2.3, 7.2.8: streams and frames that nobody knows."""
    proxy = serve(stage)
    link = wait_open(stage, proxy).link
    for kind in (GREASE, GREASE_FAR):
        stream = link.quic.get_next_available_stream_id(is_unidirectional=True)
        link.quic.send_stream_data(stream, encode_uint_var(kind) + os.urandom(500), kind == GREASE)
        link.quic.send_stream_data(link.http.control, encode_frame(kind, b"grease"))
    ping_through(stage, proxy)
    assert not link.closed


@pytest.mark.parametrize("kind", [FrameType.SETTINGS, FrameType.DATA, FrameType.MAX_PUSH_ID])
def test_forbidden_frames(stage: Stage, kind: int) -> None:
    """RFC 9114 7.2: not on a server's control stream, or not again."""
    proxy = serve(stage)
    link = wait_open(stage, proxy).link
    value = b"\0" if kind == FrameType.MAX_PUSH_ID else b""
    link.quic.send_stream_data(link.http.control, encode_frame(kind, value))
    closed = proxy.until("closed", lambda: link.closed)
    assert closed.error_code == ErrorCode.H3_FRAME_UNEXPECTED


FOREIGN = [
    (encode_uint_var(1) + b"\0", ErrorCode.H3_ID_ERROR),
    (encode_uint_var(1 << 60) + b"\0", ErrorCode.H3_DATAGRAM_ERROR),
    (b"\x40", ErrorCode.H3_DATAGRAM_ERROR),
]


def test_foreign_datagrams(stage: Stage) -> None:
    """RFC 9297 2.1: of no stream that there is, of none that there can be, and without room for one;
    and a frame that says it is longer than its packet."""
    proxy = serve(stage)
    for number, (data, error) in enumerate(FOREIGN, 1):
        link = wait_open(stage, proxy, number).link
        link.quic.send_datagram_frame(data)
        closed = proxy.until("closed", lambda it=link: it.closed)
        assert closed.error_code == error
    link = wait_open(stage, proxy, len(FOREIGN) + 1).link
    link.quic.exaggerates = 1 << 16  # type: ignore[attr-defined]
    link.quic.send_datagram_frame(bytes(40))
    closed = proxy.until("closed", lambda: link.closed)
    assert closed.error_code == QuicErrorCode.FRAME_ENCODING_ERROR  # RFC 9221 4


def test_goaway(stage: Stage) -> None:
    """RFC 9114 5.2: what is open goes on; then the proxy closes, and the connector comes again."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    request.link.http.send_goaway(request.stream + 4)
    ping_through(stage, proxy)
    request.link.quic.close(ErrorCode.H3_NO_ERROR)
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)


ENDS = {
    "FIN": {None},
    "FIN in a capsule": {MESSAGE_ERROR},
    "reset": {None, ErrorCode.H3_REQUEST_CANCELLED},  # RFC 9000 3.5: STOP_SENDING is answered alike
}


@pytest.mark.parametrize("how", ENDS)
def test_request_ended(stage: Stage, how: str) -> None:
    """RFC 9220 3, RFC 9297 3.3; the connector comes again. Nobody minds datagrams behind the end (2.1)."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    link = request.link
    if how == "reset":
        request.abort(ErrorCode.H3_REQUEST_CANCELLED)
    elif how == "FIN":
        request.send_raw(b"", end=True)
    else:
        request.send_data(capsule.routes(*NETWORKS).encode()[:-1], end=True)
    proxy.send()  # aioquic puts datagrams before streams, if both wait
    request.send_packet(packet.echo(MESH_EDGE, MESH_GATEWAY))
    proxy.until("ended", lambda: request.ended or request.aborted is not None or link.closed)
    assert request.aborted in ENDS[how]
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)
    assert not link.closed or link.closed.error_code == ErrorCode.H3_NO_ERROR
    if how == "reset":
        _end_by_halves(stage, proxy)


def _end_by_halves(stage: Stage, proxy: Proxy) -> None:
    """RFC 9000 3.3: either half of a stream may be given up, and without an error, too. There is no
    tunnel without both; that nothing more is read shows when there is something to say."""
    request = wait_open(stage, proxy, 2)
    request.link.quic.reset_stream(request.stream, ErrorCode.H3_NO_ERROR)
    request = wait_open(stage, proxy, 3)
    ping_through(stage, proxy)
    request.link.quic.stop_stream(request.stream, ErrorCode.H3_NO_ERROR)
    proxy.settle(request.link)
    stage.gateway.tell(stage.connector(advertise=["10.0.2.0/24"]))
    wait_open(stage, proxy, 4)
    ping_through(stage, proxy)


def test_forgotten(stage: Stage) -> None:
    """RFC 9000 10.3: a proxy that was started anew answers with a stateless reset."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    proxy.settle(request.link)
    proxy.reset(request.link)
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)
    assert "cause=stateless reset" in log_of(stage)


def test_silent(stage: Stage) -> None:
    """RFC 9000 10.1: a proxy of which nothing is heard is dialled again."""
    proxy = serve(stage, **{"idleMs": 1000, "keepaliveMs": 300})
    request = wait_open(stage, proxy)
    proxy.connections.remove(request.link)
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)


def test_keepalive(stage: Stage) -> None:
    """RFC 9000 10.1.2: a connection of which nobody makes use outlives the time-out."""
    proxy = serve(stage, **{"idleMs": 1000, "keepaliveMs": 200})
    request = wait_open(stage, proxy)
    before = heard(request)
    proxy.until("many keepalives", lambda: heard(request) > before + 6)
    assert not request.link.closed
    ping_through(stage, proxy)


def heard(request: Request) -> int:
    """Packets of the connector so far."""
    return int(request.link.quic._spaces[Epoch.ONE_RTT].expected_packet_number)


def test_retry(stage: Stage) -> None:
    """RFC 9000 8.1.2."""
    proxy = stage.proxy()
    proxy.retry = True
    serve(stage, proxy)
    wait_open(stage, proxy)
    assert proxy.retried
    ping_through(stage, proxy)


def test_other_version(stage: Stage) -> None:
    """RFC 9000 6: a proxy without a version in common; nothing comes of it, and why is said."""
    proxy = serve(stage, stage.proxy(supported_versions=[QuicProtocolVersion.VERSION_2]))
    proxy.until("said", lambda: "closed cause=" in log_of(stage))
    assert not proxy.links and "version" in log_of(stage)


def test_resumption(stage: Stage) -> None:
    """Their ticket allows early data; nothing is asked by it, keys are exchanged anew, and the token of
    RFC 9000 8.1.3 is shown."""
    proxy = stage.proxy()
    proxy.tickets, proxy.token = {}, os.urandom(40)
    serve(stage, proxy)
    link = wait_open(stage, proxy).link
    proxy.settle(link)
    link.quic.close(ErrorCode.H3_NO_ERROR)
    link = wait_open(stage, proxy, 2).link
    ping_through(stage, proxy)
    assert link.complete and link.complete.session_resumed and not link.complete.early_data_accepted
    hello = hello_of(link)
    assert hello.pre_shared_key and hello.key_share and not hello.early_data
    assert proxy.tokens == [b"", proxy.token]


def hello_of(link: Link) -> ClientHello:
    """What our connector began its connection with."""
    assert isinstance(link.quic, ServerQuic) and link.quic.hello
    return link.quic.hello


def test_key_update(stage: Stage) -> None:
    """RFC 9001 6, begun by the proxy."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    request.link.quic.request_key_update()
    proxy.settle(request.link)
    ping_through(stage, proxy)
    assert not request.link.closed


def test_wrong_proxy(stage: Stage) -> None:
    """A key that nobody pinned: the handshake fails, and nothing is asked."""
    told = stage.connector()
    serve(stage, **{"pins": [stage.gateway.identity.pin], "connector": told["connector"]})
    proxy = stage.proxies[0]
    closed = proxy.until("refused", lambda: proxy.links and proxy.links[0].closed)
    assert 0x100 <= closed.error_code < 0x200
    assert not proxy.requests


def test_migration(stage: Stage) -> None:
    """RFC 9000 9: to another address, by another connection ID (9.5)."""
    proxy = serve(stage)
    link = wait_open(stage, proxy).link
    ping_through(stage, proxy)
    before = link.quic.host_cid
    move(stage, FIRST, SECOND)

    def arrived() -> bool:
        path = link.quic._network_paths[0]
        return bool(path.addr[0] == SECOND and path.is_validated)

    proxy.until("moved", arrived)
    ping_through(stage, proxy)
    assert link.quic.host_cid != before
    assert proxy.links == [link] and not link.closed
    assert "connector: moved local=" in log_of(stage)


def test_no_migration(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9000 18.2, disable_active_migration: with another address we come as somebody new."""
    push = quic_connection.push_quic_transport_parameters

    def forbid(buffer: Buffer, told: QuicTransportParameters) -> None:
        push(buffer, replace(told, disable_active_migration=True))

    monkeypatch.setattr(quic_connection, "push_quic_transport_parameters", forbid)
    proxy = serve(stage)
    wait_open(stage, proxy)
    ping_through(stage, proxy)
    move(stage, FIRST, SECOND)
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)
    assert len(proxy.links) == 2
