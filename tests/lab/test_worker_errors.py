# SPDX-License-Identifier: Apache-2.0
"""What a Worker is told when its call fails: examples/wrangler, tested by vitest in node worker.

    worker: vitest, workerd ── edge ══ CloudflareWARP gw1 eth0 ── service

The faults are in examples/wrangler/test/lab. On gw1 the HTTP bridge serves port 8080; on port 80
stands in for it who answers what it is not asked yet, with meshgw's own verdicts.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from lab import example
from lab.lab import HERE
from lab.machine import Machine
from lab.shell import poll_until
from survival import Site

GATEWAY, TOKEN = "100.96.0.18", "a-secret-of-the-lab"
CONFIG = HERE.parent / "golden/bridge/minimal.json"
BRIDGE = "/usr/libexec/meshgw/meshgw-bridge"
REPORT = "/src/build/lab/results/worker.xml"


def start_stand_in(gw1: Machine) -> None:
    """For the diagnose endpoint."""
    gw1.write("root/stand_in.py", (HERE / "stand_in.py").read_text(encoding="utf-8"))
    command = ["python3", "/root/stand_in.py", GATEWAY, "80", TOKEN]
    process = gw1.popen(command, output="/run/lab/stand-in")
    poll_until(lambda: "ready" in process.text(), 5, "the stand-in for the bridge")


def start_bridge(gw1: Machine) -> None:
    """The service, and a port of it where nobody listens."""
    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    closed = config["routes"][0]
    config["routes"] = [json.loads(json.dumps(closed)), closed]
    for route in config["routes"]:
        route["host"] = "*"
    closed["path"] = "/closed"
    closed["upstreams"][0]["port"] = 3999
    gw1.write("root/bridge.json", json.dumps(config))
    command = [
        "systemd-socket-activate", "-l", f"{GATEWAY}:8080", BRIDGE, "--config", "/root/bridge.json",
    ]  # fmt: skip
    process = gw1.popen(command, output="/run/lab/bridge")
    poll_until(lambda: "Listening" in process.text(), 5, "the bridge's socket")


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_worker_names_the_cause(site: Site) -> None:
    """Each of vitest's tests, and none of them left out."""
    start_stand_in(site.gw)
    start_bridge(site.gw)
    vitest = (
        "vitest run --config test/lab/vitest.config.ts"
        f" --reporter=default --reporter=junit --outputFile.junit={REPORT}"
    )
    done = site.worker.run(
        f"cd {example.make('example-lab')} && {example.SETTINGS} && {vitest}",
        check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    cases = list(ET.parse(REPORT).getroot().iter("testcase"))
    assert len(cases) >= 8 and not ET.parse(REPORT).getroot().findall(".//skipped")
