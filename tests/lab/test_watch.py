# SPDX-License-Identifier: Apache-2.0
"""Flows that fail are noticed, with a cause, and those that do not fail are not.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

gw1 hears of flows by connection tracking alone. Failures are real: ports without a service, a
service that drops, answers that are led astray.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab import flow
from lab.machine import Machine
from lab.node import Node
from lab.shell import poll_until
from survival import Site, config

# A failure is known after FLOW_TCP_US; a cause takes its turn then.
KNOWN_S = 12.0
ROWS = 512  # FLOW_STORE_ROWS
SILENT_PORT = 81
SILENCE = f"""\
table inet silence {{
    chain input {{
        type filter hook input priority 0
        tcp dport {SILENT_PORT} drop
    }}
}}
"""
# As many connections as there are ports, without waiting for any of them.
SCAN = """\
import socket, sys
address, ports = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
for first in range(10000, 10000 + ports, 200):
    socks = []
    for port in range(first, first + 200):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex((address, port))
        socks.append(sock)
    for sock in socks:
        sock.close()
"""
CONNECT = """\
import socket, sys
sock = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=4)
"""


def flows(gw1: Machine) -> list[dict[str, Any]]:
    """Of `meshgw status`; KeyError when nothing is watched."""
    found: list[dict[str, Any]] = json.loads(gw1.out("meshgw --json status"))["flows"]
    return found


def codes(gw1: Machine) -> set[tuple[str, str]]:
    """Target and code of every row."""
    return {(row["target"], row["code"]) for row in flows(gw1)}


def name(address: str, port: int) -> str:
    """As the rows have it."""
    return f"tcp [{address}]:{port}" if ":" in address else f"tcp {address}:{port}"


def knows(gw1: Machine, address: str, port: int, code: str) -> None:
    """Soon."""
    expected = (name(address, port), code)

    def look() -> bool:
        assert expected in codes(gw1), f"only {codes(gw1)}"
        return True

    poll_until(look, KNOWN_S, f"a row {expected}")


def tries(worker: Node, address: str, port: int) -> None:
    """A connection that fails."""
    assert worker.run(["python3", "-c", CONNECT, address, str(port)], check=False).returncode != 0


def memory_kb(gw1: Machine) -> int:
    """Of the daemon."""
    pid = gw1.unit("meshgwd", "MainPID")
    return int(gw1.out(f"awk '/VmRSS/ {{print $2}}' /proc/{pid}/status"))


@pytest.mark.parametrize("mode", ["masquerade"], indirect=True)
def test_watched_where_flows_are_tracked_anyway(site: Site, service: Node) -> None:
    """A refusal and a silence each make their row, in both families; what works makes none."""
    for address in flow.SERVICE:
        for _ in range(5):
            flow.fetch(site.worker, address)
        flow.udp(site.worker, address)
    follower = site.gw.popen("meshgw --json watch", output="/run/lab/watch")
    service.run(["nft", "-f", "-"], stdin=SILENCE)
    try:
        for address in flow.SERVICE:
            tries(site.worker, address, 80)
            tries(site.worker, address, SILENT_PORT)
        for address in flow.SERVICE:
            knows(site.gw, address, 80, "service-port-closed")
            knows(site.gw, address, SILENT_PORT, "upstream-silent")
    finally:
        service.run("nft delete table inet silence")
    assert {target for target, _ in codes(site.gw)} == {
        name(address, port) for address in flow.SERVICE for port in (80, SILENT_PORT)
    }
    row = next(row for row in flows(site.gw) if row["target"] == name(flow.SERVICE[0], 80))
    assert row["client"] == flow.WORKER[0]
    assert row["count"] == 1
    told = [json.loads(line) for line in follower.text().splitlines()]
    assert {line["code"] for line in told} == {"service-port-closed", "upstream-silent"}
    assert "a flow fails: flow=tcp 10.0.1.50:80" in site.gw.journal("-u", "meshgwd")


@pytest.mark.parametrize("mode", ["masquerade"], indirect=True)
def test_scan(site: Site) -> None:
    """Ten thousand closed ports: what is kept stays small, and nothing else suffers.

    On a machine that is slow enough some of it may go unheard; nothing of it is told falsely.
    """
    before = memory_kb(site.gw)
    done = site.worker.popen(["python3", "-c", SCAN, flow.SERVICE[0], "10000"])
    while done.running:
        site.is_well()
    poll_until(lambda: flows(site.gw), KNOWN_S, "a row of the scan")
    tries(site.worker, flow.SERVICE[1], 80)
    knows(site.gw, flow.SERVICE[1], 80, "service-port-closed")
    assert len(flows(site.gw)) <= ROWS
    assert {code for _, code in codes(site.gw)} == {"service-port-closed"}
    # What AddressSanitizer keeps of freed memory is no part of the store.
    assert memory_kb(site.gw) < before + 8192 or site.lab.options.preset == "asan"
    site.is_well()


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_switched_on(site: Site) -> None:
    """In mode route nothing is tracked or watched before the configuration says so."""
    with pytest.raises(KeyError):
        flows(site.gw)
    refused = site.gw.run("meshgw watch", check=False)
    assert refused.returncode != 0
    assert "watch: true" in refused.stderr
    site.gw.write("etc/meshgw/meshgw.yaml", config("route") + "watch: true\n")
    site.gw.run("meshgw apply")
    site.is_well()
    for address in flow.SERVICE:
        tries(site.worker, address, 80)
        knows(site.gw, address, 80, "service-port-closed")
    site.gw.write("etc/meshgw/meshgw.yaml", config("route"))
    site.gw.run("meshgw apply")
    with pytest.raises(KeyError):
        flows(site.gw)
    site.spent()
