# SPDX-License-Identifier: Apache-2.0
"""TLS to upstreams: who is let in, and who is not, under both versions.

The names that a certificate must bear, its authority, its dates: one of them wrong, and not a byte
of the request leaves the bridge."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import GET, Bridge, Peer, Upstream, poll, read_message

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Authority:
    """Makes certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._openssl("req", "-x509", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                      "-out", f"{name}.pem", "-days", "30",
                      "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
        self.pem = (folder / f"{name}.pem").read_text(encoding="ascii")

    def _openssl(self, *arguments: str) -> None:
        if arguments[0] == "req":
            arguments += ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def sign(self, name: str, alternative: str, *dates: str) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        self._openssl("req", "-x509", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                      "-subj", "/CN=nobody", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                      "-addext", f"subjectAltName={alternative}",
                      "-addext", "basicConstraints=critical,CA:FALSE",
                      *(dates or ("-days", "30")))  # fmt: skip
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tls")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    past = ("-not_before", "20200101000000Z", "-not_after", "20210101000000Z")
    future = ("-not_before", "20900101000000Z", "-not_after", "20910101000000Z")
    return {
        "ours": ours.pem,
        "other": other.pem,
        "name": ours.sign("name", "DNS:s.internal"),
        "wildcard": ours.sign("wildcard", "DNS:*.lan.internal"),
        "address": ours.sign("address", "IP:127.0.0.1"),
        "stranger": other.sign("stranger", "DNS:s.internal"),
        "expired": ours.sign("expired", "DNS:s.internal", *past),
        "early": ours.sign("early", "DNS:s.internal", *future),
        "client": ours.sign("client", "DNS:gw1"),
    }


class Secure:
    """An upstream that speaks TLS and answers everything with 2 bytes, or with 4 MiB."""

    def __init__(self, files: dict[str, Any], certificate: str, version: str, client: bool = False) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*files[certificate])
        self.context.minimum_version = self.context.maximum_version = VERSIONS[version]
        if client:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cadata=files["ours"])
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.context.sni_callback = lambda s, name, c: self.names.append(name)
        self.upstream = Upstream(self._serve)

    def _serve(self, peer: Peer) -> None:
        try:
            secure = Peer(self.context.wrap_socket(peer.sock, server_side=True))
        except ssl.SSLError:
            return
        while True:
            request = read_message(secure)
            self.requests.append(request.head + request.body)
            body = b"x" * (4 << 20) if "/large" in request.first else b"hi"
            secure.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def route(self, host: str = "s.internal", **tls: Any) -> dict[str, Any]:
        upstream = {**self.upstream.config, "scheme": "https", "host": host}
        return {"upstreams": [upstream], "tls": tls}


@pytest.fixture
def secure(request: pytest.FixtureRequest, files: dict[str, Any]) -> Iterator[Secure]:
    made = Secure(files, *request.param)
    yield made
    made.upstream.close()


def _both(*certificates: str) -> Any:
    cases = [(c, v) for c in certificates for v in VERSIONS]
    return pytest.mark.parametrize("secure", cases, indirect=True, ids="-".join)


