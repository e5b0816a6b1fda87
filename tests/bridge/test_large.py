# SPDX-License-Identifier: Apache-2.0
"""Bodies that are larger than any memory should be, and peers that do not keep up with them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator

import pytest

from bench import GET, Bridge, Peer, Upstream, fill_up, read_message, under_way

POST = b"POST /x HTTP/1.1\r\nHost: a.internal\r\n"
MIB = 1 << 20
LARGE = 1 << 30


def _sink(peer: Peer) -> None:
    """Answers with the sum of a body of Content-Length."""
    head = peer.until(b"\r\n\r\n")
    left = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]) - len(peer.got)
    total, buffer = hashlib.sha256(peer.got), memoryview(bytearray(MIB))
    while left:
        n = peer.sock.recv_into(buffer, min(left, MIB))
        assert n
        total.update(buffer[:n])
        left -= n
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + total.hexdigest().encode())


def _grows(bridge: Bridge, steps: Iterable[None]) -> int:
    """KiB of memory that were needed after the first steps, by which everything has begun."""
    seen = [bridge.memory_kib() for i, _ in enumerate(steps) if i % 64 == 63]
    return max(seen) - seen[0]


def test_large_upload(bridge: Bridge) -> None:
    """1 GiB up, at the memory of one read."""
    upstream = Upstream(_sink)
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    total = hashlib.sha256()
    block = bytes(range(256)) * 4096
    client.send(POST + b"Content-Length: %d\r\n\r\n" % LARGE)

    def send() -> Iterator[None]:
        for _ in range(LARGE // len(block)):
            client.send(block)
            total.update(block)
            yield

    assert _grows(bridge, send()) < 4096
    assert read_message(client).body == total.hexdigest().encode()
    upstream.close()


@pytest.mark.parametrize("head", [b"Content-Length: %d\r\n" % LARGE, b"Connection: close\r\n"])
def test_large_download(bridge: Bridge, upstream: Upstream, head: bytes) -> None:
    """1 GiB down; without a length in chunks that are put around it."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GET)
    block = bytes(range(256)) * 4096

    def serve() -> None:
        service.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        for _ in range(LARGE // len(block)):
            service.send(block)
        service.close()

    thread = threading.Thread(target=serve)
    thread.start()
    chunked = b"chunked" in client.until(b"\r\n\r\n")
    got, end = len(client.got), b"0\r\n\r\n"

    def take() -> Iterator[None]:
        nonlocal got
        while got < LARGE if not chunked else not client.got.endswith(end):
            client.got = client.got[-len(end) :]
            before = len(client.got)
            assert client.more()
            got += len(client.got) - before
            yield

    assert _grows(bridge, take()) < 4096
    assert got > LARGE if chunked else got == LARGE
    thread.join()


def test_slow_reader(bridge: Bridge, upstream: Upstream) -> None:
    """A client that reads nothing holds the service back; memory does not grow."""
    bridge.start([{"upstreams": [upstream.config]}])
    client, service = under_way(bridge, upstream, GET)
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
    before = bridge.memory_kib()
    sent = fill_up(service, 64 * MIB)
    assert bridge.memory_kib() - before < 4096

    def rest() -> None:
        left = 256 * MIB - sent
        while left:
            left -= service.sock.send(b"x" * min(left, MIB))

    thread = threading.Thread(target=rest)
    thread.start()
    client.until(b"\r\n\r\n")
    left = 256 * MIB - len(client.got)
    while left:
        client.got = b""
        assert client.more()
        left -= len(client.got)
    thread.join()


def test_slow_service(bridge: Bridge, upstream: Upstream) -> None:
    """And the other way round."""
    bridge.start([{"upstreams": [upstream.config]}])
    client = bridge.connect()
    client.send(POST + b"Content-Length: %d\r\n\r\n" % (256 * MIB))
    service = upstream.peer()
    service.until(b"\r\n\r\n")
    before = bridge.memory_kib()
    fill_up(client, 64 * MIB)
    assert bridge.memory_kib() - before < 4096
