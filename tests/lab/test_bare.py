# SPDX-License-Identifier: Apache-2.0
"""A gateway as Cloudflare's client leaves it: the fault that everybody meets.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service
                                        └─────── router (default gateway of gw1 and service)

The SYN goes through. The SYN-ACK comes back by the router, which has routes for the mesh; gw1 has
none, so it goes out by the default route, to the router, and round until its TTL ends.
"""

import json

import pytest

from lab import flow
from lab.flow import Capture
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import CommandError, poll_until
from warp import Traits


UNHEALTHY = 9  # exit status
pytestmark = [
    pytest.mark.usefixtures("pristine"),
    pytest.mark.client("without meshgw there is no tunnel"),
]


@pytest.mark.parametrize("address", [flow.SERVICE[0], flow.REMOTE[0]])
def test_worker_times_out(worker: Node, address: str) -> None:
    """Every IPv4 request fails."""
    with pytest.raises(CommandError, match="exit status 28"):
        flow.fetch(worker, address, timeout=1)


def test_syn_ack_goes_round(gw1: Machine, worker: Node) -> None:
    """One SYN in, out to the LAN; its SYN-ACK in and out again on eth0, many times."""
    with Capture(gw1.outside, f"tcp port 3000 and host {flow.WORKER[0]}") as capture:
        assert not flow.reaches(worker, flow.SERVICE[0])
        round_and_round = ("eth0", "Out", "Flags [S.]")
        poll_until(lambda: len(capture.lines(*round_and_round)) >= 30, 5, "it goes round")
    lines = capture.lines()
    assert [line.split(" IP")[0] for line in lines[:4]] == [
        "CloudflareWARP In",
        "eth0 Out",
        "eth0 In",
        "eth0 Out",
    ]
    assert "Flags [S]," in lines[0] and "Flags [S.]," in lines[3]
    assert capture.lines("CloudflareWARP", "Out") == []


def test_ipv6_works_by_the_clients_own_routes(worker: Node) -> None:
    """The client captures 2606:4700:cf1::/48, so IPv6 works without meshgw."""
    assert flow.fetch(worker, flow.SERVICE[1]) == flow.WORKER[1]
    assert flow.fetch(worker, flow.REMOTE[1]) == flow.WORKER[1]


def test_ipv6_fails_without_them(lab: Lab, worker: Node) -> None:
    """With another client it is the same fault."""
    lab.reset(lab.gw1, traits=Traits(inject6=False))
    with pytest.raises(CommandError, match="exit status 28"):
        flow.fetch(worker, flow.SERVICE[1], timeout=1)


def test_one_route_repairs_it(gw1: Machine, worker: Node) -> None:
    """What is missing is the return route and nothing else."""
    gw1.run("ip route add 100.64.0.0/12 dev CloudflareWARP")
    assert flow.fetch(worker, flow.SERVICE[0]) == flow.WORKER[0]
    assert flow.fetch(worker, flow.REMOTE[0]) == flow.WORKER[0]


def test_devices_work_by_the_include_list(device: Node, service: Node) -> None:
    """100.96.0.0/12 is in the wizard's profile: devices have a way back, in both directions."""
    assert flow.fetch(device, flow.SERVICE[0]) == flow.DEVICE[0]
    assert flow.fetch(service, flow.DEVICE[0]) == flow.SERVICE[0]
    assert flow.udp(device, flow.SERVICE[0]) == flow.DEVICE[0]
    assert flow.ping(service, flow.DEVICE[0])


def test_doctor_needs_no_configuration(gw1: Machine) -> None:
    """It says what is missing, and skips only what meshgw itself would have made."""
    gw1.systemctl("start", "meshgwd")
    try:
        done = gw1.run("meshgw --json doctor", check=False)
        checks = {c["name"]: c for c in json.loads(done.stdout)["checks"]}
        result = {name: c["result"] for name, c in checks.items()}
        assert done.returncode == UNHEALTHY
        assert result["configuration"] == result["return-routes"] == "fail", result
        assert checks["return-routes"]["code"] == "return-route-missing"
        looked = ("tunnel", "lan", "forwarding", "rules", "rp-filter", "lan-routes", "mtu",
                  "warp-filter", "filters", "nat", "leftovers", "clock")  # fmt: skip
        assert not [name for name in looked if result[name] in ("skip", "fail")], result
        assert result["table"] == result["return-path"] == "skip", result
    finally:
        gw1.systemctl("stop", "meshgwd")
