# SPDX-License-Identifier: Apache-2.0
"""Datagrams that look more or less like the beginning of a connection, by the thousand."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.crypto import CryptoPair
from aioquic.quic.packet import QuicProtocolVersion

from world import EDGE, GATEWAY, Space

V1 = int(QuicProtocolVersion.VERSION_1)
LEAST = 1200  # RFC 9000 14.1
ROOM = LEAST - 22 - 16  # for the payload, with _initials()'s head and the tag
PORT = 443
BURST = 100
HELD_UP_S = 0.1


def _hello() -> bytes:
    """The payload of an Initial: a CRYPTO frame with a ClientHello that is in order."""
    client = QuicConnection(
        configuration=QuicConfiguration(alpn_protocols=["h3"], server_name="edge.mesh")
    )
    client.connect((EDGE, PORT), now=0.0)
    stream = next(iter(client._crypto_streams.values()))
    data = bytes(stream.sender._buffer)
    return b"\x06\0" + struct.pack("!H", 0x4000 | len(data)) + data


HELLO = _hello()


def _initials(payloads: list[bytes], version: int = V1) -> list[bytes]:
    """With a Destination Connection ID of their own, and whatever that protects in order."""
    dcid = os.urandom(8)
    pair = CryptoPair()
    pair.setup_initial(dcid, is_client=True, version=V1)
    packets = []
    for number, payload in enumerate(payloads):
        full = payload.ljust(ROOM, b"\0")
        head = b"\xc3" + struct.pack("!IB", version, 8) + dcid + b"\0\0"
        head += struct.pack("!HI", 0x4000 | (4 + len(full) + 16), number)
        packets.append(pair.encrypt_packet(head, full, number))
    return packets


def whole(version: int = V1) -> bytes:
    """One that begins a handshake."""
    return _initials([HELLO], version)[0]


def _crypto(offset: int, data: bytes) -> bytes:
    return b"\x06" + struct.pack("!HH", 0x4000 | offset, 0x4000 | len(data)) + data


def torn(packets: int, claim: int) -> list[bytes]:
    """A handshake whose first message says it had `claim` bytes. Behind its head every second one
    follows, in a frame of its own: each leaves a gap for the other side to remember."""
    payloads = [_crypto(0, b"\x01" + claim.to_bytes(3))]
    offsets = itertools.count(5, 2)
    piece = len(_crypto(0, b"x"))
    while len(payloads) < packets:
        payloads.append(b"".join(_crypto(next(offsets), b"x") for _ in range(ROOM // piece)))
    return _initials(payloads)


def forged(version: int = V1) -> bytes:
    """A head, and behind it what no key opens."""
    return b"\xc3" + struct.pack("!IB", version, 8) + os.urandom(8) + b"\0\0" + os.urandom(LEAST - 16)


def garbage() -> bytes:
    return os.urandom(1 + os.urandom(1)[0] * 5)


def truncated() -> bytes:
    packet = forged()
    return packet[: int.from_bytes(os.urandom(2), "big") % LEAST]


def from_elsewhere(payload: bytes, edge: str, host: bytes | None = None) -> bytes:
    """An IPv4 packet to the edge from a source that nobody has."""
    source = bytes([198, 18]) + (host or os.urandom(2))  # RFC 2544: a network of tests
    port = 4433 if host else 1024 + os.urandom(1)[0]
    udp = struct.pack("!HHHH", port, PORT, 8 + len(payload), 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, socket.IPPROTO_UDP, 0,
                       source, socket.inet_aton(edge))  # fmt: skip
    return head + udp + payload


class Gun:
    """Fires at an edge, from an address of the space or from those that nobody has."""

    def __init__(
        self, space: Space, *, spoofed: bool, source: str = GATEWAY, edge: str = EDGE
    ) -> None:
        self.spoofed, self.edge = spoofed, edge
        with space:
            if spoofed:
                self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            else:
                self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.sock.bind((source, 0))

    def fire(self, packets: list[bytes], host: bytes) -> None:
        """Each once, spoofed, all of one caller."""
        assert self.spoofed
        for packet in packets:
            self.sock.sendto(from_elsewhere(packet, self.edge, host), (self.edge, 0))

    @contextmanager
    def firing(self, packets: list[bytes], rate: int) -> Iterator[None]:
        """All of them again and again, at so many a second."""
        stop = threading.Event()
        thread = threading.Thread(target=self._fire, args=(packets, rate, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.sock.close()

    def _fire(self, packets: list[bytes], rate: int, stop: threading.Event) -> None:
        due = time.monotonic()
        for n, packet in enumerate(itertools.cycle(packets)):
            if stop.is_set():
                return
            shot = from_elsewhere(packet, self.edge) if self.spoofed else packet
            self.sock.sendto(shot, (self.edge, 0 if self.spoofed else PORT))
            if n % BURST == 0:
                # Who was held up for long does not make up for it: that would be another rate.
                due = max(due + BURST / rate, time.monotonic() - HELD_UP_S)
                time.sleep(max(0.0, due - time.monotonic()))
