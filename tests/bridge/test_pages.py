# SPDX-License-Identifier: Apache-2.0
"""What the bridge serves of its own: to callers, and on the admin socket."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from bench import GET, Bridge, Daemon, Message, Peer, Upstream, closed_port, poll, read_message, serve_once
from network import free_port
from test_attach import VERDICT

DIAGNOSE = b"GET /.well-known/meshgw/diagnose?target=%s HTTP/1.1\r\nHost: x\r\n\r\n"


def _ask_admin(path: Path, page: str, method: str = "GET") -> Message:
    sock = socket.socket(socket.AF_UNIX)
    # It is there before anybody listens to it.
    poll("who listens", lambda: sock.connect_ex(str(path)) == 0)
    peer = Peer(sock)
    peer.send(f"{method} {page} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return read_message(peer, head_only=method == "HEAD")


def test_diagnosis(bridge: Bridge, daemon: Daemon) -> None:
    """Of what is configured, and of nothing else; unknown and not allowed are one answer."""
    daemon.verdict = VERDICT
    upstream = closed_port()
    config = bridge.config([{"upstreams": [upstream]}], diagnose={"targets": ["10.0.1.99:80"]})
    daemon.tell(config, bridge.listener)
    bridge.attach(daemon)
    target = b"127.0.0.1%%3A%d" % upstream["port"]
    for asked in target, target.replace(b"%3A", b":"), b"10.0.1.99:80&x=y", b"10.0.1.99:80":
        answer = bridge.ask(DIAGNOSE % asked)
        assert answer.status == 200, asked
        assert json.loads(answer.body)["code"] == VERDICT["code"]
    assert len(daemon.questions) == 2
    refused = {
        bridge.ask(DIAGNOSE % t).status
        for t in (b"10.0.1.98:80", b"", b"127.0.0.1:1", b"%00", b"10.0.1.99:80%26", b"x" * 1000)
    }
    assert refused == {404}
    assert bridge.ask(DIAGNOSE.replace(b"GET", b"POST") % target).status == 405
    assert len(daemon.questions) == 2


def test_no_diagnosis(bridge: Bridge, daemon: Daemon) -> None:
    upstream = closed_port()
    daemon.tell(bridge.config([{"upstreams": [upstream]}]), bridge.listener)
    bridge.attach(daemon)
    answer = bridge.ask(DIAGNOSE % (b"127.0.0.1:%d" % upstream["port"]))
    assert answer.status == 503 and answer.problem["code"] == "no-diagnosis"


def test_who_may_ask(bridge: Bridge, daemon: Daemon) -> None:
    """Who has no route learns nothing; a token allows more than looking; some at once, no more."""
    daemon.verdict = VERDICT
    upstream = closed_port()
    target = b"127.0.0.1:%d" % upstream["port"]
    token = "0123456789abcdef"
    with_token = (DIAGNOSE % target).replace(b"Host", b"Authorization: Bearer %s\r\nHost")
    config = bridge.config([{"upstreams": [upstream]}], diagnose={"tokens": [token]})
    daemon.tell(config, bridge.listener)
    bridge.attach(daemon)
    assert bridge.ask(DIAGNOSE % target).status == 200
    assert bridge.ask(with_token % token.encode()).status == 200
    assert [q["active"] for q in daemon.questions] == [False, True]
    wrong = bridge.ask(with_token % b"not-the-token-of-it")
    assert wrong.status == 401 and wrong.problem["code"] == "token-wrong"
    statuses = [bridge.ask(DIAGNOSE % b"no.where:80").status for _ in range(20)]
    assert statuses[0] == 404 and statuses[-1] == 429
    assert len(daemon.questions) == 2

    elsewhere = bridge.config([{"upstreams": [upstream], "sources": ["10.0.0.0/8"]}])
    daemon.tell(elsewhere, bridge.listener)
    bridge.stop()
    bridge.attach(daemon)  # its budgets are new
    assert bridge.ask(DIAGNOSE % target).problem["code"] == "target-not-known"
    assert len(daemon.questions) == 2


def test_metrics(bridge: Bridge, upstream: Upstream, tmp_path: Path) -> None:
    """All threads together; counters go on over a reload."""
    admin = tmp_path / "admin"
    routes = [{"upstreams": [upstream.config]}]
    settings = {"threads": 2, "admin": f"unix:{admin}"}
    bridge.start(routes, **settings)
    for _ in range(6):
        assert serve_once(bridge, upstream).status == 200
    answer = _ask_admin(admin, "/metrics")
    assert answer.status == 200 and "openmetrics" in (answer.get("content-type") or "")
    text = answer.body.decode()
    assert text.endswith("# EOF\n")

    def count() -> list[str]:
        text = _ask_admin(admin, "/metrics").body.decode()
        return [x for x in text.splitlines() if 'host="a.internal"' in x and x.endswith(" 6")]

    assert poll("six requests", count)
    bridge.reload([*routes, {"host": "b.internal", "sources": ["10.0.0.0/8"], **routes[0]}], **settings)
    b = GET.replace(b"a.int", b"b.int")
    poll("the new route", lambda: bridge.ask(b).status == 403)
    assert poll("still six", count)
    assert json.loads(_ask_admin(admin, "/status").body)
    assert _ask_admin(admin, "/status", "HEAD").status == 200
    assert _ask_admin(admin, "/other").status == 404
    assert _ask_admin(admin, "/metrics", "POST").status == 405
    # Not to callers.
    assert bridge.ask(GET.replace(b"/ ", b"/metrics ").replace(b"a.int", b"c.int")).status == 404


def test_verdicts_are_counted(bridge: Bridge, daemon: Daemon, tmp_path: Path) -> None:
    admin = tmp_path / "admin"
    daemon.verdict = VERDICT
    daemon.tell(bridge.config([{"upstreams": [closed_port()]}], admin=f"unix:{admin}"), bridge.listener)
    bridge.attach(daemon)
    for _ in range(3):
        assert bridge.ask(GET).problem["code"] == VERDICT["code"]
    text = _ask_admin(admin, "/metrics").body.decode()
    assert f'meshgw_bridge_verdicts_total{{code="{VERDICT["code"]}"}} 3\n' in text
    assert 'meshgw_bridge_answers_total{code="upstream-refused"} 3\n' in text


def test_status_of_meshgwd(bridge: Bridge, daemon: Daemon, tmp_path: Path) -> None:
    """With it, and without."""
    admin = tmp_path / "admin"
    daemon.tell(bridge.config([{"upstreams": [closed_port()]}], admin=f"unix:{admin}"), bridge.listener)
    bridge.attach(daemon)
    assert poll("attached", lambda: b'"attached":true' in _ask_admin(admin, "/status").body)
    daemon.stop()
    assert poll("gone", lambda: b'"attached":false' in _ask_admin(admin, "/status").body)
    daemon.start()


def test_admin_by_address(bridge: Bridge, echoing: Upstream) -> None:
    """On a port of the loopback interface; it moves with a reload, and has no routes."""
    routes = [{"upstreams": [echoing.config]}]
    ports = [free_port() for _ in range(2)]
    bridge.start(routes, admin=f"127.0.0.1:{ports[0]}")
    metrics = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    def ask(port: int, request: bytes = metrics) -> int:
        try:
            peer = Peer(socket.create_connection(("127.0.0.1", port)))
        except ConnectionRefusedError:
            return 0
        peer.send(request)
        return read_message(peer).status

    poll("there", lambda: ask(ports[0]) == 200)
    assert ask(ports[0], GET) == 404
    bridge.reload(routes, admin=f"127.0.0.1:{ports[1]}")
    poll("the other port", lambda: ask(ports[1]) == 200)
    poll("and only there", lambda: ask(ports[0]) == 0)


LABEL = r'[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"([a-z_]+)(\{{{LABEL}(?:,{LABEL})*\}})? [0-9.e+-]+")
SUFFIXES = {
    "counter": ("_total",), "gauge": ("",), "info": ("_info",),
    "histogram": ("_bucket", "_count", "_sum"),
}  # fmt: skip


def test_metrics_are_openmetrics(bridge: Bridge, upstream: Upstream, tmp_path: Path) -> None:
    """The page of a program that has served (OpenMetrics 1.0): each family once, its samples behind
    it and of its type, none of them twice."""
    admin = tmp_path / "admin"
    routes = [{"upstreams": [upstream.config]}, {"host": "*", "upstreams": [upstream.config]}]
    bridge.start(routes, admin=f"unix:{admin}")
    assert serve_once(bridge, upstream).status == 200
    lines = _ask_admin(admin, "/metrics").body.decode().split("\n")
    assert lines[-2:] == ["# EOF", ""]
    family, kind, seen = "", "", set()
    for line in lines[:-2]:
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            if word == "TYPE":
                assert name not in seen
                family, kind = name, rest
                seen.add(name)
            assert name == family and word in ("TYPE", "UNIT", "HELP"), line
            assert word != "UNIT" or family.endswith(f"_{rest}")
            continue
        found = SAMPLE.fullmatch(line)
        assert found and found[1] in {family + suffix for suffix in SUFFIXES[kind]}, line
        sample = line.rsplit(" ", 1)[0]
        assert sample not in seen or kind == "gauge" and sample == family, line
        seen.add(sample)
