# SPDX-License-Identifier: Apache-2.0
"""The allow list refuses: test_carry.py has what it lets through.

    worker, device ── edge ══ CloudflareWARP gw1 eth0 ── service, router ── remote
"""

from __future__ import annotations

import pytest

from conftest import FAMILIES
from lab import flow
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import CommandError
from survival import MODES, config, counter

ALLOW = """\
allow:
  - {from: workers, to: 10.0.1.50, tcp: [3000]}
  - {from: workers, to: "2001:db8:1::50", tcp: [3000]}
  - {from: devices, to: 10.0.1.0/24, udp: [3002], icmp: true}
  - {from: devices, to: "2001:db8:1::/64", udp: [3002], icmp: true}
"""


@FAMILIES
@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize("mode", MODES)
def test_allow_list(
    lab: Lab, gw1: Machine, worker: Node, device: Node, service: Node, remote: Node,
    six: int, mode: str,
) -> None:  # fmt: skip
    """What is listed passes, what is not is refused at once, and the LAN's own flows go on."""
    lab.deploy(gw1, config=config(mode) + ALLOW)
    denied = counter(gw1, "denied")
    seen = flow.DEVICE if mode == "route" else flow.GW1
    assert flow.reaches(worker, flow.SERVICE[six])
    assert flow.udp(device, flow.SERVICE[six]) == seen[six]
    assert flow.ping(device, flow.SERVICE[six])
    assert flow.fetch(service, flow.DEVICE[six]) == flow.SERVICE[six]
    assert flow.fetch(remote, flow.DEVICE[six]) == flow.REMOTE[six]
    assert flow.ping(remote, flow.DEVICE[six])
    assert flow.is_refused(service, flow.DEVICE[six])
    assert counter(gw1, "denied") == denied
    with pytest.raises(CommandError, match="exit status 7"):  # refused, not timed out
        flow.fetch(worker, flow.REMOTE[six], timeout=2)
    with pytest.raises(CommandError, match="exit status 7"):
        flow.fetch(device, flow.SERVICE[six], timeout=2)
    assert not flow.ping(worker, flow.SERVICE[six])
    assert counter(gw1, "denied") >= denied + 3


@pytest.mark.usefixtures("pristine")
def test_allow_list_of_ten_thousand(lab: Lab, gw1: Machine, worker: Node) -> None:
    """Accepted, in place at once, and still exact."""
    entries = [
        f"  - {{from: workers, to: 10.0.{1 + i // 5000}.{i % 250 + 1}, tcp: [{1000 + i // 250}]}}"
        for i in range(9_999)
    ]
    entries.append("  - {from: workers, to: 10.0.1.50, tcp: [3000]}")
    lab.deploy(gw1, config=config("route") + "allow:\n" + "\n".join(entries) + "\n")
    assert flow.fetch(worker, flow.SERVICE[0]) == flow.WORKER[0]
    assert not flow.reaches(worker, flow.REMOTE[0])
