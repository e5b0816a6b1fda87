# SPDX-License-Identifier: Apache-2.0
"""The benches still run: a few repairs beside zebra, each seen. Nothing is asserted about time."""

from __future__ import annotations

import json
import subprocess

from lab import build


def test_heal() -> None:
    """Not with the sanitizers: their runtime must be loaded before what the bench preloads."""
    tree = build.tree("dev")
    done = subprocess.run(
        ["python3", build.SRC / "tests/bench/run.py", "heal", "--rounds=2", "--foreign=0",
         f"--meshgwd={tree / 'gateway/daemon/meshgwd'}", f"--tools={tree / 'tests/bench'}",
         "--json"],
        stdout=subprocess.PIPE, check=True, timeout=60,
    )  # fmt: skip
    rows = json.loads(done.stdout)["rows"]
    assert len(rows) == 7
    assert all(row["meshgwd"]["not_mended"] == 0 for row in rows), rows
    assert all(row["zebra"]["not_mended"] == 0 for row in rows if "zebra" in row), rows
