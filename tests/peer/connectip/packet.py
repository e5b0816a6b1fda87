# SPDX-License-Identifier: Apache-2.0
"""IP packets as bytes, and back: as much of them as the tests look at."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
ECHO, REPLY, ECHO6, REPLY6 = 8, 0, 128, 129
UNREACHABLE, UNREACHABLE6, TOO_BIG6 = 3, 1, 2
TOO_BIG_CODE = 4  # of UNREACHABLE: fragmentation needed (RFC 792, RFC 1191)


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True)
class Packet:
    """What a test asks of a packet."""

    version: int
    source: str
    target: str
    protocol: int
    hops: int
    payload: bytes

    @property
    def icmp(self) -> tuple[int, int] | None:
        """Type and code."""
        return (self.payload[0], self.payload[1]) if self.protocol in (ICMP, ICMP6) else None


def parse(data: bytes) -> Packet:
    """An error where lengths or the checksum are wrong."""
    if data[0] >> 4 == 4:
        header = (data[0] & 15) * 4
        assert checksum(data[:header]) == 0 and len(data) == struct.unpack("!H", data[2:4])[0]
        source, target = (str(ipaddress.IPv4Address(data[i : i + 4])) for i in (12, 16))
        return Packet(4, source, target, data[9], data[8], data[header:])
    assert data[0] >> 4 == 6 and len(data) == 40 + struct.unpack("!H", data[4:6])[0], data.hex()
    source, target = (str(ipaddress.IPv6Address(data[i : i + 16])) for i in (8, 24))
    return Packet(6, source, target, data[6], data[7], data[40:])


def build(source: str, target: str, protocol: int, payload: bytes, hops: int = 64) -> bytes:
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if a.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops)
        return head + a.packed + b.packed + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, hops, protocol, 0)
    head += a.packed + b.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def _summed(source: str, target: str, protocol: int, data: bytes, at: int) -> bytes:
    """With the checksum over pseudo header (RFC 8200 8.1, RFC 768) and data put in."""
    a, b = ipaddress.ip_address(source).packed, ipaddress.ip_address(target).packed
    pseudo = a + b + struct.pack("!IHBB", len(data), 0, 0, protocol)
    return data[:at] + struct.pack("!H", checksum(pseudo + data)) + data[at + 2 :]


def echo(source: str, target: str, sequence: int = 1, size: int = 56, hops: int = 64) -> bytes:
    """An echo request of either family."""
    body = struct.pack("!HHHH", 0, 0, 0x4D47, sequence) + bytes(i & 255 for i in range(size))
    if ":" in source:
        body = bytes([ECHO6]) + body[1:]
        return build(source, target, ICMP6, _summed(source, target, ICMP6, body, 2), hops)
    body = bytes([ECHO]) + body[1:]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return build(source, target, ICMP, body, hops)


def reply(data: bytes) -> bytes | None:
    """What a host answers to an echo request; None to everything else."""
    packet = parse(data)
    if packet.icmp not in ((ECHO, 0), (ECHO6, 0)):
        return None
    back, there = packet.target, packet.source
    rest = b"\0\0\0" + packet.payload[4:]
    if packet.version == 6:
        body = _summed(back, there, ICMP6, bytes([REPLY6]) + rest, 2)
        return build(back, there, ICMP6, body)
    body = bytes([REPLY]) + rest
    return build(back, there, ICMP, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def udp(source: str, target: str, data: bytes, ports: tuple[int, int] = (9, 9), hops: int = 64) -> bytes:
    body = struct.pack("!HHHH", *ports, 8 + len(data), 0) + data
    return build(source, target, UDP, _summed(source, target, UDP, body, 6), hops)
