# SPDX-License-Identifier: Apache-2.0
"""What a Worker is told when its call fails: examples/wrangler, tested by vitest in node worker.

    worker: vitest, workerd ── edge ══ CloudflareWARP gw1 eth0 ── service

The faults are in examples/wrangler/test/lab. Who answers on gw1 stands in for the HTTP bridge; the
verdicts are meshgw's own.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lab import example
from lab.lab import HERE
from lab.shell import poll_until
from survival import Site

GATEWAY, TOKEN = "100.96.0.18", "a-secret-of-the-lab"
REPORT = "/src/build/lab/results/worker.xml"


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_worker_names_the_cause(site: Site) -> None:
    """Each of vitest's tests, and none of them left out."""
    server = (HERE / "stand_in.py").read_text(encoding="utf-8")
    site.gw.write("root/stand_in.py", server)
    stand_in = site.gw.popen(
        ["python3", "/root/stand_in.py", GATEWAY, "80", TOKEN], output="/run/lab/stand-in"
    )
    poll_until(lambda: "ready" in stand_in.text(), 5, "the stand-in for the bridge")
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
    assert len(cases) >= 6 and not ET.parse(REPORT).getroot().findall(".//skipped")
