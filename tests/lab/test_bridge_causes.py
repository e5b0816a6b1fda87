# SPDX-License-Identifier: Apache-2.0
"""Why an upstream of the bridge does not answer: the answer names the cause that was injected.

    worker ── edge ══ CloudflareWARP gw1: meshgw-bridge ── service, router ── remote

What is looked at is the bridge's own way: from gw1's address, through its output and input. Each
fault has an upstream of its own, since what was found out about one is known for some seconds.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab import flow
from lab.network import MESH
from lab.node import Node
from lab.shell import poll_until
from survival import SERVICE, Site, config

pytestmark = pytest.mark.parametrize("mode", ["masquerade"], indirect=True)

KEPT_S = 5  # gateway/daemon/bridge_ask.h
PEM = "/run/lab/causes.pem"
UPSTREAMS = {
    "closed": "http://10.0.1.50:3901",
    "silent": "http://10.0.1.50:3902",
    "gone": "http://10.0.1.99:3000",
    "prohibited": "http://10.0.2.60:3000",
    "unnamed": "http://nowhere.invalid:3000",
    "certificate": "https://10.0.1.50:3903",
    "closing": "http://10.0.1.50:3904",
    "mute": "http://10.0.1.50:3905",
    "output": "http://10.0.2.60:3906",
    "input": "http://10.0.2.60:3907",
    "loopback": "http://10.0.1.11:3908",
    "loaded": "http://10.0.1.50:3909",
}
SETTINGS = "retries: 0, timeouts: {connect: 1s, first_byte: 1s}"
# A service that answers, hangs up, or says nothing.
PROGRAM = """\
import socket, ssl, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
listener = socket.create_server((host, port))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
if kind == "tls":
    context.load_cert_chain(sys.argv[4])
kept = []
while True:
    connection, _ = listener.accept()
    try:
        if kind == "tls":
            connection = context.wrap_socket(connection, server_side=True)
        connection.recv(4096)
        if kind in ("http", "tls"):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    except OSError:
        pass
    if kind == "mute":
        kept.append(connection)
    else:
        connection.close()
"""


@dataclass
class Answer:
    """What a Worker is told."""

    status: int
    proxy_status: str
    problem: dict[str, Any]

    def is_about(self, code: str, error: str) -> None:
        """Code and error type, in the head and in the body, with all that is known."""
        told = json.dumps(self.problem, indent=1)
        assert self.problem["code"] == code and self.problem["error"] == error, told
        assert self.problem["evidence"] and self.problem["confidence"], told
        assert self.problem["fix"]["text"], told
        assert f'error={error}; details="{code}; diag={self.problem["instance"]}"' in (
            self.proxy_status
        )
        assert self.proxy_status.startswith("meshgw-gw1;"), self.proxy_status


def ask(site: Site, name: str) -> Answer:
    """One request."""
    url = flow.url(MESH["gw1"][0], port=80)
    head, _, body = site.worker.out(
        ["curl", "-sS", "-i", "--max-time", "15", "-H", f"Host: {name}.internal", url], timeout=20
    ).partition("\n\n")
    lines = head.replace("\r", "").splitlines()
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    told = json.loads(body) if "problem+json" in fields.get("content-type", "") else {}
    return Answer(int(lines[0].split()[1]), fields.get("proxy-status", ""), told)


@pytest.fixture
def bridge(site: Site) -> Iterator[Site]:
    """With an upstream for each fault."""
    if not site.status().get("bridge"):
        routes = "".join(
            f'    - {{host: {name}.internal, upstream: "{upstream}", {SETTINGS}}}\n'
            for name, upstream in UPSTREAMS.items()
        )
        site.gw.write(
            "etc/meshgw/meshgw.yaml",
            f"{config(site.mode)}bridge:\n  listen: [80]\n  reveal: all\n  routes:\n{routes}",
        )
        site.gw.run("meshgw apply")
        site.gw.systemctl("start", "meshgw-bridge")
        poll_until(
            lambda: ask(site, "nobody").problem["code"] == "no-route", 5, "the bridge serves"
        )
    yield site
    site.spent()


@contextlib.contextmanager
def service(node: Node, kind: str, port: int, host: str = "0.0.0.0") -> Iterator[None]:
    """One of them."""
    process = node.popen(["python3", "-c", PROGRAM, kind, host, str(port), PEM])
    poll_until(lambda: f":{port} " in node.out("ss -Hltn"), 5, f"port {port}")
    try:
        yield
    finally:
        process.stop()


@contextlib.contextmanager
def filtered(node: Node, hook: str, rule: str) -> Iterator[None]:
    """As somebody else's firewall."""
    chain = f"type filter hook {hook} priority 0;"
    node.run(["nft", f"table inet fault {{ chain c {{ {chain} {rule}; }}; }}"])
    try:
        yield
    finally:
        node.run("nft delete table inet fault")


