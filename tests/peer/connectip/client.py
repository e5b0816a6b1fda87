# SPDX-License-Identifier: Apache-2.0
"""The client of an IP proxy (RFC 9484 4)."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from typing import Any

from aioquic.h3.connection import Setting
from aioquic.quic.configuration import QuicConfiguration

from connectip.driver import Driver
from connectip.http3 import CLIENT_SETTINGS
from connectip.link import Link, Request
from connectip.template import expand
from lenient import Quic

# Room for 1280 bytes of IP and 51 of overhead (RFC 9484 7.2).
DATAGRAM_SIZE = 1400
MAX_FRAME = 65535  # what RFC 9221 3 recommends


def configure(folder: Path, name: str, **other: Any) -> QuicConfiguration:
    """For either end; the certificate is NAME.crt."""
    made = QuicConfiguration(
        **{
            "alpn_protocols": ["h3"],
            "max_datagram_frame_size": MAX_FRAME,
            "max_datagram_size": DATAGRAM_SIZE,
            "verify_mode": ssl.CERT_NONE,  # by pin: Link.pin
            **other,
        }
    )
    made.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return made


class Client(Driver):
    def __init__(
        self,
        sock: socket.socket,
        configuration: QuicConfiguration,
        settings: dict[int, int] | None = CLIENT_SETTINGS,  # type: ignore[assignment]
        **other: Any,
    ) -> None:
        super().__init__(sock)
        self.link = Link(Quic(configuration=configuration, **other), settings)

    @property
    def links(self) -> list[Link]:
        return [self.link]

    def received(self, data: bytes, address: Any) -> None:
        if self._is_reset(data):
            self.heard.append(data)
            return
        self.link.quic.receive_datagram(data, address[:2], time.monotonic())
        self.link.take_events()

    def _is_reset(self, data: bytes) -> bool:
        """RFC 9000 10.3.1; aioquic does not look."""
        quic = self.link.quic
        tokens = [c.stateless_reset_token for c in (quic._peer_cid, *quic._peer_cid_available)]
        return len(data) >= 21 and data[-16:] in [t for t in tokens if t]

    def connect(self, address: str, port: int = 443) -> Link:
        """Until SETTINGS allow what we are going to do (RFC 9220 3, RFC 9297 2.1.1)."""
        self.start(address, port)
        self.until("settings", lambda: self.link.http.theirs or self.link.closed)
        assert not self.link.closed, self.link.closed
        theirs = self.link.http.theirs or {}
        assert theirs.get(Setting.ENABLE_CONNECT_PROTOCOL) == 1, theirs
        assert theirs.get(Setting.H3_DATAGRAM) == 1, theirs
        return self.link

    def start(self, address: str, port: int = 443) -> None:
        self.link.quic.connect((address, port), time.monotonic())

    def open(self, template: str, target: str = "*", ipproto: str = "*", **other: str) -> Request:
        """A request, and until it is answered."""
        request = self.link.reserve()
        self.ask(request, template, target, ipproto, **other)
        self.until("answer", lambda: request.status or request.aborted is not None or self.link.closed)
        return request

    def ask(
        self, request: Request, template: str, target: str = "*", ipproto: str = "*", **other: str
    ) -> None:
        """The request itself; its answer comes later."""
        made = headers(template, target, ipproto, **other)
        pairs = [(k.encode(), v.encode()) for k, v in made.items()]
        self.link.http.send_headers(request.stream, pairs)

    def close(self, error: int = 0x100) -> None:
        self.link.quic.close(error)
        self.send()
        self.sock.close()


def headers(template: str, target: str = "*", ipproto: str = "*", **other: str) -> dict[str, str]:
    """Of RFC 9484 4.4, for an absolute template; `other` replaces them (`_method` is `:method`)."""
    uri = expand(template, target, ipproto)
    scheme, rest = uri.split("://")
    authority, slash, path = rest.partition("/")
    made = {
        ":method": "CONNECT",
        ":protocol": "connect-ip",
        ":scheme": scheme,
        ":authority": authority,
        ":path": slash + path,
        "capsule-protocol": "?1",
    }
    for name, value in other.items():
        made[name.replace("_", ":", 1) if name.startswith("_") else name.replace("_", "-")] = value
    return {k: v for k, v in made.items() if v}
