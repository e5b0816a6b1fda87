#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service that tells its callers who they are.

HTTP: GET anything answers the caller's address as one line. GET /bytes/N streams N bytes,
PUT /sink discards its body and answers the number of bytes, GET /slow?wait=S&lines=N waits S
seconds before the answer and again before each of its N lines. TCP: echoes what comes, for as long
as the caller likes. UDP: answers the caller's address; a request "size N" gets N bytes.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import parse_qs, urlsplit

BLOCK = 1 << 20
# Where sendfile takes the bytes from.
BLOCK_FD = os.memfd_create("block")
os.write(BLOCK_FD, b"0123456789abcdef" * (BLOCK // 16))


def peer(address: tuple) -> str:
    """The caller's address; IPv4 as such though the socket is IPv6's."""
    return address[0].removeprefix("::ffff:")


class Http(BaseHTTPRequestHandler):
    """One connection; keep-alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _start(self, length: int | None, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        if length is None:
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.flush()

    def _text(self, text: str, status: int = 200) -> None:
        body = text.encode()
        self._start(len(body), status)
        self.wfile.write(body)

    def _bytes(self, count: str) -> None:
        if not count.isdigit():
            self._text("not a number of bytes\n", 400)
            return
        left = int(count)
        self._start(left)
        while left > 0:
            left -= os.sendfile(self.connection.fileno(), BLOCK_FD, 0, min(left, BLOCK))

    def _slow(self, query: dict[str, list[str]]) -> None:
        wait = float(query.get("wait", ["1"])[0])
        lines = int(query.get("lines", ["0"])[0])
        time.sleep(wait)
        if lines == 0:
            self._text(f"{peer(self.client_address)}\n")
            return
        self._start(None)
        for i in range(lines):
            time.sleep(wait if i else 0)
            self.wfile.write(f"{i} {peer(self.client_address)}\n".encode())

    def _discard(self, length: int) -> int:
        buffer = memoryview(bytearray(BLOCK))
        left = length
        while left > 0:
            n = self.rfile.readinto(buffer[: min(left, BLOCK)])
            if not n:
                break
            left -= n
        return length - left

    def _discard_chunked(self) -> int:
        total = 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            total += self._discard(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return total

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        """See the module."""
        url = urlsplit(self.path)
        if url.path.startswith("/bytes/"):
            self._bytes(url.path.removeprefix("/bytes/"))
        elif url.path == "/slow":
            self._slow(parse_qs(url.query))
        else:
            self._text(f"{peer(self.client_address)}\n")

    def do_PUT(self) -> None:  # pylint: disable=invalid-name
        """Any path is a sink."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            count = self._discard_chunked()
        else:
            count = self._discard(int(self.headers.get("Content-Length", "0")))
        self._text(f"{count}\n")

    do_POST = do_PUT

    def log_message(self, format: str, *args: object) -> None:
        """One line a request, on standard error."""
        print(f"http {peer(self.client_address)} {format % args}", file=sys.stderr, flush=True)


class Echo(BaseRequestHandler):
    """One TCP connection."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)
        except OSError as error:
            print(f"tcp {peer(self.client_address)} {error}", file=sys.stderr, flush=True)


class DualStack:
    """Mixed into a server: one IPv6 socket for both families."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024
    socket: socket.socket

    def server_bind(self) -> None:
        """Before the real bind."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        ThreadingTCPServer.server_bind(self)  # type: ignore[arg-type]


class HttpServer(DualStack, ThreadingHTTPServer):
    """HTTP on both families. No reverse look-up of its own name, unlike its parent."""

    server_name = "echo"
    server_port = 0

    def handle_error(self, request: object, client_address: tuple) -> None:
        """A caller that goes away is no event worth a trace."""
        print(f"http {peer(client_address)} {sys.exception()!r}", file=sys.stderr, flush=True)


class EchoServer(DualStack, ThreadingTCPServer):
    """TCP echo on both families."""


def udp_serve(sock: socket.socket) -> None:
    """Answers for ever."""
    while True:
        request, address = sock.recvfrom(1 << 16)
        words = request.split()
        answer = f"{peer(address)}\n".encode()
        if len(words) == 2 and words[0] == b"size" and words[1].isdigit():
            answer = b"x" * int(words[1])
        try:
            sock.sendto(answer, address)
        except OSError as error:
            # A path MTU just learned, for one: the caller asks again.
            print(f"udp {peer(address)} {error}", file=sys.stderr, flush=True)


def udp_socket(bind: str, port: int) -> socket.socket:
    """Bound, for both families."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((bind, port))
    return sock


def main() -> None:
    """Prints "ready" once every port is open, then serves until killed."""
    parser = argparse.ArgumentParser(description="a service that tells its callers who they are")
    parser.add_argument("--http", type=int, metavar="PORT")
    parser.add_argument("--tcp", type=int, metavar="PORT")
    parser.add_argument("--udp", type=int, metavar="PORT")
    parser.add_argument("--bind", default="::", metavar="ADDRESS", help="IPv6, :: for both")
    args = parser.parse_args()

    servers: list[Callable[[], None]] = []
    if args.http is not None:
        servers.append(HttpServer((args.bind, args.http), Http).serve_forever)
    if args.tcp is not None:
        servers.append(EchoServer((args.bind, args.tcp), Echo).serve_forever)
    if args.udp is not None:
        sock = udp_socket(args.bind, args.udp)
        servers.append(lambda: udp_serve(sock))
    if not servers:
        parser.error("nothing to serve")
    threads = [threading.Thread(target=serve) for serve in servers]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