def test_the_service(bridge: Site) -> None:
    """It is stopped; it hangs up; it says nothing; its certificate is nobody's."""
    node = bridge.lab.service
    with service(node, "http", 3901):
        assert ask(bridge, "closed").status == 200
    ask(bridge, "closed").is_about("service-port-closed", "connection_refused")
    with service(node, "close", 3904):
        ask(bridge, "closing").is_about("service-closes-early", "connection_terminated")
    with service(node, "mute", 3905):
        ask(bridge, "mute").is_about("service-accepts-no-answer", "http_response_timeout")
    node.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other"
        f" -keyout {PEM}.key -out {PEM}.crt 2>/dev/null && cat {PEM}.key {PEM}.crt >{PEM}"
    )
    with service(node, "tls", 3903):
        answer = ask(bridge, "certificate")
        answer.is_about("service-tls-certificate", "tls_certificate_error")
        assert "self-signed" in str(answer.problem["evidence"])


def test_beyond_the_gateway(bridge: Site) -> None:
    """The service's firewall drops, its host is gone, the router refuses, the name is none."""
    with (
        service(bridge.lab.service, "http", 3902),
        filtered(bridge.lab.service, "input", "tcp dport 3902 drop"),
    ):
        ask(bridge, "silent").is_about("service-silent-drop", "connection_timeout")
    ask(bridge, "gone").is_about("neighbour-unresolved", "destination_unavailable")
    refusal = "ip daddr 10.0.2.60 tcp dport 3000 reject with icmpx admin-prohibited"
    with filtered(bridge.lab.router, "forward", refusal):
        answer = ask(bridge, "prohibited")
    answer.is_about("upstream-admin-prohibited", "destination_ip_prohibited")
    assert "10.0.1.1" in answer.problem["fix"]["text"]
    assert ask(bridge, "prohibited").status == 200
    ask(bridge, "unnamed").is_about("name-not-resolved", "dns_error")


def test_the_gateway(bridge: Site) -> None:
    """Its own firewall drops what it sends, or the answers; a service of its own is bound wrongly;
    routes lead nowhere."""
    remote = bridge.lab.remote
    with (
        service(remote, "http", 3906),
        filtered(bridge.gw, "output", "tcp dport 3906 drop"),
    ):
        answer = ask(bridge, "output")
    answer.is_about("filter-drop-output", "destination_ip_prohibited")
    assert "inet fault" in str(answer.problem["evidence"])
    with (
        service(remote, "http", 3907),
        filtered(bridge.gw, "input", "tcp sport 3907 drop"),
    ):
        ask(bridge, "input").is_about("filter-drop-input", "destination_ip_prohibited")
    with service(bridge.gw, "http", 3908, "127.0.0.1"):
        ask(bridge, "loopback").is_about("local-bound-loopback", "connection_refused")


def diagnoses(site: Site, target: str) -> int:
    """How often meshgwd has looked for the cause."""
    return site.gw.journal("-u", "meshgwd", "-o", "cat").count(f"verdict: flow=http {target} ")


def test_dead_under_load(bridge: Site) -> None:
    """Thousands who call a dead upstream have it looked at once in some seconds."""
    url = flow.url(MESH["gw1"][0], port=80)
    begun = time.monotonic()
    said = bridge.worker.out(
        "seq 64 | xargs -P 16 -I{} curl -s -o /dev/null --max-time 15 -H 'Host: loaded.internal'"
        f" -w '%header{{proxy-status}}\\n' '{url}?[1-32]'", timeout=60,
    ).splitlines()  # fmt: skip
    took = time.monotonic() - begun
    assert len(said) == 64 * 32
    assert all("service-port-closed" in line for line in said), set(said)
    count = diagnoses(bridge, "10.0.1.50:3909")
    assert 1 <= count <= 1 + took / KEPT_S, count


def test_asked_from_outside(bridge: Site) -> None:
    """Whoever asks without a token is told what was found out, and sets nothing going."""

    def told(target: str) -> str:
        page = f"/.well-known/meshgw/diagnose?target={target}"
        url = flow.url(MESH["gw1"][0], page, port=80)
        return str(bridge.worker.json(["curl", "-sS", "--max-time", "10", url])["code"])

    ask(bridge, "closed").is_about("service-port-closed", "connection_refused")
    assert told("10.0.1.50:3901") == "service-port-closed"
    assert told("10.0.1.50:3902") == "no-traffic-observed"


def test_operator_asks(bridge: Site) -> None:
    """meshgw diagnose --from gateway: the same way, and its picture begins here."""
    own = ("--from", "gateway")
    done = bridge.gw.run(["meshgw", "diagnose", *own, "10.0.1.50:3901"], check=False)
    assert "service-port-closed" in done.stdout and done.returncode == SERVICE
    assert "gateway" in done.stdout and "tunnel" not in done.stdout
    verdict = bridge.diagnose("http://10.0.1.50:3000/", *own)
    assert verdict["code"] == "healthy" and verdict["confidence"] == "certain"
    assert verdict["from"] == "gateway" and verdict["client"] == flow.GW1[0]
