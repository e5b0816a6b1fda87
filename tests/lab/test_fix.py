# SPDX-License-Identifier: Apache-2.0
"""What a verdict names is repaired by `meshgw fix`: shown first, done with consent, and then the
flow works. Nothing of others changes but what was named.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from lab import flow
from lab.machine import Machine
from lab.shell import poll_until
from survival import Site

NO_CONSENT = 18
TARGET = f"{flow.SERVICE[0]}:{flow.HTTP}"


@dataclass(frozen=True)
class Fault:
    """Something on gw1 that stops the flow to the service, and what else belongs to it."""

    code: str
    does: str
    shows: str  # in the preview
    stays: str = "true"  # true of others' state after the repair
    undo: str = "true"


FAULTS = (
    Fault(
        "route-blackhole",
        "ip route add blackhole 10.0.1.50/32 && ip route add blackhole 10.0.1.51/32",
        "10.0.1.50/32",
        "ip route show type blackhole | grep -q 10.0.1.51",
        "ip route del blackhole 10.0.1.51/32",
    ),
    Fault(
        "filter-drop-forward",
        "nft add table inet site && "
        "nft add chain inet site guard '{ type filter hook forward priority 5; }' && "
        "nft add rule inet site guard tcp dport 22 drop && "
        "nft add rule inet site guard tcp dport 3000 drop",
        "in front of the rule",
        "nft list chain inet site guard | grep -q 'tcp dport 3000 drop'",
        "nft delete table inet site",
    ),
    Fault(
        "return-route-shadowed",
        "ip route add 100.64.0.0/12 dev eth0 metric 100",
        "metric 100",
    ),
)


def verdict(gw1: Machine) -> str:
    """Of a diagnosis of the flow."""
    done = gw1.run(f"meshgw --json diagnose {TARGET}", check=False, timeout=30)
    return str(json.loads(done.stdout)["code"])


@pytest.mark.parametrize("mode", ["route"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.code for fault in FAULTS])
def test_named_and_repaired(site: Site, fault: Fault) -> None:
    """By the last diagnosis."""
    site.is_well()
    site.gw.run(fault.does)
    try:
        poll_until(lambda: site.fails(flow.SERVICE[0]), 5, "the fault works")
        assert verdict(site.gw) == fault.code
        shown = site.gw.run(f"meshgw fix {fault.code}", check=False)
        assert shown.returncode == NO_CONSENT
        assert fault.shows in shown.stdout
        assert site.fails(flow.SERVICE[0])
        other = site.gw.run("meshgw fix -y conntrack-stale-nat", check=False)
        assert f"says {fault.code}" in other.stderr
        site.gw.run(f"meshgw fix -y {fault.code}")
        flow.works_within(2, site.worker, flow.SERVICE[0])
        site.gw.run(fault.stays)
        again = site.gw.run(f"meshgw fix -y {fault.code}", check=False)
        assert "no diagnosis" in again.stderr
    finally:
        site.gw.run(fault.undo, check=False)
    site.spent()


@pytest.mark.parametrize("mode", ["masquerade"], indirect=True)
def test_leftovers(site: Site) -> None:
    """The field report's repair by hand goes, and the flow does not notice."""
    site.gw.run(
        "ip route add 100.64.0.0/12 dev CloudflareWARP 2>/dev/null; nft add table inet nat && "
        "nft add chain inet nat postrouting '{ type nat hook postrouting priority 100; }' && "
        "nft add rule inet nat postrouting oifname eth0 masquerade"
    )
    site.gw.run("meshgw fix -y leftovers")
    assert site.gw.run("nft list table inet nat", check=False).returncode != 0
    for address in flow.SERVICE:
        flow.fetch(site.worker, address)
    site.spent()
