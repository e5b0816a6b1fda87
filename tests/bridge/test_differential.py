# SPDX-License-Identifier: Apache-2.0
"""The same bytes to the bridge, to nginx and to haproxy, and what a service is sent by each.

What the bridge forwards is what the others forward, or less: a request that it takes and another
reads differently could be smuggled past one of them. It may refuse what others take. Expected
differences are in the table, with their reasons (messages.py)."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench import Bridge, Peer, Upstream, poll
from messages import CASES, LAST
from network import free_port

UNRESERVED = re.compile(r"%([0-9A-Fa-f]{2})")
TAKES_MS = 1000  # how long each of them waits for what does not come


class Seen(NamedTuple):
    """A request as a service sees it."""

    method: str
    target: str
    host: str
    fields: tuple[str, ...]  # of the table's own
    body: bytes


def _canonical(target: str) -> str:
    """RFC 3986 6.2.2, and no empty segments: the same resource, however it is written. haproxy passes
    absolute targets as they are; to a service they are their path (RFC 9112 3.2.2)."""

    def undone(escape: re.Match[str]) -> str:
        char = chr(int(escape[1], 16))
        return char if re.fullmatch(r"[A-Za-z0-9._~-]", char) else escape[0].upper()

    target = re.sub("^https?://[^/?]*", "", target, flags=re.IGNORECASE)
    path, mark, query = target.partition("?")
    return re.sub("//+", "/", UNRESERVED.sub(undone, path)) + mark + query


class Recorder(Upstream):
    """A service that remembers what was whole, and answers it."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        super().__init__(self._record)

    def _record(self, peer: Peer) -> None:
        while True:
            head = peer.until(b"\r\n\r\n").decode("latin1")
            line, *fields = head.rstrip("\r\n").split("\r\n")
            pairs = [(f.split(":", 1)[0].lower(), f.split(":", 1)[1].strip(" \t")) for f in fields]
            body = self._body(peer, dict(pairs))
            method, target, _version = line.split(" ")
            own = tuple(value for name, value in pairs if name in ("x", "y"))
            self.seen.append(Seen(method, _canonical(target), dict(pairs).get("host", ""), own, body))
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    @staticmethod
    def _body(peer: Peer, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding", "").lower() != "chunked":
            return peer.exactly(int(fields.get("content-length", "0")))
        body = b""
        while size := int(peer.until(b"\r\n").split(b";")[0], 16):
            body += peer.exactly(size)
            assert peer.exactly(2) == b"\r\n"
        while peer.until(b"\r\n") != b"\r\n":
            pass
        return body


class Reader:
    """One of the three, in front of a recorder."""

    def __init__(self, name: str, port: int, recorder: Recorder) -> None:
        self.name, self.port, self.recorder = name, port, recorder

    def read(self, data: bytes) -> list[Seen]:
        """What the service is sent of the bytes and the request behind them."""
        self.recorder.seen = []
        client = Peer(socket.create_connection(("127.0.0.1", self.port), timeout=30))
        try:
            client.send(data + LAST)
        except OSError:
            pass
        try:
            client.rest()
        except TimeoutError:
            raise AssertionError(f"{self.name}: does not end {data!r}") from None
        client.close()
        return self.recorder.seen

    def read_all(self) -> dict[str, list[Seen]]:
        return {name: self.read(case.data) for name, case in CASES.items()}


def _nginx(folder: Path, port: int, to: int) -> list[str]:
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(f"""\
daemon off; master_process off; pid {folder}/pid; error_log {folder}/nginx.log;
events {{ }}
http {{
	access_log off; {temporary} lingering_close off;
	client_header_timeout {TAKES_MS}ms; client_body_timeout {TAKES_MS}ms; keepalive_timeout {TAKES_MS}ms;
	server {{
		listen 127.0.0.1:{port};
		merge_slashes off;
		location / {{
			proxy_pass http://127.0.0.1:{to}; proxy_http_version 1.1; proxy_request_buffering off;
			proxy_set_header Connection ""; proxy_set_header Host $http_host;
		}}
	}}
}}
""", encoding="ascii")  # fmt: skip
    return ["nginx", "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]


def _haproxy(folder: Path, port: int, to: int) -> list[str]:
    (folder / "haproxy.cfg").write_text(f"""\
defaults
	mode http
	http-reuse never
	timeout connect 1s
	timeout client {TAKES_MS}ms
	timeout server {TAKES_MS}ms
	timeout http-request {TAKES_MS}ms
frontend f
	bind 127.0.0.1:{port}
	default_backend b
backend b
	server s 127.0.0.1:{to}
""", encoding="ascii")  # fmt: skip
    return ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


ORACLES = {"nginx": _nginx, "haproxy": _haproxy}


@pytest.fixture
def oracles(tmp_path: Path) -> Iterator[dict[str, Reader]]:
    made, processes = {}, []
    for name, configure in ORACLES.items():
        assert shutil.which(name), f"{name} is one of the two that the bridge is compared with"
        recorder, port = Recorder(), free_port()
        command = configure(tmp_path, port, recorder.config["port"])
        with (tmp_path / f"{name}.out").open("wb") as out:
            processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        poll(name, lambda port=port: _answers(port))
        made[name] = Reader(name, port, recorder)
    yield made
    for process in processes:
        process.kill()
        process.wait()
    for reader in made.values():
        reader.recorder.close()


def _differences(readings: dict[str, dict[str, list[Seen]]]) -> Iterator[tuple[str, str, Any, Any]]:
    """Where the bridge forwards something that an oracle does not."""
    for name in CASES:
        ours = readings["ours"][name]
        for oracle in ORACLES:
            theirs = readings[oracle][name]
            if ours != theirs[: len(ours)]:
                yield name, oracle, ours, theirs


def test_differential(bridge: Bridge, oracles: dict[str, Reader]) -> None:
    recorder = Recorder()
    times = {"firstByteMs": TAKES_MS, "idleMs": TAKES_MS}
    bridge.start(
        [{"host": "*", "upstreams": [recorder.config], "timeouts": times}],
        limits={"headMs": TAKES_MS, "idleMs": TAKES_MS},
    )
    readers = {"ours": Reader("ours", bridge.port, recorder), **oracles}
    with ThreadPoolExecutor(len(readers)) as pool:
        readings = dict(zip(readers, pool.map(Reader.read_all, readers.values()), strict=True))
    recorder.close()
    found = {(name, oracle): (ours, theirs) for name, oracle, ours, theirs in _differences(readings)}
    allowed = {(name, oracle) for name, case in CASES.items() for oracle in case.allow}
    report = [f"{at}: ours {found[at][0]}, theirs {found[at][1]}" for at in found.keys() - allowed]
    assert not report, "\n".join(sorted(report))
    assert allowed <= found.keys(), f"no differences any more: {allowed - found.keys()}"
    # The table is of use: the oracles differ from each other; and what is plain is served.
    assert sum(readings["nginx"][name] != readings["haproxy"][name] for name in CASES) > 10
    assert all(readings["ours"][name] for name in ("get", "length", "chunked", "trailer", "1.0", "absolute"))
