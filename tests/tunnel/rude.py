# SPDX-License-Identifier: Apache-2.0
"""Peers without manners, on another implementation of QUIC and HTTP/3 (aioquic): a client of our edge
and a proxy for our connector. Each has a thread that draws its turns; what a test does with one in
the meantime it does under its lock."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aioquic.buffer import Buffer, encode_uint_var
from aioquic.h3.connection import H3Connection, Setting
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated
from aioquic.quic.packet import pull_quic_header
from aioquic.tls import Epoch

from daemon import Identity
from lenient import Quic
from world import Space, poll

ADDRESS_ASSIGN, ADDRESS_REQUEST, ROUTE_ADVERTISEMENT = 1, 2, 3  # RFC 9484 4.7
PATH = "/.well-known/masque/ip/*/*/"
TALK_S = 0.2
CID = 8  # bytes of the connection IDs that a proxy hands out


def capsule(kind: int, value: bytes) -> bytes:
    return encode_uint_var(kind) + encode_uint_var(len(value)) + value


def route(first: int, last: int) -> bytes:
    """An entry of ROUTE_ADVERTISEMENT, IPv4 and all protocols."""
    return b"\x04" + first.to_bytes(4, "big") + last.to_bytes(4, "big") + b"\0"


def address(family: int, packed: bytes, length: int, request: int = 0) -> bytes:
    """An entry of ADDRESS_ASSIGN or ADDRESS_REQUEST."""
    return encode_uint_var(request) + bytes([family]) + packed + bytes([length])


def inner(source: str, to: str, payload: bytes) -> bytes:
    """A UDP packet, to port 9."""
    udp = struct.pack("!HHHH", 9, 9, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source), socket.inet_aton(to))  # fmt: skip
    pairs = struct.unpack("!10H", head)
    total = sum(pairs)
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:] + udp


class _Quic(Quic):
    """May be told to leave out what RFC 9000 asks of it, from the end of the handshake on."""

    acknowledges = True
    grants = True
    talks = False  # also without a reason

    def _write_ack_frame(self, builder: Any, space: Any, now: float) -> None:
        if self.acknowledges or space is not self._spaces[Epoch.ONE_RTT]:
            super()._write_ack_frame(builder, space, now)
        else:
            space.ack_at = None

    def _write_connection_limits(self, builder: Any, space: Any) -> None:
        if self.grants:
            super()._write_connection_limits(builder=builder, space=space)

    def _write_stream_limits(self, builder: Any, space: Any, stream: Any) -> None:
        if self.grants:
            super()._write_stream_limits(builder=builder, space=space, stream=stream)


class _H3(H3Connection):
    """With datagrams and without WebTransport."""

    def _get_local_settings(self) -> dict[int, int]:
        return {**super()._get_local_settings(), Setting.H3_DATAGRAM: 1}


class Rude:
    """One end. manners: what it leaves out (attributes of _Quic); window: bytes that it takes."""

    def __init__(self, space: Space, at: tuple[str, int], identity: Identity, folder: Path) -> None:
        self.lock = threading.RLock()
        self.sock = space.udp(*at)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.identity, self.folder = identity, folder
        self.talked = 0.0
        self.asks = True  # for the tunnel
        self.manners: dict[str, bool] = {}
        self.window = 1 << 20
        self.quic: _Quic | None = None
        self.h3: _H3 | None = None
        self.stream: int | None = None  # of the request
        self.status = b""
        self.statuses: list[bytes] = []  # all of them
        self.asked = 0  # requests
        self.answers = True  # them
        self.ended: list[ConnectionTerminated] = []
        self.got = b""
        self.on_open: Callable[[], None] = lambda: None
        self.going, self.serves = True, False
        self.thread = threading.Thread(target=self._go, daemon=True)

    def configuration(self, *, client: bool) -> QuicConfiguration:
        made = QuicConfiguration(
            is_client=client,
            alpn_protocols=["h3"],
            server_name="edge.mesh",
            verify_mode=ssl.CERT_NONE,
            max_datagram_frame_size=65535,
            connection_id_length=CID,
            max_data=self.window,
            max_stream_data=self.window,
        )
        crt, key = self.folder / f"{self.identity.name}.crt", self.folder / f"{self.identity.name}.key"
        made.load_cert_chain(crt, key)
        return made

    def _made(self, quic: _Quic) -> None:
        for name, value in self.manners.items():
            setattr(quic, name, value)
        self.quic, self.h3, self.stream, self.status = quic, None, None, b""

    # A client.

    def dial(self, remote: tuple[str, int]) -> Rude:
        self._made(_Quic(configuration=self.configuration(client=True)))
        assert self.quic
        self.quic.connect(remote, now=time.monotonic())
        self.thread.start()
        return self

    def _ask(self) -> None:
        assert self.quic and self.h3
        self.stream = self._request()

    def _request(self, *, ends: bool = False) -> int:
        assert self.quic and self.h3
        stream = self.quic.get_next_available_stream_id()
        fields = {":method": "CONNECT", ":protocol": "connect-ip", ":scheme": "https",
                  ":authority": "edge.mesh", ":path": PATH, "capsule-protocol": "?1"}  # fmt: skip
        self.h3.send_headers(stream, [(n.encode(), v.encode()) for n, v in fields.items()], end_stream=ends)
        return stream

    def ask_more(self, times: int) -> None:
        """For tunnels beside the one that there is."""
        with self.lock:
            for _ in range(times):
                self._request(ends=True)

    # A proxy.

    def serve(self) -> Rude:
        self.serves = True
        self.thread.start()
        return self

    def _accept(self, data: bytes) -> None:
        """Whoever comes with an Initial has the next connection; the former one is forgotten."""
        header = pull_quic_header(Buffer(data=data), host_cid_length=CID)
        known = self.quic and any(c.cid == header.destination_cid for c in self.quic._host_cids)
        if known or len(data) < 1200 or not data[0] & 0x80 or (data[0] & 0x30) != 0:
            return
        if self.quic and header.destination_cid == self.quic.original_destination_connection_id:
            return
        self._made(
            _Quic(
                configuration=self.configuration(client=False),
                original_destination_connection_id=header.destination_cid,
            )
        )

    def _answer(self, stream: int) -> None:
        assert self.h3
        self.asked += 1
        self.stream = stream
        if not self.answers:
            return
        self.h3.send_headers(stream, [(b":status", b"200"), (b"capsule-protocol", b"?1")])
        self.status = b"200"
        self.on_open()

    # Both.

    def _go(self) -> None:
        while self.going:
            with self.lock:
                wait = self._turn()
            select.select([self.sock], [], [], wait)

    def _receive(self) -> None:
        for _ in range(256):
            try:
                data, remote = self.sock.recvfrom(65536)
            except (BlockingIOError, ConnectionError):
                return
            if self.serves:
                self._accept(data)
            if self.quic:
                self.quic.receive_datagram(data, remote, time.monotonic())

    def _turn(self) -> float:
        """The time until the next one."""
        self._receive()
        if not self.quic:
            return 0.01
        now = time.monotonic()
        if self.quic.talks and now >= self.talked + TALK_S:
            self.talked = now
            self.quic.send_ping(0)
        timer = self.quic.get_timer()
        if timer is not None and timer <= now:
            self.quic.handle_timer(now)
        while event := self.quic.next_event():
            if isinstance(event, ProtocolNegotiated):
                self.h3 = _H3(self.quic)
                if self.asks and self.quic.configuration.is_client:
                    self._ask()
            elif isinstance(event, ConnectionTerminated):
                self.ended.append(event)
            if self.h3:
                for told in self.h3.handle_event(event):
                    self._told(told)
        for data, remote in self.quic.datagrams_to_send(time.monotonic()):
            try:
                self.sock.sendto(data, remote)
            except OSError:
                break  # full: it is lost
        timer = self.quic.get_timer()
        return 0.01 if timer is None else max(0.0, min(0.01, timer - time.monotonic()))

    def _told(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            fields = dict(event.headers)
            if b":status" in fields:
                self.status = fields[b":status"]
                self.statuses.append(self.status)
                self.on_open()
            elif fields.get(b":protocol") == b"connect-ip":
                self._answer(event.stream_id)
        elif isinstance(event, DataReceived) and event.stream_id == self.stream:
            self.got += event.data

    def opened(self) -> Rude:
        poll("open", lambda: self.status == b"200")
        return self

    def send(self, data: bytes) -> None:
        """Capsules, or a part of one."""
        with self.lock:
            assert self.h3 and self.stream is not None
            self.h3.send_data(self.stream, data, end_stream=False)

    def waiting(self) -> int:
        """Bytes of ours that wait for the peer."""
        with self.lock:
            if not self.quic or self.stream is None or self.stream not in self.quic._streams:
                return 0
            sender = self.quic._streams[self.stream].sender
            return sender._buffer_stop - sender._buffer_start

    def wait_taken(self) -> None:
        """Until the peer has all of it, however long that takes as long as it goes on."""
        while left := self.waiting():
            poll("more of it", lambda n=left: self.waiting() < n)

    def packets(self, *packets: bytes) -> None:
        with self.lock:
            assert self.h3 and self.stream is not None
            for packet in packets:
                self.h3.send_datagram(self.stream, b"\0" + packet)

    def leave(self) -> None:
        """In order, for once."""
        with self.lock:
            assert self.quic
            self.quic.close()

    def close(self) -> None:
        self.going = False
        if self.thread.ident:
            self.thread.join()
        self.sock.close()
