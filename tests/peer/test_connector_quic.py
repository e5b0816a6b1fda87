# SPDX-License-Identifier: Apache-2.0
"""Our connector at a proxy from other hands: how a proxy says no, and how connections come and go."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from aioquic.buffer import Buffer, encode_uint_var
from aioquic.h3.connection import ErrorCode, FrameType, Setting, encode_frame
from aioquic.quic import connection as quic_connection
from aioquic.quic.packet import QuicProtocolVersion, QuicTransportParameters
from aioquic.tls import Epoch
from connectip.http3 import GREASE, GREASE_FAR, PROXY_SETTINGS
from connectip.link import Request
from stage import Stage, log_of, ping_through, serve, wait_open

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
    """RFC 9297 2.1: of no stream that there is, of none that there can be, and without room for one."""
    proxy = serve(stage)
    for number, (data, error) in enumerate(FOREIGN, 1):
        link = wait_open(stage, proxy, number).link
        link.quic.send_datagram_frame(data)
        closed = proxy.until("closed", lambda it=link: it.closed)
        assert closed.error_code == error
    wait_open(stage, proxy, len(FOREIGN) + 1)


def test_goaway(stage: Stage) -> None:
    """RFC 9114 5.2: what is open goes on; then the proxy closes, and the connector comes again."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    request.link.http.send_goaway(request.stream + 4)
    ping_through(stage, proxy)
    request.link.quic.close(ErrorCode.H3_NO_ERROR)
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)


@pytest.mark.parametrize("how", ["FIN", "reset"])
def test_request_ended(stage: Stage, how: str) -> None:
    """RFC 9220 3; the connector comes again."""
    proxy = serve(stage)
    request = wait_open(stage, proxy)
    if how == "FIN":
        request.send_raw(b"", end=True)
        proxy.until("ended", lambda: request.ended or request.link.closed)
        assert request.aborted is None
    else:
        request.abort(ErrorCode.H3_REQUEST_CANCELLED)
    wait_open(stage, proxy, 2)
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


def test_no_migration(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9000 18.2, disable_active_migration: with another address we come as somebody new."""
    push = quic_connection.push_quic_transport_parameters

    def forbid(buffer: Buffer, told: QuicTransportParameters) -> None:
        push(buffer, replace(told, disable_active_migration=True))

    monkeypatch.setattr(quic_connection, "push_quic_transport_parameters", forbid)
    proxy = serve(stage)
    wait_open(stage, proxy)
    ping_through(stage, proxy)
    sockets = stage.gateway.udp
    stage.gateway.udp = [stage.gateway.space.udp("0.0.0.0", 0)]
    stage.gateway.space.run("ip", "address", "del", "192.0.2.1/24", "dev", "wire0")
    stage.gateway.space.run("ip", "address", "add", "192.0.2.11/24", "dev", "wire0")
    stage.gateway.tell(stage.connector())
    for sock in sockets:
        sock.close()
    wait_open(stage, proxy, 2)
    ping_through(stage, proxy)
    assert len(proxy.links) == 2
