# SPDX-License-Identifier: Apache-2.0
"""What a Worker is told when its call fails: examples/wrangler, tested by vitest in node worker.

    worker: vitest, workerd ── edge ══ CloudflareWARP gw1 eth0 ── service

gw1 has meshgwd and the HTTP bridge; the faults are in examples/wrangler/test/lab.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lab import example
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
  diagnose:
    targets: ["10.0.1.99:3000", "10.0.2.60:3000", "[2001:db8:1::50]:3999"]
    token_files: [/etc/meshgw/bridge.token]
  routes:
    - {host: "*", upstream: "http://10.0.1.50:3000"}
    - {host: "*", path: /closed, upstream: "http://10.0.1.50:3999"}
"""


def start_bridge(site: Site) -> None:
    """As configured and started on a machine."""
    site.gw.write("etc/meshgw/bridge.token", TOKEN)
    site.gw.out("chmod 400 /etc/meshgw/bridge.token && chown meshgw: /etc/meshgw/bridge.token")
    site.gw.write("etc/meshgw/meshgw.yaml", config("route") + BRIDGE)
    site.gw.out("meshgw apply")
    site.gw.systemctl("start", "meshgw-bridge")
    ask = ["curl", "-sS", "--fail", "--max-time", "1", f"http://{GATEWAY}/"]
    poll_until(lambda: site.worker.out(ask), 5, "the bridge serves")


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_worker_names_the_cause(site: Site) -> None:
    """Each of vitest's tests, and none of them left out."""
    start_bridge(site)
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
