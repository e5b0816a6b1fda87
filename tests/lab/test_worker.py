# SPDX-License-Identifier: Apache-2.0
"""A real Worker (workerd) fetches through its binding: what the project is for.

    worker: workerd, env.MESH.fetch() ── edge ══ CloudflareWARP gw1 eth0 ── service

The other tests' requests are curl's, which is faster and says more.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import FAMILIES
from lab import flow
from lab.lab import HERE, Lab
from lab.node import Node
from lab.shell import Process
from survival import Site
from warp import Traits


def calls(worker: Node, address: str) -> Process:
    """Begins one call."""
    command = ["python3", HERE / "worker.py", flow.url(address)]
    return worker.popen(command, output=f"/run/lab/worker-{':' in address}")


def answer(process: Process) -> tuple[int, dict[str, Any]]:
    """Exit status, and the one line that it printed."""
    status = process.wait()
    lines = process.text().splitlines()
    assert len(lines) == 1, process.text()
    return status, json.loads(lines[0])


@pytest.mark.both
@FAMILIES
def test_worker_fetches(site: Site, six: int) -> None:
    """200, and the service saw who the mode says."""
    address = flow.SERVICE[six]
    status, line = answer(calls(site.worker, address))
    line.pop("ms")
    body = f"{site.seen(address)}\n"
    url = flow.url(address)
    assert line == {"url": url, "status": 200, "body": body, "error": None, "why": None}
    assert status == 0


@pytest.mark.client("without meshgw there is no tunnel")
def test_bare_gateway(pristine: Lab, worker: Node) -> None:
    """Without a way back the Worker is told of an error, in each family, and nothing else."""
    pristine.reset(pristine.gw1, traits=Traits(inject6=False))
    for process in [calls(worker, address) for address in flow.SERVICE]:
        status, line = answer(process)
        assert status == 1
        assert line["status"] is None and line["body"] is None
        assert "timed out" in line["error"]
