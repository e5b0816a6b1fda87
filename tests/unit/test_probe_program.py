# SPDX-License-Identifier: Apache-2.0
"""meshgw-probe as a process: what it says of services that behave well or badly.

Runs the program named by $MESHGW_PROBE as systemd would: its connection is descriptor 3.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROBE = os.environ["MESHGW_PROBE"]
OK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WANTS_TLS = b"HTTP/1.1 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
Behaviour = Callable[[socket.socket], None]


class Service:
    """A TCP service on loopback that does the same with every connection."""

    def __init__(self, behave: Behaviour):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.behave = behave
        self.kept: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.kept.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self.behave(connection)
        except OSError:
            pass

    def end(self) -> None:
        self.listener.close()
        for connection in self.kept:
            connection.close()


def says(data: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    return behave


def closes(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.shutdown(socket.SHUT_RDWR)


def stays_silent(connection: socket.socket) -> None:
    connection.recv(4096)


@pytest.fixture
def service() -> Iterator[Callable[[Behaviour], Service]]:
    started = []

    def start(behave: Behaviour) -> Service:
        started.append(Service(behave))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=service.test", "-keyout", path, "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def tls(certificate: Path, only: ssl.TLSVersion | None = None) -> Behaviour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if only:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = only

    def behave(connection: socket.socket) -> None:
        try:
            says(OK_ANSWER)(context.wrap_socket(connection, server_side=True))
        except ssl.SSLError:
            connection.close()

    return behave


def call(method: str, parameters: dict) -> dict:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        message = {"method": f"io.meshgw.Probe.{method}", "parameters": parameters}
        ours.sendall(json.dumps(message).encode() + b"\0")
        ours.settimeout(20)
        shell = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" 3<&0 0</dev/null'
        process = subprocess.Popen(["sh", "-c", shell, PROBE], stdin=theirs)
        theirs.close()
        data = b""
        while not data.endswith(b"\0"):
            more = ours.recv(65536)
            assert more, "the program hung up"
            data += more
    assert process.wait(timeout=20) == 0
    return json.loads(data[:-1])


def ask(port: int, scheme: str = "http", **more: object) -> list[tuple[str, str]]:
    request = {"target": "127.0.0.1", "port": port, "scheme": scheme, "timeoutMs": 700, **more}
    facts = call("Ask", request)["parameters"]["facts"]
    assert all(fact["kind"] == "l7" for fact in facts)
    return [(fact["ask"], fact["outcome"]) for fact in facts]


@pytest.mark.parametrize(
    "behave, expected",
    [
        (says(OK_ANSWER), [("http", "ok")]),
        (says(b"HTTP/1.1 503 No\r\n\r\n"), [("http", "ok")]),
        (says(b"\x15\x03\x01\x00\x02\x02\x46"), [("http", "tls-spoken"), ("tls", "alert")]),
        (says(WANTS_TLS), [("http", "https-wanted"), ("tls", "plain-spoken")]),
        (says(b"SSH-2.0-OpenSSH_10.0\r\n"), [("http", "garbage"), ("tls", "garbage")]),
        (closes, [("http", "closed"), ("tls", "closed")]),
        (stays_silent, [("http", "silent")]),
    ],
    ids=["http", "status", "alert", "words", "ssh", "closes", "silent"],
)
def test_clear_text(service, behave: Behaviour, expected: list) -> None:
    assert ask(service(behave).port) == expected


def test_tls_behind_clear_text(service, certificate: Path) -> None:
    assert ask(service(tls(certificate)).port)[-1] == ("tls", "certificate")


def test_tls(service, certificate: Path) -> None:
    assert ask(service(tls(certificate)).port, "https") == [("tls", "certificate")]
    assert ask(service(says(OK_ANSWER)).port, "https") == [("tls", "plain-spoken"), ("http", "ok")]
    with pytest.warns(DeprecationWarning):
        old = tls(certificate, ssl.TLSVersion.TLSv1)
    assert ask(service(old).port, "https")[0][1] in ("alert", "closed")
    assert ask(service(stays_silent).port, "https") == [("tls", "silent")]


def test_authorities(service, certificate: Path) -> None:
    """A certificate is taken of those that are named, and for the name that is meant."""
    port = service(tls(certificate)).port
    own = Path(f"{certificate}.crt").read_text()
    assert ask(port, "https", ca=own, serverName="service.test") == [("tls", "ok")]
    assert ask(port, "https", ca=own, serverName="other.test") == [("tls", "certificate")]
    assert ask(port, "https", ca=own, serverName="127.0.0.2") == [("tls", "certificate")]
    assert ask(port, "https", ca=own) == [("tls", "certificate")]
    assert ask(port, "https", serverName="service.test") == [("tls", "certificate")]
    # What is no certificate accuses nobody.
    assert ask(port, "https", ca="nobody")[0] == ("tls", "not-connected")


def test_names_and_paths(service) -> None:
    heard = []

    def behave(connection: socket.socket) -> None:
        heard.append(connection.recv(4096))
        connection.sendall(OK_ANSWER)

    port = service(behave).port
    assert ask(port, host="service.test", path="/a?b=c") == [("http", "ok")]
    assert heard[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert b"\r\nHost: service.test:%d\r\n" % port in heard[0]


def test_nobody_listens() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert ask(silent.getsockname()[1]) == [("http", "not-connected")]


@pytest.mark.parametrize(
    "change",
    [
        {"target": "localhost"},
        {"port": 0},
        {"scheme": "file"},
        {"host": "a b"},
        {"host": "user@b"},
        {"path": "no-slash"},
        {"path": "/a\r\nX: y"},
        {"interface": "eth0!host!1.2.3.4"},
        {"source": "me"},
        {"serverName": "a b"},
        {"serverName": "a:1"},
        {"timeoutMs": 0},
    ],
    ids=lambda change: "-".join(map(str, change)),
)
def test_refuses(change: dict) -> None:
    request = {"target": "127.0.0.1", "port": 1, "scheme": "http", "timeoutMs": 100, **change}
    answer = call("Ask", request)
    assert answer["error"] == "org.varlink.service.InvalidParameter", answer


def test_resolves() -> None:
    found = call("Resolve", {"name": "localhost", "timeoutMs": 2000})["parameters"]
    assert set(found["addresses"]) & {"127.0.0.1", "::1"}
    (told,) = found["facts"]
    assert (told["ask"], told["outcome"]) == ("dns", "ok")
    assert set(told["text"].split(", ")) == set(found["addresses"])
    none = call("Resolve", {"name": "no-such-name.invalid", "timeoutMs": 300})["parameters"]
    assert none["addresses"] == []
    # Where there is no resolver to ask, nobody says that the name does not exist.
    (told,) = none["facts"]
    assert told["outcome"] in ("name", "resolver")


def test_alone() -> None:
    done = subprocess.run([PROBE], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "meshgw-probe.socket" in done.stderr
