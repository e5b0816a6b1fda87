# SPDX-License-Identifier: Apache-2.0
"""Connections that last: one carries a gibibyte, others stay idle through the whole test run, opened
by the first test and used by the last (conftest.py moves them there). A run without the first one
opens them in the last.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service, router ── remote

`service` is reached by routes: gw1 holds no state of such flows. `remote` is reached with gw1's
address: what gw1 knew of the flow has been flushed many times when it is used again, but whoever
opened it speaks first, on the same ports, and so gets the same mapping.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import FAMILIES
from lab import flow
from lab.lab import Lab
from lab.node import Node
from survival import MODES, Talk, config
from warp import Traits

CONFIG = """\
lan:
  - interface: eth0
    networks:
      - {prefix: 10.0.1.0/24, return_path: route}
      - {prefix: "2001:db8:1::/64", return_path: route}
      - {prefix: 10.0.2.0/24, return_path: masquerade}
      - {prefix: "2001:db8:2::/64", return_path: masquerade}
return_path: route
"""
# Who opens, and what is reached how.
ENDS = {
    "worker-route": ("worker", flow.SERVICE),
    "worker-masquerade": ("worker", flow.REMOTE),
    "lan-route": ("service", flow.DEVICE),
    "lan-masquerade": ("remote", flow.DEVICE),
}


@pytest.fixture(scope="session")
def talks(lab: Lab) -> Iterator[dict[str, list[Talk]]]:
    """One of each kind and family."""
    lab.reset()
    lab.deploy(lab.gw1, config=CONFIG)
    opened = {
        name: [Talk(lab.nodes[node], address) for address in target]
        for name, (node, target) in ENDS.items()
    }
    yield opened
    for talk in sum(opened.values(), []):
        talk.end()


@pytest.mark.first
@pytest.mark.usefixtures("talks")
def test_open() -> None:
    """They are there."""


@pytest.fixture(scope="module")
def gw1_again(lab: Lab, talks: dict[str, list[Talk]]) -> None:
    """Whatever happened to it, the path is true again."""
    del talks
    lab.reset()
    lab.deploy(lab.gw1, config=CONFIG)


@pytest.mark.last
@pytest.mark.usefixtures("gw1_again")
@pytest.mark.parametrize("name", ENDS)
def test_use(talks: dict[str, list[Talk]], name: str) -> None:
    """After everything else."""
    for talk in talks[name]:
        talk.goes_on()


@FAMILIES
@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize("mode", MODES)
def test_one_gibibyte(lab: Lab, worker: Node, six: int, mode: str) -> None:
    """With segmentation offload on the TUNs, which makes it ten times as fast."""
    lab.reset(lab.gw1, traits=Traits(offload=True))
    lab.deploy(lab.gw1, config=config(mode))
    flow.carry(worker, flow.SERVICE[six], 1 << 30)
