#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills conntrack with connections of strangers, assured ones, which the kernel does not evict.

Messages of nfnetlink, many at a time and without acknowledgement: conntrack(8) takes ten times as
long. Ends when the table says that it is full.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

NETLINK_NETFILTER = 12
NEW = 1 << 8  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
FLAGS = 0x401  # NLM_F_REQUEST | NLM_F_CREATE
NESTED = 1 << 15
# enum ctattr_type, ctattr_tuple, ctattr_ip, ctattr_l4proto of linux/netfilter
ORIG, REPLY, STATUS, TIMEOUT = 1, 2, 3, 7
IP, PROTO = 1, 2
SOURCE, DESTINATION = 1, 2
NUMBER, SOURCE_PORT, DESTINATION_PORT = 1, 2, 3
SEEN_REPLY_ASSURED_CONFIRMED = 0x2 | 0x4 | 0x8
PEER = socket.inet_aton("192.0.2.1")
BATCH = 100
MAX = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def attribute(kind: int, data: bytes) -> bytes:
    """struct nlattr and its padding; the lengths here are multiples of four or padded."""
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def one_way(source: bytes, destination: bytes, ports: tuple[int, int]) -> bytes:
    """A tuple: addresses, UDP, ports."""
    addresses = attribute(SOURCE, source) + attribute(DESTINATION, destination)
    proto = (
        attribute(NUMBER, b"\x11")
        + attribute(SOURCE_PORT, struct.pack(">H", ports[0]))
        + attribute(DESTINATION_PORT, struct.pack(">H", ports[1]))
    )
    return attribute(IP | NESTED, addresses) + attribute(PROTO | NESTED, proto)


def message(number: int) -> bytes:
    """One entry for ten minutes."""
    address = struct.pack(">I", 0x0A640000 + number)
    body = (
        struct.pack(">BBH", socket.AF_INET, 0, 0)
        + attribute(ORIG | NESTED, one_way(address, PEER, (1, 2)))
        + attribute(REPLY | NESTED, one_way(PEER, address, (2, 1)))
        + attribute(STATUS, struct.pack(">I", SEEN_REPLY_ASSURED_CONFIRMED))
        + attribute(TIMEOUT, struct.pack(">I", 600))
    )
    return struct.pack("=IHHII", len(body) + 16, NEW, FLAGS, 0, 0) + body


def main() -> None:
    """As many as there is room for, and some."""
    count = int(MAX.read_text(encoding="ascii")) + 2 * BATCH
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        for first in range(0, count, BATCH):
            sock.send(b"".join(message(first + i) for i in range(BATCH)))


if __name__ == "__main__":
    main()
