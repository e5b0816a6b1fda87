# SPDX-License-Identifier: Apache-2.0
"""Datagrams that look more or less like the beginning of a connection, by the thousand."""

from __future__ import annotations

import ctypes
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


def from_elsewhere(payload: bytes, to: tuple[str, int], host: bytes | None = None) -> bytes:
    """An IPv4 packet from a source that nobody has."""
    source = bytes([198, 18]) + (host or os.urandom(2))  # RFC 2544: a network of tests
    port = 4433 if host else 1024 + os.urandom(1)[0]
    udp = struct.pack("!HHHH", port, to[1], 8 + len(payload), 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, socket.IPPROTO_UDP, 0,
                       source, socket.inet_aton(to[0]))  # fmt: skip
    return head + udp + payload


class _Io(ctypes.Structure):
    """struct iovec"""

    _fields_ = (("base", ctypes.c_char_p), ("size", ctypes.c_size_t))


class _Head(ctypes.Structure):
    """struct msghdr"""

    _fields_ = (
        ("name", ctypes.c_char_p), ("name_size", ctypes.c_uint32), ("io", ctypes.POINTER(_Io)),
        ("ios", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )  # fmt: skip


class _Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = (("head", _Head), ("sent", ctypes.c_uint))


_sendmmsg = ctypes.CDLL(None).sendmmsg


class _Volley:
    """Datagrams as sendmmsg(2) wants them: one call sends many, and holds up no other thread."""

    def __init__(self, packets: list[bytes], to: tuple[str, int]) -> None:
        family = struct.pack("=H", socket.AF_INET)
        self.name = family + struct.pack("!H4s8x", to[1], socket.inet_aton(to[0]))
        self.pieces = [_Io(p, len(p)) for p in packets]
        heads = (_Head(self.name, len(self.name), ctypes.pointer(p), 1) for p in self.pieces)
        self.messages = (_Message * len(packets))(*(_Message(h) for h in heads))

    def fire(self, sock: socket.socket, at: int, n: int) -> None:
        """So many, from this place on; the kernel may refuse some."""
        n = min(n, len(self.messages) - at)
        _sendmmsg(sock.fileno(), ctypes.byref(self.messages[at]), n, 0)


class Gun:
    """Fires at an end of a tunnel, from an address of the space or from those that nobody has."""

    def __init__(
        self, space: Space, *, spoofed: bool, source: str = GATEWAY, to: tuple[str, int] = (EDGE, PORT)
    ) -> None:
        self.spoofed, self.to = spoofed, to
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
            self.sock.sendto(from_elsewhere(packet, self.to, host), (self.to[0], 0))

    @contextmanager
    def firing(self, packets: list[bytes], rate: int) -> Iterator[None]:
        """All of them again and again, at so many a second."""
        shots = [from_elsewhere(p, self.to) for p in packets] if self.spoofed else packets
        volley = _Volley(shots, (self.to[0], 0) if self.spoofed else self.to)
        stop = threading.Event()
        thread = threading.Thread(target=self._fire, args=(volley, rate, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.sock.close()

    def _fire(self, volley: _Volley, rate: int, stop: threading.Event) -> None:
        due = time.monotonic()
        for at in itertools.cycle(range(0, len(volley.messages), BURST)):
            if stop.is_set():
                return
            volley.fire(self.sock, at, BURST)
            # Who was held up for long does not make up for it: that would be another rate.
            due = max(due + BURST / rate, time.monotonic() - HELD_UP_S)
            time.sleep(max(0.0, due - time.monotonic()))
