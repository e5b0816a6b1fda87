#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service that behaves as it is told: serve.py WAY PORT. Prints "ready" when it listens.

    http          answers every request
    silent        accepts, reads, never answers
    closes        closes at once when the request has come; resets: by RST
    slow          answers after 4 s
    backlog       never accepts, and its queue is full
    loopback      as http, on 127.0.0.1 and ::1 alone
    tls           as http, in TLS; expired, foreign: with another certificate; tls10: an old TLS
    udp           answers datagrams
    garbage       answers with what no protocol is
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TLS_RECORD = b"\x16"
SLOW_S = 4.0
PKI = Path("/run/faults")
TLS = {"tls": "good", "expired": "expired", "foreign": "foreign", "tls10": "good"}
OLD = ssl.TLSVersion.TLSv1_1


def answered(sock: socket.socket, data: bytes = ANSWER) -> None:
    """After a whole request; what is none is told so."""
    got = read(sock)
    if got:
        sock.sendall(BAD_REQUEST if got.startswith(TLS_RECORD) else data)


def read(sock: socket.socket) -> bytes:
    """A request, or what is none; nothing if the caller went."""
    got = b""
    while b"\r\n\r\n" not in got and not got.startswith(TLS_RECORD):
        more = sock.recv(1 << 16)
        if not more:
            return b""
        got += more
    return got


def silent(sock: socket.socket) -> None:
    """Until the caller goes."""
    while sock.recv(1 << 16):
        pass


def resets(sock: socket.socket) -> None:
    """An RST instead of a FIN."""
    read(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def slow(sock: socket.socket) -> None:
    """Later than anybody waits."""
    if read(sock):
        time.sleep(SLOW_S)
        sock.sendall(ANSWER)


WAYS: dict[str, Callable[[socket.socket], object]] = {
    "http": answered,
    "loopback": answered,
    "silent": silent,
    "closes": read,
    "resets": resets,
    "slow": slow,
    "garbage": lambda sock: answered(sock, b"\x00\x01\x02 220 hello\r\n"),
}


def listener(way: str, port: int, backlog: int = 128) -> list[socket.socket]:
    """For both families."""
    hosts = ("127.0.0.1", "::1") if way == "loopback" else ("0.0.0.0", "::")
    socks = []
    for host in hosts:
        six = ":" in host
        sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(backlog)
        socks.append(sock)
    return socks


def one(way: str, context: ssl.SSLContext | None, sock: socket.socket) -> None:
    """A connection; what goes wrong is the caller's affair."""
    try:
        with sock:
            if context:
                with context.wrap_socket(sock, server_side=True) as secured:
                    answered(secured)
            else:
                WAYS[way](sock)
    except OSError:
        pass


def accept(way: str, context: ssl.SSLContext | None, sock: socket.socket) -> None:
    """Connections, each in a thread."""
    while True:
        threading.Thread(target=one, args=(way, context, sock.accept()[0]), daemon=True).start()


def secured(way: str) -> ssl.SSLContext:
    """A server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = TLS[way]
    if way == "tls10":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = OLD
    context.load_cert_chain(PKI / f"{name}.crt", PKI / f"{name}.key")
    return context


def full(port: int) -> list[socket.socket]:
    """Listeners whose queues hold all that they can."""
    socks = listener("backlog", port, 0)
    filling = []
    for sock in socks:
        host = "::1" if sock.family == socket.AF_INET6 else "127.0.0.1"
        for _ in range(3):
            filler = socket.socket(sock.family)
            filler.setblocking(False)
            filler.connect_ex((host, port))
            filling.append(filler)
    return [*socks, *filling]


def datagrams(port: int) -> None:
    """Answers for ever."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind(("::", port))
    print("ready", flush=True)
    while True:
        _, address = sock.recvfrom(1 << 16)
        sock.sendto(b"ok", address)


def certificates(addresses: list[str]) -> None:
    """An authority and three certificates for these addresses, in PKI."""
    PKI.mkdir(parents=True, exist_ok=True)
    names = ",".join(f"IP:{address}" for address in addresses)

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=PKI, check=True, capture_output=True)

    def signed(name: str, alternative: str, *dates: str) -> None:
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}",
                "-CA", "ca.crt", "-CAkey", "ca.key", "-addext", f"subjectAltName={alternative}",
                "-addext", "basicConstraints=critical,CA:FALSE", *dates)  # fmt: skip

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.crt", "-days", "3650", "-subj", "/CN=lab",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    signed("good", names, "-days", "365")
    signed("expired", names, "-not_before", "20200101000000Z", "-not_after", "20210101000000Z")
    signed("foreign", "DNS:elsewhere.example", "-days", "365")


def main() -> None:
    """Until it is killed."""
    way, port = sys.argv[1], int(sys.argv[2])
    if way == "udp":
        datagrams(port)
    if way == "backlog":
        socks = full(port)
        print("ready", flush=True)
        threading.Event().wait(len(socks) * 1e6)
    context = secured(way) if way in TLS else None
    for sock in listener(way, port):
        threading.Thread(target=accept, args=(way, context, sock), daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
