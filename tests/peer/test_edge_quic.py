# SPDX-License-Identifier: Apache-2.0
"""A client from other hands at our edge: what QUIC and HTTP/3 allow, and what they forbid."""

from __future__ import annotations

import os

import pytest
from aioquic.buffer import Buffer, encode_uint_var
from aioquic.h3.connection import ErrorCode, FrameType, Setting, StreamType, encode_frame
from aioquic.quic.packet import QuicErrorCode, QuicProtocolVersion
from aioquic.tls import SessionTicket
from connectip.client import Client
from connectip.http3 import GREASE, GREASE_FAR
from openssl import dialed
from stage import TEMPLATE, Stage, open_tunnel, pings
from world import EDGE, EDGE6, GATEWAY6, Identity, poll

LEAST = 1200  # bytes of a datagram with an Initial, of which no client sends longer ones: RFC 9000 14.1
CRYPTO_ERROR = 0x100  # RFC 9000 20.1: plus the alert


def wait_closed(client: Client) -> int:
    """With which error."""
    client.until("closed", lambda: client.link.closed)
    assert client.link.closed
    return client.link.closed.error_code


def test_grease(edge: Stage) -> None:
    """RFC 9114 6.2.3, 7.2.4.1, 7.2.8, 9: settings, streams and frames that nobody knows."""
    client = edge.client(settings={Setting.H3_DATAGRAM: 1, GREASE: 77, GREASE_FAR: 2**62 - 1})
    client.connect(EDGE)
    link = client.link
    for kind in (GREASE, GREASE_FAR):
        stream = link.quic.get_next_available_stream_id(is_unidirectional=True)
        link.quic.send_stream_data(stream, encode_uint_var(kind) + os.urandom(500), kind == GREASE)
        link.quic.send_stream_data(link.http.control, encode_frame(kind, b"grease"))
    request = link.reserve()
    request.send_raw(encode_frame(GREASE_FAR, b"before HEADERS"))
    client.ask(request, TEMPLATE)
    request.send_raw(encode_frame(GREASE, b""))
    client.until("answer", lambda: request.status)
    assert request.status == 200
    pings(client, request)


def test_theirs(edge: Stage) -> None:
    """What our edge tells of itself: RFC 9220 3, RFC 9297 2.1.1, RFC 9221 3."""
    client = edge.client()
    link = client.connect(EDGE)
    assert link.quic._remote_max_datagram_frame_size == 65535
    assert link.complete and not link.complete.early_data_accepted


BROKEN_SETTINGS = [
    ({Setting.H3_DATAGRAM: 2}, ErrorCode.H3_SETTINGS_ERROR),
    ({Setting.H3_DATAGRAM: 1, 0x2: 1}, ErrorCode.H3_SETTINGS_ERROR),
]


@pytest.mark.parametrize(("settings", "error"), BROKEN_SETTINGS)
def test_broken_settings(edge: Stage, settings: dict[int, int], error: int) -> None:
    """RFC 9297 2.1.1, RFC 9114 7.2.4.1."""
    client = edge.client(settings=settings)
    client.start(EDGE)
    assert wait_closed(client) == error


def test_no_datagrams(edge: Stage) -> None:
    """A client that does not take datagrams gets no tunnel and no datagram."""
    client = edge.client(settings={}, max_datagram_frame_size=None)
    client.start(EDGE)
    client.until("settings", lambda: client.link.http.theirs)
    request = client.open(TEMPLATE)
    client.until("given up", lambda: request.aborted is not None)
    assert not request.packets and not request.echoes


def test_late_settings(edge: Stage) -> None:
    """RFC 9114 7.2.4.2: a request may come before SETTINGS. RFC 9297 2.1.1: no datagram does."""
    client = edge.client(settings=None)
    client.start(EDGE)
    client.until("settings", lambda: client.link.http.theirs)
    request = client.link.reserve()
    client.ask(request, TEMPLATE)
    client.settle(client.link)
    assert not request.packets and not request.echoes
    client.link.http.send_settings({Setting.H3_DATAGRAM: 1})
    client.until("answer", lambda: request.status)
    assert request.status == 200, request
    pings(client, request)


