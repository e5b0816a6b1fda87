# SPDX-License-Identifier: Apache-2.0
"""An IP proxy (RFC 9484 4.1): as many connections as come, each with its requests."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

from aioquic.buffer import Buffer
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import (
    QuicFrameType,
    QuicPacketType,
    encode_quic_retry,
    encode_quic_version_negotiation,
    pull_quic_header,
)
from aioquic.quic.packet_builder import QuicPacketBuilder
from aioquic.tls import ClientHello, SessionTicket, pull_client_hello

from connectip import capsule
from connectip.driver import Driver
from connectip.http3 import PROXY_SETTINGS
from connectip.link import Link, Request
from lenient import Quic


Tickets = dict[bytes, SessionTicket]


class ServerQuic(Quic):
    """A server that asks for the client's certificate. It gives a token and tickets, if it has any."""

    def __init__(self, *, tickets: Tickets | None, token: bytes, **other: Any) -> None:
        if tickets is not None:
            other["session_ticket_handler"] = lambda t: tickets.update({t.ticket: t})
            other["session_ticket_fetcher"] = self._fetch
        super().__init__(**other)
        self.tickets, self.token = {} if tickets is None else tickets, token
        self.hello: ClientHello | None = None

    def _initialize(self, peer_cid: bytes) -> None:
        super()._initialize(peer_cid)
        self.tls._request_client_certificate = True
        handle = self.tls._server_handle_hello

        def look(data: Buffer, *others: Buffer) -> None:
            begin = data.tell()
            self.hello = pull_client_hello(data)
            data.seek(begin)
            handle(data, *others)

        setattr(self.tls, "_server_handle_hello", look)

    def _fetch(self, ticket: bytes) -> SessionTicket | None:
        """Who comes with one is asked for no certificate (RFC 8446 4.3.2); aioquic would wait for it."""
        found = self.tickets.pop(ticket, None)
        self.tls._request_client_certificate = found is None
        return found

    def _write_handshake_done_frame(self, builder: QuicPacketBuilder) -> None:
        """And NEW_TOKEN, which aioquic's servers do not send."""
        super()._write_handshake_done_frame(builder)
        if self.token:
            frame = builder.start_frame(QuicFrameType.NEW_TOKEN, capacity=3 + len(self.token))
            frame.push_uint_var(len(self.token))
            frame.push_bytes(self.token)


class Proxy(Driver):
    """`answer` is called for each request; the default opens it and gives what `addresses` and
    `networks` say."""

    def __init__(
        self,
        sock: socket.socket,
        configuration: QuicConfiguration,
        settings: dict[int, int] | None = PROXY_SETTINGS,  # type: ignore[assignment]
    ) -> None:
        super().__init__(sock)
        configuration.is_client = False
        self.configuration, self.settings = configuration, settings
        self.connections: list[Link] = []
        self.requests: list[Request] = []
        self.addresses: list[str] = []
        self.networks: list[str] = []
        self.answer: Callable[[Request], None] = self.accept
        self.tickets: Tickets | None = None  # sessions to be resumed; None: there are none
        self.token = b""  # for NEW_TOKEN
        self.tokens: list[bytes] = []  # those of the Initials that began connections
        self.retry = False
        self.retried: dict[bytes, tuple[bytes, bytes]] = {}

    @property
    def links(self) -> list[Link]:
        return self.connections

    def accept(self, request: Request) -> None:
        request.link.answer(request, 200, capsule_protocol="?1")
        request.send(
            capsule.assign(*((0, a) for a in self.addresses)), capsule.routes(*self.networks)
        )

    def wait_request(self, number: int = 1) -> Request:
        """The so-manieth."""
        self.until("request", lambda: len(self.requests) >= number)
        return self.requests[number - 1]

    def reset(self, link: Link) -> None:
        """As one that has forgotten the connection (RFC 9000 10.3)."""
        address = link.quic._network_paths[0].addr
        token = link.quic._host_cids[0].stateless_reset_token
        self.connections.remove(link)
        self.sock.sendto(b"\x40" + os.urandom(40) + token, address)

    def received(self, data: bytes, address: Any) -> None:
        try:
            header = pull_quic_header(Buffer(data=data), host_cid_length=8)
        except ValueError:
            return
        link = self._find(header.destination_cid)
        if link is None and header.packet_type == QuicPacketType.INITIAL:
            link = self._begin(header, address)
        if link is None:
            self.heard.append(data)
            return
        link.quic.receive_datagram(data, address[:2], time.monotonic())
        link.take_events()

    def _find(self, cid: bytes) -> Link | None:
        for link in reversed(self.connections):
            known = {c.cid for c in link.quic._host_cids}
            if cid in known | {link.quic.original_destination_connection_id}:
                return link
        return None

    def _begin(self, header: Any, address: Any) -> Link | None:
        if header.version not in self.configuration.supported_versions:
            self.sock.sendto(self._negotiate(header), address)
            return None
        original, source = header.destination_cid, None
        if self.retry:
            if header.token not in self.retried:
                self.sock.sendto(self._ask_again(header), address)
                return None
            original, source = self.retried[header.token]
        self.tokens.append(header.token)
        quic = ServerQuic(
            tickets=self.tickets,
            token=self.token,
            configuration=self.configuration,
            original_destination_connection_id=original,
            retry_source_connection_id=source,
        )
        link = Link(quic, self.settings)
        link.arrived = self._arrived
        self.connections.append(link)
        return link

    def _arrived(self, request: Request) -> None:
        self.requests.append(request)
        self.answer(request)

    def _negotiate(self, header: Any) -> bytes:
        return encode_quic_version_negotiation(
            source_cid=header.destination_cid,
            destination_cid=header.source_cid,
            supported_versions=self.configuration.supported_versions,
        )

    def _ask_again(self, header: Any) -> bytes:
        """RFC 9000 8.1.2."""
        token, source = os.urandom(32), os.urandom(8)
        self.retried[token] = (header.destination_cid, source)
        return encode_quic_retry(
            version=header.version,
            source_cid=source,
            destination_cid=header.source_cid,
            original_destination_cid=header.destination_cid,
            retry_token=token,
        )

    def close(self) -> None:
        for link in self.connections:
            link.quic.close(0x100)
        self.send()
        self.sock.close()
