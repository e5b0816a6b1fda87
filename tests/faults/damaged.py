#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""damaged.py SOURCE TARGET PORT: sends segments of TCP whose checksum is wrong, ten a second."""

from __future__ import annotations

import itertools
import socket
import struct
import sys
import time

SYN = 0x02
EVERY_S = 0.1


def main() -> None:
    """Until it is ended."""
    source, target, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as sock:
        sock.bind((source, 0))
        for number in itertools.count(20000):
            head = struct.pack(
                ">HHIIBBHHH", number % 40000 + 20000, port, number, 0, 5 << 4, SYN, 1024, 0xDEAD, 0
            )
            sock.sendto(head, (target, 0))
            time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
