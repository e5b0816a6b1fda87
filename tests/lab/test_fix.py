# SPDX-License-Identifier: Apache-2.0
"""What a verdict names is repaired by `meshgw fix`: shown first, done with consent, and then the
flow works. Nothing of others changes but what was named.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from lab import flow, network
from lab.machine import Machine
from lab.shell import poll_until
from survival import Site

NO_CONSENT = 18
TARGET = f"{flow.SERVICE[0]}:{flow.HTTP}"


# Of services on gw1 itself.
OPENED, CLOSED = 3100, 3101
OWN = network.MESH["gw1"][0]
CONTROL = "/run/meshgw/control"


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


def verdict(gw1: Machine, target: str = TARGET) -> str:
    """Of a diagnosis of the flow."""
    done = gw1.run(f"meshgw --json diagnose {target}", check=False, timeout=30)
    return str(json.loads(done.stdout)["code"])


def asks(site: Site, port: int) -> bool:
    """A worker asks a service on gw1 itself."""
    command = ["curl", "-sS", "-o", "/dev/null", "--max-time", "0.5", flow.url(OWN, port=port)]
    return site.worker.run(command, check=False).returncode == 0


def call(gw1: Machine, **parameters: Any) -> tuple[str, dict[str, Any]]:
    """Fix, as any client of the daemon may call it: the error, and the answer."""
    done = gw1.run(
        ["varlinkctl", "call", "--json=short", f"unix:{CONTROL}", "io.meshgw.Gateway.Fix",
         json.dumps(parameters)], check=False,
    )  # fmt: skip
    return done.stderr.strip(), json.loads(done.stdout) if done.stdout.strip() else {}


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
        for another in ("conntrack-stale-nat", "return-route-missing"):
            other = site.gw.run(f"meshgw fix -y {another}", check=False)
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
    """The field report's repair by hand goes, and the flow does not notice. What could be for
    somebody else stays: gw1 has another interface."""
    site.gw.run(
        "ip route add 100.64.0.0/12 dev CloudflareWARP 2>/dev/null; nft add table inet nat && "
        "nft add chain inet nat postrouting '{ type nat hook postrouting priority 100; }' && "
        "nft add rule inet nat postrouting oifname eth0 masquerade"
    )
    site.gw.run("meshgw fix -y leftovers")
    site.gw.run("nft list table inet nat")
    site.gw.run(
        "nft flush chain inet nat postrouting && "
        "nft add rule inet nat postrouting ip saddr 100.64.0.0/12 oifname eth0 masquerade"
    )
    site.gw.run("meshgw fix -y leftovers")
    assert site.gw.run("nft list table inet nat", check=False).returncode != 0
    for address in flow.SERVICE:
        flow.fetch(site.worker, address)
    site.spent()


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_opens_one_port(site: Site) -> None:
    """What drops packets for gw1 itself lets the one service through, and nothing else."""
    serve = "import http.server as h, sys; h.test(h.SimpleHTTPRequestHandler, port=int(sys.argv[1]))"
    services = [site.gw.popen(["python3", "-c", serve, str(port)]) for port in (OPENED, CLOSED)]
    try:
        for port in (OPENED, CLOSED):
            poll_until(lambda p=port: asks(site, p), 10, f"port {port} answers")
        site.gw.run(
            "nft add table inet site && "
            "nft add chain inet site guard '{ type filter hook input priority 5; }' && "
            "nft add rule inet site guard iifname CloudflareWARP ip saddr 100.64.0.0/10 drop"
        )
        poll_until(lambda: not asks(site, OPENED), 5, "the filter drops")
        assert verdict(site.gw, f"{OWN}:{OPENED}") == "filter-drop-input"
        shown = site.gw.run("meshgw fix filter-drop-input </dev/null", check=False)
        assert shown.returncode == NO_CONSENT
        assert f"tcp dport {OPENED} accept" in shown.stdout
        assert not asks(site, OPENED)
        site.gw.run("meshgw fix -y filter-drop-input")
        poll_until(lambda: asks(site, OPENED), 2, "the service is reached")
        assert not asks(site, CLOSED)
    finally:
        site.gw.run("nft delete table inet site", check=False)
        for service in services:
            service.stop()
            site.gw.processes.remove(service)
    site.spent()


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_only_what_was_shown(site: Site) -> None:
    """Another diagnosis, or another state, and the consent is void."""
    site.gw.run("ip route add blackhole 10.0.1.50/32 metric 7")
    try:
        poll_until(lambda: site.fails(flow.SERVICE[0]), 5, "the fault works")
        code = {"code": "route-blackhole"}
        error, shown = call(site.gw, **code, target=TARGET, preview=True)
        assert shown["operations"][0]["name"] == "route 10.0.1.50/32", error
        assert "InvalidParameter" in call(site.gw, **code, preview=False)[0]
        assert verdict(site.gw) == "route-blackhole"
        error, _ = call(site.gw, **code, preview=False, digest=shown["digest"])
        assert "NotFixable" in error
        _, again = call(site.gw, **code, preview=True)
        site.gw.run(
            "ip route add blackhole 10.0.1.50/32 metric 6; "
            "ip route del blackhole 10.0.1.50/32 metric 7"
        )
        error, _ = call(site.gw, **code, preview=False, digest=again["digest"])
        assert "NotFixable" in error
        assert site.fails(flow.SERVICE[0])
    finally:
        site.gw.run("ip route flush type blackhole 10.0.1.50/32", check=False)
    flow.works_within(2, site.worker, flow.SERVICE[0])
    site.spent()
