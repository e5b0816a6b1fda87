# SPDX-License-Identifier: Apache-2.0
"""The bridge and meshgwd: what it is told, what it asks, and each of them without the other."""

from __future__ import annotations

import json
import signal
import socket
import threading

from bench import GET, OK, Bridge, Daemon, Peer, Upstream, closed_port, poll, read_message, under_way

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


def test_told_twice_at_once(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """Both replies are read together, and the sockets of the second one are lost: it asks again."""
    daemon.tell(None)
    bridge.attach(daemon)
    poll("attached", lambda: daemon.attached)
    bridge.hold()
    daemon.tell(None)
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    bridge.let_go()
    assert bridge.ask(GET).status == 200


def test_reports(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """meshgwd hears what is served, and why something is not."""
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    bridge.attach(daemon)
    poll("served", lambda: {"generation": 1} in daemon.reports)
    daemon.tell({"routes": [{"host": "a b"}]})
    refused = poll("refused", lambda: [r for r in daemon.reports if r.get("refusal")])[0]
    assert refused["generation"] == 2 and "bridge." in refused["refusal"]
    daemon.tell(None)
    poll("served again", lambda: daemon.reports[-1] == {"generation": 3})


def test_unusable_certificate(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """Who serves goes on with what it had; who begins serves the rest. meshgwd hears which upstream
    it is, and sockets are taken all the same."""
    good = {"upstreams": [echoing.config]}
    broken = {
        "host": "b.internal",
        "upstreams": [{**echoing.config, "scheme": "https", "host": "s.internal"}],
        "tls": {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    }

    def told(generation: int) -> dict[str, object]:
        reports = [r for r in daemon.reports if r["generation"] == generation]
        return reports[0] if reports else {}

    daemon.tell(bridge.config([broken, good]), bridge.listener)
    bridge.attach(daemon)
    assert "upstream https://s.internal:" in poll("a refusal", lambda: told(1))["refusal"]
    assert bridge.ask(GET).status == 200
    daemon.tell(bridge.config([good]), bridge.listener)
    assert poll("served", lambda: told(2)) == {"generation": 2}
    with socket.create_server(("127.0.0.1", 0)) as second:
        daemon.tell(bridge.config([broken]), second)
        assert "ca: no certificate" in poll("a refusal", lambda: told(3))["refusal"]
        client = Peer(socket.create_connection(second.getsockname()))
        client.send(GET)
        assert read_message(client).status == 200


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
    """A failure names the cause that meshgwd found, asked once for all who wait; the question is
    about the bridge's own way, and the answer says which gateway it is of."""
    daemon.verdict = VERDICT
    upstream = closed_port()
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
        status = answer.get("proxy-status") or ""
        assert "service-port-closed" in status and status.startswith("meshgw-gw1;")
    assert len(daemon.questions) == 1
    asked = daemon.questions[0]
    assert asked["target"] == f"http://127.0.0.1:{upstream['port']}"
    assert asked["from"] == "gateway"
    line = poll("the log", lambda: bridge.lines()[20:])[0]
    assert line["code"] == "service-port-closed" and VERDICT["id"] in json.dumps(line)


def test_no_verdict(bridge: Bridge, daemon: Daemon) -> None:
    """What the bridge saw itself."""
    daemon.tell(bridge.config([{"upstreams": [closed_port()]}]), bridge.listener)
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
    daemon.tell(bridge.config([{"upstreams": [closed_port()]}, other]), bridge.listener)
    bridge.attach(daemon)
    poll("attached", lambda: daemon.attached)
    daemon._called = lambda link, call: daemon.questions.append(call)  # never answers
    client = bridge.connect()
    client.send(GET)
    poll("asked", lambda: daemon.questions)
    client.close()
    client, service = under_way(bridge, upstream, GET.replace(b"a.int", b"b.int"))
    service.send(OK)
    assert read_message(client).status == 200


def test_access_log(bridge: Bridge, daemon: Daemon, upstream: Upstream) -> None:
    """A line a request, without what could be secret."""
    daemon.tell(bridge.config([{"upstreams": [upstream.config], "path": "/x"}]), bridge.listener)
    bridge.attach(daemon)
    request = b"POST /x/y?token=secret HTTP/1.1\r\nHost: a.internal\r\nContent-Length: 3\r\n\r\nabc"
    client, service = under_way(bridge, upstream, request)
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


def test_rotated_log(bridge: Bridge, daemon: Daemon, echoing: Upstream) -> None:
    """What was moved away is left alone after a reload; until then it gets the lines."""
    daemon.tell(bridge.config([{"upstreams": [echoing.config]}]), bridge.listener)
    bridge.attach(daemon)
    assert bridge.process
    assert bridge.ask(GET).status == 200
    poll("a line", bridge.lines)
    old = bridge.access.rename(bridge.access.with_suffix(".1"))
    assert bridge.ask(GET).status == 200
    poll("another", lambda: len(old.read_text().splitlines()) == 2)
    bridge.process.send_signal(signal.SIGHUP)
    poll("a new file", lambda: "opened again" in bridge.log.read_text())  # the old one has no more
    assert bridge.ask(GET).status == 200
    poll("its line", lambda: len(bridge.lines()) == 1)
    assert len(old.read_text().splitlines()) == 2
    # Where it cannot be opened, the one before goes on.
    bridge.access.rename(bridge.access.with_suffix(".2"))
    bridge.access.mkdir()
    bridge.process.send_signal(signal.SIGHUP)
    poll("a complaint", lambda: "Is a directory" in bridge.log.read_text())
    assert bridge.ask(GET).status == 200
    poll("its line", lambda: len(bridge.access.with_suffix(".2").read_text().splitlines()) == 2)
