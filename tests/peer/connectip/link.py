# SPDX-License-Identifier: Apache-2.0
"""One QUIC connection with HTTP/3 above it, without sockets, and the requests on it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from aioquic.buffer import encode_uint_var
from aioquic.h3.connection import FrameType, encode_frame
from aioquic.h3.events import DatagramReceived, DataReceived, H3Event, HeadersReceived
from aioquic.quic import events
from aioquic.quic.connection import QuicConnection
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectip.capsule import Capsule, Reader
from connectip.http3 import Http
from connectip.packet import reply


class Request:
    """An IP proxying request, seen from either end."""

    def __init__(self, link: Link, stream: int) -> None:
        self.link, self.stream = link, stream
        self.headers: dict[str, str] = {}  # the other end's
        self.reader = Reader()
        self.capsules: list[Capsule] = []
        self.packets: list[bytes] = []
        self.echoes: list[bytes] = []  # echo requests, which are answered as hosts do
        self.silent = False  # they are not
        self.contexts: list[int] = []  # other than 0
        self.ended = False
        self.reset: int | None = None
        self.stopped: int | None = None
        self.receive: Callable[[bytes], None] = self._receive

    def __repr__(self) -> str:
        capsules = [(c.type, c.value[:64].hex()) for c in self.capsules]
        packets = [p[:64].hex() for p in self.packets[-8:]]
        ends = (self.ended, self.reset, self.stopped)
        return f"<{self.stream} {self.headers} {capsules} {packets} {ends}>"

    @property
    def status(self) -> int:
        """0: no answer yet."""
        return int(self.headers.get(":status", "0"))

    @property
    def aborted(self) -> int | None:
        """With which error the other end has given it up."""
        return self.reset if self.reset is not None else self.stopped

    def of_type(self, kind: int) -> list[bytes]:
        return [c.value for c in self.capsules if c.type == kind]

    def send(self, *capsules: Capsule, end: bool = False) -> None:
        self.send_data(b"".join(c.encode() for c in capsules), end=end)

    def send_data(self, data: bytes, *, end: bool = False) -> None:
        """One DATA frame."""
        self.send_raw(encode_frame(FrameType.DATA, data), end=end)

    def send_raw(self, data: bytes, *, end: bool = False) -> None:
        """Whatever bytes on the stream."""
        self.link.quic.send_stream_data(self.stream, data, end)

    def send_packet(self, packet: bytes, context: int = 0) -> None:
        self.link.http.send_datagram(self.stream, encode_uint_var(context) + packet)

    def abort(self, error: int) -> None:
        self.link.quic.reset_stream(self.stream, error)
        self.link.quic.stop_stream(self.stream, error)

    def _receive(self, data: bytes) -> None:
        answer = reply(data)
        if answer is None:
            self.packets.append(data)
            return
        self.echoes.append(data)
        if not self.silent:
            self.send_packet(answer)

    def datagram(self, data: bytes) -> None:
        """RFC 9484 6: a context ID, and for 0 a whole IP packet."""
        size = 1 << (data[0] >> 6)
        context = int.from_bytes(data[:size]) & ((1 << (8 * size - 2)) - 1)
        if context:
            self.contexts.append(context)
        else:
            self.receive(data[size:])


class Link:
    """What happens to it is kept, for tests to look at."""

    def __init__(self, quic: QuicConnection, settings: dict[int, int] | None) -> None:
        self.quic = quic
        self.settings = settings
        self.requests: dict[int, Request] = {}
        self.arrived: Callable[[Request], None] = lambda _: None
        self.complete: events.HandshakeCompleted | None = None
        self.closed: events.ConnectionTerminated | None = None
        self.pings: set[int] = set()
        self.strays: list[bytes] = []  # datagrams of no request
        self._http: Http | None = None

    @property
    def http(self) -> Http:
        """Made when ALPN is known, so that SETTINGS are the first thing on the connection."""
        if self._http is None:
            self._http = Http(self.quic, self.settings)
        return self._http

    @property
    def pin(self) -> str:
        """Of the key that the other end has shown."""
        certificate = self.quic.tls._peer_certificate
        assert certificate, "no certificate"
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return "sha256/" + base64.b64encode(hashlib.sha256(public).digest()).decode()

    def reserve(self) -> Request:
        """A request of ours: its stream, before anything is sent on it."""
        stream = self.quic.get_next_available_stream_id()
        self.requests[stream] = Request(self, stream)
        self.quic.send_stream_data(stream, b"")  # the next one is another
        return self.requests[stream]

    def answer(self, request: Request, status: int = 200, **headers: str) -> None:
        pairs = [(b":status", str(status).encode())]
        pairs += [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        self.http.send_headers(request.stream, pairs)

    def take_events(self) -> None:
        while (event := self.quic.next_event()) is not None:
            self._take(event)

    def _take(self, event: events.QuicEvent) -> None:
        match event:
            case events.ProtocolNegotiated():
                assert self.http
            case events.HandshakeCompleted():
                self.complete = event
            case events.ConnectionTerminated():
                self.closed = event
            case events.PingAcknowledged():
                self.pings.add(event.uid)
            case events.StreamReset() if event.stream_id in self.requests:
                self.requests[event.stream_id].reset = event.error_code
            case events.StopSendingReceived() if event.stream_id in self.requests:
                self.requests[event.stream_id].stopped = event.error_code
            case events.StreamDataReceived() | events.DatagramFrameReceived():
                for one in self.http.handle_event(event):
                    self._take_http(one)

    def _take_http(self, event: H3Event) -> None:
        stream = getattr(event, "stream_id", -1)
        if isinstance(event, DatagramReceived) and stream not in self.requests:
            self.strays.append(event.data)
            return
        known = stream in self.requests
        request = self.requests.setdefault(stream, Request(self, stream))
        if isinstance(event, HeadersReceived):
            request.headers = {k.decode(): v.decode() for k, v in event.headers}
        elif isinstance(event, DataReceived):
            request.capsules += request.reader.feed(event.data)
        elif isinstance(event, DatagramReceived):
            request.datagram(event.data)
        request.ended |= getattr(event, "stream_ended", False)
        if not known:
            self.arrived(request)
