# SPDX-License-Identifier: Apache-2.0
"""What a Worker is told when its call fails: examples/wrangler, tested by vitest in node worker.

    worker: vitest, workerd ── edge ══ CloudflareWARP gw1 eth0 ── service

The faults are in examples/wrangler/test/lab. gw1 has meshgwd and the HTTP bridge. The bridge has
meshgwd look; a diagnosis that tries is answered on port 8080 by a script that runs `meshgw
diagnose`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lab import example
from lab.lab import HERE
from lab.machine import Machine
from lab.shell import poll_until
from survival import Site, config

GATEWAY = "100.96.0.18"
TOKEN = "a-secret-of-the-lab"
REPORT = "/src/build/lab/results/worker.xml"
# Behind /closed nobody listens.
BRIDGE = """\
bridge:
  listen: [80]
  reveal: all
  diagnose: {targets: ["10.0.1.99:3000"]}
  routes:
    - {host: "*", upstream: "http://10.0.1.50:3000"}
    - {host: "*", path: /closed, upstream: "http://10.0.1.50:3999"}
"""


def start_bridge(site: Site) -> None:
    """As configured and started on a machine."""
    site.gw.write("etc/meshgw/meshgw.yaml", config("route") + BRIDGE)
    site.gw.out("meshgw apply")
    site.gw.systemctl("start", "meshgw-bridge")
    ask = ["curl", "-sS", "--fail", "--max-time", "1", f"http://{GATEWAY}/"]
    poll_until(lambda: site.worker.out(ask), 5, "the bridge serves")


def start_stand_in(gw1: Machine) -> None:
    """For the diagnose endpoint."""
    gw1.write("root/stand_in.py", (HERE / "stand_in.py").read_text(encoding="utf-8"))
    command = ["python3", "/root/stand_in.py", GATEWAY, "8080", TOKEN]
    process = gw1.popen(command, output="/run/lab/stand-in")
    poll_until(lambda: "ready" in process.text(), 5, "the stand-in for the bridge")


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_worker_names_the_cause(site: Site) -> None:
    """Each of vitest's tests, and none of them left out."""
    start_bridge(site)
    start_stand_in(site.gw)
    vitest = (
        "vitest run --config test/lab/vitest.config.ts"
        f" --reporter=default --reporter=junit --outputFile.junit={REPORT}"
    )
    done = site.worker.run(
        f"cd {example.make('example-lab')} && {example.SETTINGS} && {vitest}",
        check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = ET.parse(REPORT).getroot()
    assert len(list(report.iter("testcase"))) >= 11 and not report.findall(".//skipped")