@_both("name")
def test_name(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    """The right one: requests, large bodies both ways, and the connection serves on."""
    bridge.start([secure.route(ca=files["ours"])])
    assert bridge.ask(GET).body == b"hi"
    assert bridge.ask(GET.replace(b"/ ", b"/large ")).body == b"x" * (4 << 20)
    body = bytes(range(256)) * 8192
    head = b"POST / HTTP/1.1\r\nHost: a.internal\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert bridge.ask(head + body).status == 200
    assert secure.requests[-1].endswith(body)
    assert secure.upstream.connections == 1
    assert secure.names == ["s.internal"]


@_both("wildcard")
def test_wildcard(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    """For one label."""
    deeper = {"host": "b.internal", **secure.route("a.b.lan.internal", ca=files["ours"])}
    bridge.start([secure.route("s.lan.internal", ca=files["ours"]), deeper])
    assert bridge.ask(GET).status == 200
    assert bridge.ask(GET.replace(b"a.int", b"b.int")).status == 502


@_both("name")
def test_server_name(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    """The configured one counts, not the host's."""
    bridge.start([secure.route("127.0.0.1", ca=files["ours"], serverName="s.internal")])
    assert bridge.ask(GET).status == 200


@_both("address")
def test_address(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    """An address in the certificate, and none in SNI (RFC 6066)."""
    bridge.start([secure.route("127.0.0.1", ca=files["ours"])])
    assert bridge.ask(GET).status == 200
    assert secure.names == [None]


def _refused(bridge: Bridge, secure: Secure) -> None:
    answer = bridge.ask(GET)
    assert answer.status == 502
    assert "error=tls_certificate_error" in (answer.get("proxy-status") or "")
    assert not secure.requests


@_both("name", "address")
def test_wrong_name(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    bridge.start([secure.route("other.internal", ca=files["ours"])])
    _refused(bridge, secure)


@_both("name", "wildcard")
def test_wrong_address(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    """A name is no address."""
    bridge.start([secure.route("127.0.0.1", ca=files["ours"])])
    _refused(bridge, secure)


@_both("stranger")
def test_wrong_authority(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    bridge.start([secure.route(ca=files["ours"])])
    _refused(bridge, secure)


@_both("name")
def test_systems_authorities(bridge: Bridge, secure: Secure) -> None:
    """Without an authority of its own a route trusts the system's, and ours is none of them."""
    bridge.start([secure.route()])
    _refused(bridge, secure)


@_both("expired", "early")
def test_dates(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    bridge.start([secure.route(ca=files["ours"])])
    _refused(bridge, secure)


@pytest.mark.parametrize("version", VERSIONS)
def test_client_certificate(bridge: Bridge, files: dict[str, Any], version: str) -> None:
    """Shown if there is one; without it the service says no."""
    secure = Secure(files, "name", version, client=True)
    certificate, key = (path.read_text(encoding="ascii") for path in files["client"])
    bridge.start([secure.route(ca=files["ours"], certificate=certificate, key=key),
                  {"host": "b.internal", **secure.route(ca=files["ours"])}])  # fmt: skip
    assert bridge.ask(GET).status == 200
    answer = bridge.ask(GET.replace(b"a.int", b"b.int"))
    assert answer.status == 502
    error = (answer.get("proxy-status") or "").split("error=")[1].split(";")[0]
    # Under 1.3 the handshake is over when the service looks: its alert ends the connection.
    assert error in ("tls_alert_received", "connection_terminated")
    secure.upstream.close()


def test_rotation(bridge: Bridge, files: dict[str, Any]) -> None:
    """Another client certificate counts after a reload; connections of the old one are not kept."""
    secure = Secure(files, "name", "1.3", client=True)

    def route(which: str) -> list[dict[str, Any]]:
        certificate, key = (path.read_text(encoding="ascii") for path in files[which])
        return [secure.route(ca=files["ours"], certificate=certificate, key=key)]

    bridge.start(route("stranger"))  # which this service does not know
    assert bridge.ask(GET).status == 502
    bridge.reload(route("client"))
    poll("the new one", lambda: bridge.ask(GET).status == 200)
    bridge.reload(route("stranger"))
    poll("the other one again", lambda: bridge.ask(GET).status == 502)
    secure.upstream.close()


def test_no_tls(bridge: Bridge, files: dict[str, Any]) -> None:
    """A service in clear."""
    clear = Upstream(lambda peer: peer.more() and peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    upstream = {**clear.config, "scheme": "https", "host": "s.internal"}
    bridge.start([{"upstreams": [upstream], "tls": {"ca": files["ours"]}}])
    answer = bridge.ask(GET)
    assert answer.status == 502
    assert "error=tls_protocol_error" in (answer.get("proxy-status") or "")
    clear.close()


def test_bad_authority(bridge: Bridge, echoing: Upstream) -> None:
    """What is no certificate verifies nothing, and never switches verification off."""
    upstream = {**echoing.config, "scheme": "https", "host": "s.internal"}
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    bridge.start([{"upstreams": [upstream], "tls": {"ca": pem}}])
    assert bridge.ask(GET).status == 500
    assert "no TLS" in bridge.log.read_text()
    assert echoing.connections == 0


def test_body_before_the_handshake(bridge: Bridge, files: dict[str, Any]) -> None:
    """A client sends on while the connection to the service is still being made: nothing of it is
    lost, and nothing is taken for another request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files["name"])
    upstream = Upstream()
    config = {**upstream.config, "scheme": "https", "host": "s.internal"}
    bridge.start([{"upstreams": [config], "tls": {"ca": files["ours"]}}])
    client = bridge.connect()
    hidden = b"GET /hidden HTTP/1.1\r\nHost: a.internal\r\n\r\n"
    body = hidden * 20000
    client.send(b"POST / HTTP/1.1\r\nHost: a.internal\r\nContent-Length: %d\r\n\r\n" % len(body))
    peer = upstream.peer()
    client.send(body[:300000])  # more than the bridge reads at once, and it is not refused
    sender = threading.Thread(target=client.send, args=(body[300000:],))
    sender.start()
    service = Peer(context.wrap_socket(peer.sock, server_side=True))
    assert read_message(service).body == body
    sender.join()
    service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert read_message(client).body == b"hi"
    client.send(hidden)
    assert read_message(service).first == "GET /hidden HTTP/1.1"
    upstream.close()


class Joined:
    """The service's side of TLS by hand: what it says in several records goes as one segment."""

    def __init__(self, context: ssl.SSLContext, peer: Peer) -> None:
        self.peer, self.into, self.out = peer, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self.into, self.out, server_side=True)
        self.do(self.ssl.do_handshake)

    def do(self, call: Any, *arguments: Any) -> Any:
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self.flush()
                assert self.peer.more()
                self.into.write(self.peer.exactly(len(self.peer.got)))

    def flush(self) -> None:
        if data := self.out.read():
            self.peer.send(data)


@_both("name")
def test_answer_behind_an_answer(bridge: Bridge, secure: Secure, files: dict[str, Any]) -> None:
    """What lies decrypted and unread is nobody's answer."""
    upstream = Upstream()
    secure.upstream.close()
    secure.upstream = upstream
    bridge.start([secure.route(ca=files["ours"])])
    client = bridge.connect()
    client.send(GET + GET)
    for answers in (b"hi", b"hidden"), (b"ho",):
        service = Joined(secure.context, upstream.peer())
        assert service.do(service.ssl.read, 65536).startswith(b"GET ")
        for body in answers:
            service.do(service.ssl.write, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        service.flush()
        assert read_message(client).body == answers[0]
