# SPDX-License-Identifier: Apache-2.0
"""Capsules (RFC 9297 3.2) and the three of RFC 9484 4.7. What comes in is read strictly; what goes
out may be as wrong as a test wants it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aioquic.buffer import Buffer, BufferReadError, encode_uint_var

DATAGRAM, ADDRESS_ASSIGN, ADDRESS_REQUEST, ROUTE_ADVERTISEMENT = 0, 1, 2, 3

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Capsule:
    type: int
    value: bytes

    def encode(self) -> bytes:
        return encode_uint_var(self.type) + encode_uint_var(len(self.value)) + self.value


@dataclass(frozen=True)
class Address:
    """One of ADDRESS_ASSIGN or ADDRESS_REQUEST."""

    request: int
    prefix: IpNetwork

    @property
    def refused(self) -> bool:
        """0.0.0.0/32 and ::/128 (RFC 9484 4.7.2)."""
        return self.prefix.num_addresses == 1 and int(self.prefix.network_address) == 0


@dataclass(frozen=True)
class Range:
    """One of ROUTE_ADVERTISEMENT."""

    start: IpAddress
    end: IpAddress
    protocol: int = 0


class Reader:
    """Bytes of a data stream become capsules, however they are cut."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[Capsule]:
        self.rest += data
        while True:
            buf = Buffer(data=self.rest)
            try:
                capsule = Capsule(buf.pull_uint_var(), buf.pull_bytes(buf.pull_uint_var()))
            except BufferReadError:
                return
            self.rest = self.rest[buf.tell() :]
            yield capsule


def _pull_address(buf: Buffer, version: int) -> IpAddress:
    assert version in (4, 6), f"IP version {version}"
    return ipaddress.ip_address(buf.pull_bytes(4 if version == 4 else 16))


def read_addresses(value: bytes) -> list[Address]:
    """Of ADDRESS_ASSIGN or ADDRESS_REQUEST; an error where RFC 9484 calls it malformed."""
    buf, found = Buffer(data=value), []
    while not buf.eof():
        request = buf.pull_uint_var()
        address = _pull_address(buf, buf.pull_uint8())
        found.append(Address(request, ipaddress.ip_network((address, buf.pull_uint8()))))
    return found


def read_ranges(value: bytes) -> list[Range]:
    """Of ROUTE_ADVERTISEMENT, and in the order of RFC 9484 4.7.3."""
    buf, found = Buffer(data=value), []
    while not buf.eof():
        version = buf.pull_uint8()
        start, end = _pull_address(buf, version), _pull_address(buf, version)
        found.append(Range(start, end, buf.pull_uint8()))
    for one in found:
        assert int(one.start) <= int(one.end), one
    for a, b in zip(found, found[1:], strict=False):
        first, second = (a.start.version, a.protocol), (b.start.version, b.protocol)
        assert first <= second, f"order: {a} {b}"
        assert first != second or int(a.end) < int(b.start), f"overlap: {a} {b}"
    for a in found:
        for b in found:
            if a.protocol == 0 and b.protocol != 0 and a.start.version == b.start.version:
                assert int(a.end) < int(b.start) or int(b.end) < int(a.start), f"{a} {b}"
    return found


def address(request: int, prefix: str) -> bytes:
    """One entry as bytes; host bits are sent as given."""
    interface = ipaddress.ip_interface(prefix)
    length = interface.network.prefixlen
    return encode_uint_var(request) + bytes([interface.version]) + interface.ip.packed + bytes([length])


def assign(*entries: tuple[int, str]) -> Capsule:
    return Capsule(ADDRESS_ASSIGN, b"".join(address(*e) for e in entries))


def request(*entries: tuple[int, str]) -> Capsule:
    return Capsule(ADDRESS_REQUEST, b"".join(address(*e) for e in entries))


def route(start: str, end: str, protocol: int = 0) -> bytes:
    first, last = ipaddress.ip_address(start), ipaddress.ip_address(end)
    return bytes([first.version]) + first.packed + last.packed + bytes([protocol])


def routes(*networks: str) -> Capsule:
    """Whole networks, in the order that the RFC wants."""
    return advertise((str(n[0]), str(n[-1]), 0) for n in _sorted(networks))


def advertise(ranges: Iterable[tuple[str, str, int]]) -> Capsule:
    """In the order as given."""
    return Capsule(ROUTE_ADVERTISEMENT, b"".join(route(*r) for r in ranges))


def _sorted(networks: Iterable[str]) -> list[IpNetwork]:
    return sorted(map(ipaddress.ip_network, networks), key=lambda n: (n.version, int(n[0])))