BAD_DATAGRAMS = {
    "empty": (b"", ErrorCode.H3_DATAGRAM_ERROR),
    "cut": (b"\x40", ErrorCode.H3_DATAGRAM_ERROR),
    "too large an ID": (encode_uint_var(1 << 60) + b"\0", ErrorCode.H3_DATAGRAM_ERROR),
    "beyond the limit": (encode_uint_var((1 << 60) - 1) + b"\0", ErrorCode.H3_ID_ERROR),
    "not yet open": (encode_uint_var(1) + b"\0" + bytes(40), None),
}


@pytest.mark.parametrize("what", BAD_DATAGRAMS)
def test_bad_datagram(edge: Stage, what: str) -> None:
    """RFC 9297 2.1."""
    client = edge.client()
    request = open_tunnel(client)
    data, error = BAD_DATAGRAMS[what]
    client.link.quic.send_datagram_frame(data)
    if error is not None:
        assert wait_closed(client) == error
        return
    client.settle(client.link)
    assert not client.link.closed
    pings(client, request)


def test_exaggeration(edge: Stage) -> None:
    """RFC 9221 4, RFC 9000 12.4: a DATAGRAM frame that says it is longer than its packet. One that is
    longer than 65535 bytes, which would be a breach of 3, fits into no packet."""
    client = edge.client()
    open_tunnel(client)
    client.link.quic.exaggerates = 1 << 16  # type: ignore[attr-defined]
    client.link.quic.send_datagram_frame(bytes(40))
    assert wait_closed(client) == QuicErrorCode.FRAME_ENCODING_ERROR


def test_datagram_of_other_request(edge: Stage) -> None:
    """RFC 9297 2: a request that knows no datagrams is aborted for one, as long as it is there: the edge
    has forgotten it once its refusal has been acknowledged, and drops what comes then (2.1)."""
    client = edge.client()
    client.connect(EDGE)
    request = client.link.reserve()
    client.ask(request, TEMPLATE, _method="POST", _protocol="", capsule_protocol="")
    client.send()  # aioquic puts datagrams before streams, if both wait
    request.send_packet(bytes(40))
    client.until("aborted", lambda: request.reset is not None)
    assert request.reset == ErrorCode.H3_DATAGRAM_ERROR
    request.send_packet(bytes(40))
    client.settle(client.link)
    assert not client.link.closed
    pings(client, open_tunnel(client))


