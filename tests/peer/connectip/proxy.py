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
    QuicPacketType,
    encode_quic_retry,
    encode_quic_version_negotiation,
    pull_quic_header,
)

from connectip import capsule
from connectip.driver import Driver
from connectip.http3 import PROXY_SETTINGS
from connectip.link import Link, Request
from lenient import Quic


class _Quic(Quic):
    """A server that asks for the client's certificate."""

    def _initialize(self, peer_cid: bytes) -> None:
        super()._initialize(peer_cid)
        self.tls._request_client_certificate = True


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
        quic = _Quic(
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
