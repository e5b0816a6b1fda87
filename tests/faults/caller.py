#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The caller of a case: runs in a node of the mesh and tries a flow when it is told to.

One JSON object a line on standard input, one answer a line on standard output:

    {"op": "try", "flow": {…}, "limit": 0.8}
        one attempt; {"ok": true, "how": "answered", …}
    {"op": "repeat", "flow": {…}, "limit": 3.2, "every": 0.5}
        attempts of their own, side by side, as a Worker's retries are; "stop" ends them and tells
        how many there were and how they ended
    {"op": "hold", "flow": {…}, "count": 4}
        connections that stay open until "release", as many as can be had

A flow: proto (tcp, http, https, udp, icmp), address, port, path, host, source, source_port, size.
`tcp` is a request of HTTP as well: a connection that carries nothing proves little.
"""

from __future__ import annotations

import collections
import errno
import http.client
import itertools
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from typing import Any

Flow = dict[str, Any]
SEQUENCE = itertools.count(1)


def family(flow: Flow) -> socket.AddressFamily:
    """By its address."""
    return socket.AF_INET6 if ":" in flow["address"] else socket.AF_INET


def tls(flow: Flow) -> ssl.SSLContext:
    """As a Worker's: certificates count."""
    return ssl.create_default_context(cafile=flow.get("ca"))


def opened(flow: Flow, limit: float) -> socket.socket:
    """A connection, in TLS or not."""
    source = (flow.get("source", ""), flow.get("source_port", 0))
    sock = socket.create_connection(
        (flow["address"], flow["port"]), limit, source if any(source) else None
    )
    if flow["proto"] == "https":
        return tls(flow).wrap_socket(sock, server_hostname=flow.get("host") or flow["address"])
    return sock


def request(flow: Flow, limit: float) -> dict[str, Any]:
    """One request of HTTP, and its whole answer."""
    connection = http.client.HTTPConnection("x")
    with opened(flow, limit) as connection.sock:
        host = flow.get("host") or flow["address"]
        body = b"x" * flow.get("size", 0)
        connection.request(
            "PUT" if body else "GET", flow.get("path", "/"), body or None,
            {"Host": host, "Connection": "close"},
        )  # fmt: skip
        answer = connection.getresponse()
        length = len(answer.read())
    return {"ok": answer.status == 200, "how": f"status {answer.status}", "bytes": length}


def datagram(flow: Flow, limit: float) -> dict[str, Any]:
    """One datagram and its answer; the error that answers it, too."""
    with socket.socket(family(flow), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(limit)
        sock.bind((flow.get("source", ""), flow.get("source_port", 0)))
        sock.connect((flow["address"], flow["port"]))
        sock.send(b"x" * flow.get("size", 5))
        return {"ok": True, "how": "answered", "bytes": len(sock.recv(1 << 16))}


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(flow: Flow, limit: float) -> dict[str, Any]:
    """One echo request; its identity is its number. For IPv6 the kernel does the checksum."""
    ours, six = next(SEQUENCE), family(flow) == socket.AF_INET6
    ask, reply = (128, 129) if six else (8, 0)
    identity = struct.pack("!HH", os.getpid() & 0xFFFF, ours & 0xFFFF)
    body = b"m" * (flow.get("size", 56) // 2 * 2)
    head = struct.pack("!BBH", ask, 0, 0) + identity
    if not six:
        head = struct.pack("!BBH", ask, 0, checksum(head + body)) + identity
    proto = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    with socket.socket(family(flow), socket.SOCK_RAW, proto) as sock:
        sock.bind((flow.get("source", ""), 0))
        sock.sendto(head + body, (flow["address"], 0))
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            packet = sock.recv(1 << 16)
            icmp = packet if six else packet[(packet[0] & 15) * 4 :]
            if icmp[0] == reply and icmp[4:8] == identity:
                return {"ok": True, "how": "answered", "bytes": len(icmp)}
            # Type 3 or 11, about one of ours.
            if icmp[0] in ((1, 3) if six else (3, 11)) and identity in icmp:
                return {"ok": False, "how": f"icmp {icmp[0]}/{icmp[1]}"}
    raise TimeoutError


WAYS = {"tcp": request, "http": request, "https": request, "udp": datagram, "icmp": echo}


def attempt(flow: Flow, limit: float) -> dict[str, Any]:
    """How it ended, whatever that was, and after how long."""
    begin = time.monotonic()
    try:
        result = WAYS[flow["proto"]](flow, limit)
    except TimeoutError:
        result = {"ok": False, "how": "silent"}
    except ssl.SSLError as error:
        result = {"ok": False, "how": f"tls: {error.reason or error}"}
    except http.client.HTTPException as error:
        result = {"ok": False, "how": f"http: {type(error).__name__}"}
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, str(error))
        result = {"ok": False, "how": code}
    return {**result, "ms": round((time.monotonic() - begin) * 1000)}


class Repeater:
    """Attempts, each in a thread of its own, until it is stopped."""

    def __init__(self, flow: Flow, limit: float, every: float) -> None:
        self._flow, self._limit, self._every = flow, limit, every
        self._over = threading.Event()
        self._ended: collections.Counter[str] = collections.Counter()
        self._good = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _one(self) -> None:
        result = attempt(self._flow, self._limit)
        self._ended[result["how"]] += 1
        self._good += result["ok"]

    def _run(self) -> None:
        while not self._over.is_set():
            threading.Thread(target=self._one, daemon=True).start()
            self._over.wait(self._every)

    def stop(self) -> dict[str, Any]:
        """What came of those that have ended."""
        self._over.set()
        return {"attempts": sum(self._ended.values()), "good": self._good, "ended": self._ended}


def hold(flow: Flow, count: int) -> list[socket.socket]:
    """As many as can be had, up to that."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            held.append(opened(flow, 1))
    except OSError:
        pass
    return held


def main() -> None:
    """Until standard input ends."""
    repeaters: list[Repeater] = []
    held: list[socket.socket] = []
    for line in sys.stdin:
        ask = json.loads(line)
        answer: Any = {}
        match ask.pop("op"):
            case "try":
                answer = attempt(**ask)
            case "repeat":
                repeaters.append(Repeater(**ask))
            case "stop":
                answer = [repeater.stop() for repeater in repeaters]
                repeaters.clear()
            case "hold":
                held += hold(**ask)
            case "release":
                while held:
                    held.pop().close()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
