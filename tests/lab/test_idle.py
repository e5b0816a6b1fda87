# SPDX-License-Identifier: Apache-2.0
"""A connection that stays idle through the whole test run: opened by the first test, used by the
last (conftest.py moves them there). Whatever happened to gw1 in between, the path is true again and
nothing has reset it. Mode route: the gateway holds no state of the flow.
"""

from __future__ import annotations

import subprocess

import pytest

from lab import flow
from lab.lab import Lab
from lab.node import Node
from lab.shell import Process

CLIENT = """\
import socket, sys
sock = socket.create_connection((sys.argv[1], 3001), 5)
for line in sys.stdin:
    sock.sendall(line.encode())
    print(sock.makefile().readline(), end="", flush=True)
"""
ROUTE = """\
lan: [{interface: eth0, networks: [10.0.1.0/24, "2001:db8:1::/64"]}]
return_path: route
"""
idle: list[Process] = []


def say(process: Process, line: str) -> str:
    """Through the connection and back."""
    assert process.popen.stdin
    process.popen.stdin.write(f"{line}\n".encode())
    process.popen.stdin.flush()
    return process.stdout.readline().decode().strip()


@pytest.mark.first
def test_open(lab: Lab, worker: Node) -> None:
    """One connection a family."""
    lab.deploy(lab.gw1, config=ROUTE)
    for address in flow.SERVICE:
        process = Process(
            "worker", worker.prefix(), ["python3", "-c", CLIENT, address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        idle.append(process)
        assert say(process, "first") == "first"


@pytest.mark.last
def test_use(lab: Lab) -> None:
    """After everything else."""
    if not idle:
        pytest.skip("the run left out the test that opens it")
    lab.reset()
    lab.deploy(lab.gw1, config=ROUTE)
    for process in idle:
        assert process.running
        assert say(process, "last") == "last"
        process.stop()