FORBIDDEN = {
    "SETTINGS twice": (FrameType.SETTINGS, ErrorCode.H3_FRAME_UNEXPECTED),
    "DATA": (FrameType.DATA, ErrorCode.H3_FRAME_UNEXPECTED),
    "HEADERS": (FrameType.HEADERS, ErrorCode.H3_FRAME_UNEXPECTED),
    "PING of HTTP/2": (0x6, ErrorCode.H3_FRAME_UNEXPECTED),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_forbidden(edge: Stage, what: str) -> None:
    """RFC 9114 7.2: on the control stream."""
    client = edge.client()
    open_tunnel(client)
    kind, error = FORBIDDEN[what]
    client.link.quic.send_stream_data(client.link.http.control, encode_frame(kind, b""))
    assert wait_closed(client) == error


def test_push_stream(edge: Stage) -> None:
    """RFC 9114 6.2.2: clients do not push."""
    client = edge.client()
    open_tunnel(client)
    stream = client.link.quic.get_next_available_stream_id(is_unidirectional=True)
    client.link.quic.send_stream_data(stream, encode_uint_var(StreamType.PUSH) + b"\0")
    assert wait_closed(client) == ErrorCode.H3_STREAM_CREATION_ERROR


def test_stranger(edge: Stage) -> None:
    """A key that nobody pinned, and no certificate at all: the handshake fails."""
    Identity(edge.folder, "stranger.mesh")
    client = edge.client("stranger.mesh")
    client.start(EDGE)
    assert CRYPTO_ERROR <= wait_closed(client) < CRYPTO_ERROR + 256
    other = edge.client()
    other.link.quic.configuration.certificate = None
    other.start(EDGE)
    assert CRYPTO_ERROR <= wait_closed(other) < CRYPTO_ERROR + 256


def test_alpn(edge: Stage) -> None:
    """RFC 9001 8.1: no_application_protocol."""
    client = edge.client(alpn_protocols=["h2"])
    client.start(EDGE)
    assert wait_closed(client) == CRYPTO_ERROR + 120


def test_version_negotiation(edge: Stage) -> None:
    """RFC 9000 6: our edge says what it speaks, and the client comes again with it."""
    client = edge.client(
        original_version=0x1A2A3A4A, supported_versions=[0x1A2A3A4A, QuicProtocolVersion.VERSION_1]
    )
    pings(client, open_tunnel(client))
    assert client.link.quic._version == QuicProtocolVersion.VERSION_1


def test_retry(stage: Stage) -> None:
    """RFC 9000 8.1.2: above the limit an address is validated first."""
    stage.edge.tell(stage.server(limits={"retryAbove": 0}))
    stage.edge.start()
    client = stage.client()
    pings(client, open_tunnel(client))
    assert client.link.quic._retry_count == 1


def roomy(capacity: int = 0, data: bytes | None = None) -> Buffer:
    """aioquic makes its ClientHello in 1024 bytes, and a ticket of ours holds the certificate."""
    return Buffer(data=data) if data is not None else Buffer(8192 if capacity == 1024 else capacity)


def test_resumption(edge: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS 1.3 tickets, without early data (0-RTT for CONNECT would be a replay)."""
    monkeypatch.setattr("aioquic.tls.Buffer", roomy)
    tickets: list[SessionTicket] = []
    client = edge.client(quic={"session_ticket_handler": tickets.append})
    request = open_tunnel(client)
    client.until("ticket", lambda: tickets)
    pings(client, request)
    assert not tickets[-1].max_early_data_size
    again = edge.client(session_ticket=tickets[-1])
    pings(again, open_tunnel(again))
    assert again.link.complete and again.link.complete.session_resumed
    assert not again.link.complete.early_data_accepted


PQ = "X25519MLKEM768"


def test_post_quantum(edge: Stage) -> None:
    """A ClientHello with ML-KEM is longer than a packet. Who shows another key share first is asked for
    that one (RFC 8446 4.1.4), be it that the other would do."""
    with dialed(edge, PQ) as at_once, dialed(edge, f"X25519:{PQ}") as asked:
        assert at_once.group == asked.group == PQ
        poll("told", lambda: [p["group"] for p in edge.edge.fresh().peers()] == [PQ, PQ])
    for trace, again in ((at_once, False), (asked, True)):
        assert trace.asked_again == again
        assert len(trace.hellos) == 1 + again and trace.hellos[-1] > LEAST
        assert trace.initials[int(again)] >= 2


def test_post_quantum_retry(stage: Stage) -> None:
    """RFC 9000 8.1.2: the same above the limit, where each of the two Initials causes a Retry."""
    stage.edge.tell(stage.server(limits={"retryAbove": 0}))
    stage.edge.start()
    with dialed(stage, f"X448:{PQ}") as trace:
        assert trace.retried and trace.asked_again and trace.group == PQ


def test_key_update(edge: Stage) -> None:
    """RFC 9001 6. One more would have to wait for three probe timeouts (6.5)."""
    client = edge.client()
    request = open_tunnel(client)
    client.link.quic.request_key_update()
    client.settle(client.link)
    pings(client, request)


@pytest.mark.parametrize("fresh", [True, False])
def test_migration(edge: Stage, fresh: bool) -> None:
    """RFC 9000 9: another port, with a connection ID of its own or, as behind a NAT, without."""
    client = edge.client()
    request = open_tunnel(client)
    pings(client, request)
    client.sock.close()
    client.sock = edge.gateway.space.udp("0.0.0.0", 0)
    client.sock.setblocking(False)
    if fresh:
        client.link.quic.change_connection_id()
    pings(client, request)
    port = client.sock.getsockname()[1]
    poll("seen", lambda: any(p["address"].endswith(f":{port}") for p in edge.edge.daemon.peers()))


def test_restart(stage: Stage) -> None:
    """RFC 9000 10.3: a new edge does not know the connection and says so."""
    stage.edge.tell(stage.server())
    stage.edge.start()
    client = stage.client()
    request = open_tunnel(client)
    pings(client, request)
    stage.edge.kill()
    stage.edge.start()

    def told() -> bool:
        request.send_packet(bytes(100))
        return bool(client.heard)

    client.until("stateless reset", told)


def test_ipv6(stage: Stage) -> None:
    """Below IPv6 as below IPv4: Retry, packets, another port, a reset by who knows nothing."""
    stage.edge.udp.append(stage.edge.space.udp("::", 443))
    stage.edge.tell(stage.server(limits={"retryAbove": 0}))
    stage.edge.start()
    client = stage.client(local="::")
    client.connect(EDGE6)
    request = open_tunnel(client)
    assert client.link.quic._retry_count == 1
    pings(client, request)
    client.sock.close()
    client.sock = stage.gateway.space.udp("::", 0)
    client.sock.setblocking(False)
    client.link.quic.change_connection_id()
    pings(client, request)
    seen = f"[{GATEWAY6}]:{client.sock.getsockname()[1]}"
    poll("seen", lambda: [p["address"] for p in stage.edge.daemon.peers()] == [seen])
    stage.edge.kill()
    stage.edge.start()
    client.until("stateless reset", lambda: client.heard)


def test_idle(stage: Stage) -> None:
    """RFC 9000 10.1: an edge forgets a silent client without a word, and an ended one at once."""
    stage.edge.tell({**stage.server(), "idleMs": 2000, "keepaliveMs": 300})
    stage.edge.start()
    client = stage.client()
    open_tunnel(client)
    # Reports may be two seconds apart: none has to know it.
    poll("its end", lambda: "closed node=site1 cause=idle timeout" in stage.edge.log.read_text("utf-8"))
    poll("forgotten", lambda: not stage.edge.daemon.peers())


def test_client_ends(edge: Stage) -> None:
    client = edge.client()
    open_tunnel(client)
    edge.part()
    poll("forgotten", lambda: not edge.edge.daemon.peers())


def test_edge_ends(stage: Stage) -> None:
    """RFC 9114 5.2, 5.3: told to stop, it says so to those who are there."""
    stage.edge.tell(stage.server())
    stage.edge.start()
    client = stage.client()
    open_tunnel(client)
    assert client.during(stage.edge.stop) == 0
    stage.edge.process = None
    assert wait_closed(client) == ErrorCode.H3_NO_ERROR


def test_goaway(edge: Stage) -> None:
    """RFC 9114 5.2: of a client it is about pushes alone."""
    client = edge.client()
    request = open_tunnel(client)
    client.link.http.send_goaway(0)
    pings(client, request)


def test_superseded(edge: Stage) -> None:
    """Who comes again with the same key supersedes what he left behind."""
    for _ in range(3):
        client = edge.client()
        pings(client, open_tunnel(client))
    for former in edge.clients[:-1]:
        assert wait_closed(former) == ErrorCode.H3_NO_ERROR
    assert not edge.clients[-1].link.closed
