# SPDX-License-Identifier: Apache-2.0
"""The bridge and meshgwd: what it is told, what it asks, and each of them without the other."""

from __future__ import annotations

import json
import socket
import threading

from bench import Bridge, Daemon, Peer, Upstream, poll, read_message
from test_failure import GET, OK, _closed_port

VERDICT = {
    "code": "service-port-closed",
    "class": "service",
    "summary": "Nothing listens at 10.0.1.50:3000.",
    "id": "01JTESTTESTTESTTESTTESTTES",
    "confidence": "certain",
    "evidence": [{"text": "the service answered with RST", "command": "tcpdump -ni eth0"}],
}


def test_told(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """Nothing, then a configuration, then another socket, then nothing again."""
    daemon.tell(None)
    bridge.attach(daemon)
    poll("attached", lambda: daemon.attached)
    client = bridge.connect()  # it waits in the queue
    client.send(GET)
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    assert read_message(client).status == 200
    with socket.create_server(("127.0.0.1", 0)) as second:
        daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), second)
        other = Peer(socket.create_connection(second.getsockname()))
        other.send(GET)
        assert read_message(other).status == 200
        client.send(GET)  # it goes on
        assert read_message(client).status == 200
        late = bridge.connect()
        late.send(GET)
        daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), second, bridge.listener)
        assert read_message(late).status == 200


def test_not_understood(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """Nothing changes, and the log says why."""
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    bridge.attach(daemon)
    assert bridge.ask(GET).status == 200
    daemon.tell({"routes": [{"host": "a b"}]})
    poll("a complaint", lambda: "not understood" in bridge.log.read_text())
    assert bridge.ask(GET).status == 200


def test_without_daemon(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """It goes on serving, and is there again when the daemon is."""
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    bridge.attach(daemon)
    assert bridge.ask(GET).status == 200
    daemon.stop()
    poll("noticed", lambda: "meshgwd is gone" in bridge.log.read_text())
    assert bridge.ask(GET).status == 200
    daemon.tell(bridge.config([{"host": "b.internal", "upstreams": [echoing.config]}]), bridge.listener)
    daemon.start()
    poll("attached again", lambda: daemon.attached)
    poll("the new one", lambda: bridge.ask(GET).status == 404)


def test_killed(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """The queue of connections survives it."""
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    bridge.attach(daemon)
    assert bridge.ask(GET).status == 200
    assert bridge.process
    bridge.process.kill()
    bridge.process.wait()
    client = bridge.connect()
    client.send(GET)
    bridge.attach(daemon)
    assert read_message(client).status == 200


def test_verdict(bridge: Bridge, daemon: Daemon) -> None:
    """A failure names the cause that meshgwd found, asked once for all who wait."""
    daemon.verdict = VERDICT
    upstream = _closed_port()
    daemon.tell(bridge.config([{"upstreams": [upstream]}], reveal="all"), bridge.listener)
    bridge.attach(daemon)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(bridge.ask(GET))) for _ in range(20)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for answer in [*answers, bridge.ask(GET)]:
        assert answer.status == 502
        assert answer.problem["code"] == "service-port-closed"
        assert answer.problem["instance"].endswith(VERDICT["id"])
        assert "service-port-closed" in (answer.get("proxy-status") or "")
    assert len(daemon.questions) == 1
    assert daemon.questions[0]["target"] == f"127.0.0.1:{upstream['port']}"
    line = poll("the log", lambda: bridge.lines()[20:])[0]
    assert line["code"] == "service-port-closed" and VERDICT["id"] in json.dumps(line)


def test_no_verdict(bridge: Bridge, daemon: Daemon) -> None:
    """What the bridge saw itself."""
    daemon.tell(bridge.config([{"upstreams": [_closed_port()]}]), bridge.listener)
    bridge.attach(daemon)
    for _ in range(3):
        assert "connection_refused" in (bridge.ask(GET).get("proxy-status") or "")
    assert len(daemon.questions) == 1
    daemon.stop()
    assert bridge.ask(GET).status == 502
    daemon.start()


def test_client_leaves_a_question(bridge: Bridge, daemon: Daemon, upstream: Upstream) -> None:
    """Nobody waits for the verdict any more."""
    other = {"host": "b.internal", "upstreams": [upstream.config]}
    daemon.tell(bridge.config([{"upstreams": [_closed_port()]}, other]), bridge.listener)
    bridge.attach(daemon)
    poll("attached", lambda: daemon.attached)
    daemon._called = lambda link, call: daemon.questions.append(call)  # never answers
    client = bridge.connect()
    client.send(GET)
    poll("asked", lambda: daemon.questions)
    client.close()
    client = bridge.connect()
    client.send(GET.replace(b"a.int", b"b.int"))
    service = upstream.peer()
    read_message(service)
    service.send(OK)
    assert read_message(client).status == 200


def test_access_log(bridge: Bridge, daemon: Daemon, upstream: Upstream) -> None:
    """A line a request, without what could be secret."""
    daemon.tell(bridge.config([{"upstreams": [upstream.config], "path": "/x"}]), bridge.listener)
    bridge.attach(daemon)
    client = bridge.connect()
    client.send(b"POST /x/y?token=secret HTTP/1.1\r\nHost: a.internal\r\nContent-Length: 3\r\n\r\nabc")
    service = upstream.peer()
    read_message(service)
    service.send(OK)
    read_message(client)
    client.send(b"GET /x HTTP/1.1\r\nHost: a.internal\r\n\r\n")
    read_message(service)
    client.close()
    first, second = poll("two lines", lambda: bridge.lines()[1:] and bridge.lines())
    assert "secret" not in bridge.access.read_text()
    text = json.dumps(first)
    for word in '"POST"', '"/x/y"', '"a.internal/x"', upstream.config["addresses"][0]:
        assert word in text, text
    assert first["status"] == 200
    assert "abort" in json.dumps(second)
