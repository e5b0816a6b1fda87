# SPDX-License-Identifier: Apache-2.0
"""Everything that a mesh node carries, in both modes, both families, by every kind of configuration.

    worker, device ── edge ══ CloudflareWARP gw1 eth0 ── service, router ── remote

The router's static routes lead to gw1, so that in mode route answers of `remote` come back, and
the LAN reaches devices in both modes. Without the client's own IPv6 routes (inject6=False) the
return route of IPv6 is meshgw's alone. With an allow list nothing of what it allows may count as
denied. With moved ranges worker and device have other addresses, of which only meshgw knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from conftest import FAMILIES
from lab import flow, network
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import poll_until
from lab.state import OUR_PROTOCOLS
from survival import MODES, config, counter
from warp import Traits

# What the tests of every path do, and no more.
ALLOW = """\
allow:
  - {from: workers, to: 10.0.1.50, tcp: [3000]}
  - {from: workers, to: "2001:db8:1::50", tcp: [3000]}
  - {from: workers, to: 10.0.2.60, tcp: [3000]}
  - {from: workers, to: "2001:db8:2::60", tcp: [3000]}
  - {from: devices, to: 10.0.1.0/24, tcp: [3000], udp: [9, 3002], icmp: true}
  - {from: devices, to: "2001:db8:1::/64", tcp: [3000], udp: [9, 3002], icmp: true}
  - {from: devices, to: 10.0.2.60, tcp: [3000], icmp: true}
  - {from: devices, to: "2001:db8:2::60", tcp: [3000], icmp: true}
"""
MOVED = """\
mesh:
  ranges:
    workers: [172.20.0.0/16, "2001:db8:f000::/64"]
    devices: [172.21.0.0/16, "2001:db8:f001::/64"]
"""
MOVED_RANGES = ("172.20.0.0/16", "172.21.0.0/16", "2001:db8:f000::/64", "2001:db8:f001::/64")
MOVED_WORKER = ("172.20.5.9", "2001:db8:f000::9")
MOVED_DEVICE = ("172.21.5.9", "2001:db8:f001::9")
IP = ("ip -4", "ip -6")


@dataclass(frozen=True)
class Setting:
    """What a path is made of."""

    mode: str
    inject6: bool = False
    allow: bool = False
    moved: bool = False

    def __str__(self) -> str:
        names = {"client-ipv6": self.inject6, "allow": self.allow, "moved": self.moved}
        return "-".join([self.mode, *(name for name, is_so in names.items() if is_so)])

    def config(self) -> str:
        """For meshgw."""
        moved, allow = MOVED if self.moved else "", ALLOW if self.allow else ""
        return f"{moved}{config(self.mode)}{allow}"


# In this order: a test that needs fewer paths takes the first of them.
BASIC = [Setting(mode) for mode in MODES]
PLAIN = BASIC + [Setting(mode, inject6=True) for mode in MODES]
EVERY = (
    PLAIN
    + [Setting(mode, inject6=inject, allow=True) for mode in MODES for inject in (False, True)]
    + [Setting(mode, allow=allow, moved=True) for mode in MODES for allow in (False, True)]
)


@dataclass
class Path:
    """gw1 with a setting, and who is behind it."""

    lab: Lab
    setting: Setting
    worker: tuple[str, str] = flow.WORKER
    device: tuple[str, str] = flow.DEVICE

    def seen(self, caller: tuple[str, str], six: int) -> str:
        """The address of a caller from the mesh, as the LAN sees it."""
        return (caller if self.setting.mode == "route" else flow.GW1)[six]


@contextlib.contextmanager
def moved(lab: Lab) -> Iterator[None]:
    """worker and device live in the other ranges; edge and router know these."""
    homes = ((lab.worker, MOVED_WORKER), (lab.device, MOVED_DEVICE))
    routes = [(prefix, flow.GW1[":" in prefix]) for prefix in MOVED_RANGES]
    for node, addresses in homes:
        for ip, address, via in zip(IP, addresses, ("198.51.100.1", "fe80::1"), strict=True):
            node.run(f"{ip} addr add {address} dev eth0" + " nodad" * (":" in address))
            node.run(f"{ip} route replace default via {via} dev eth0 onlink src {address}")
        lab.edge_learns(node.name, *addresses)
    for prefix, via in routes:
        lab.router.run(f"ip route add {prefix} via {via}")
    try:
        yield
    finally:
        for prefix, via in routes:
            lab.router.run(f"ip route del {prefix} via {via}")
        for node, addresses in homes:
            lab.edge_forgets(node.name, *addresses)
            network.configure(node.name)
            for ip, address in zip(IP, addresses, strict=True):
                node.run(f"{ip} addr del {address} dev eth0")


def params(settings: list[Setting]) -> list[Any]:
    """What is the client's is marked so, and the first ones are for CI."""
    client = pytest.mark.client("its routes of IPv6")
    return [
        pytest.param(s, id=str(s), marks=[client] * s.inject6 + [pytest.mark.both] * (s in BASIC))
        for s in settings
    ]


@pytest.fixture(scope="module", params=params(EVERY))
def path(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Path]:
    """gw1 with meshgw; at the end nothing that was allowed has been denied."""
    setting: Setting = request.param
    lab.reset(lab.gw1, traits=Traits(inject6=setting.inject6))
    lab.deploy(lab.gw1, config=setting.config())
    if setting.moved:
        with moved(lab):
            yield Path(lab, setting, MOVED_WORKER, MOVED_DEVICE)
    else:
        yield Path(lab, setting)
    assert counter(lab.gw1, "denied") == 0


BASIC_PATHS = pytest.mark.parametrize("path", params(BASIC), indirect=True)
PLAIN_PATHS = pytest.mark.parametrize("path", params(PLAIN), indirect=True)


# ---- on every path ----


def test_routes_are_those_of_the_ranges(path: Path, gw1: Machine) -> None:
    """No more and no fewer: with moved ranges the default ones mean nothing."""
    have = [
        route["dst"]
        for ip in IP
        for route in gw1.json(f"{ip} -N -j route show table main proto {OUR_PROTOCOLS[0]}")
    ]
    assert sorted(have) == sorted(MOVED_RANGES if path.setting.moved else network.RANGES)


@FAMILIES
@pytest.mark.parametrize("target", [flow.SERVICE, flow.REMOTE], ids=["service", "remote"])
def test_worker_fetches(path: Path, worker: Node, six: int, target: tuple[str, str]) -> None:
    """And the service sees who the mode says."""
    assert flow.fetch(worker, target[six]) == path.seen(path.worker, six)


@FAMILIES
def test_device_and_lan_open_tcp(
    path: Path, device: Node, service: Node, remote: Node, six: int
) -> None:
    """Both begin. The LAN keeps its own address in every mode."""
    assert flow.fetch(device, flow.SERVICE[six]) == path.seen(path.device, six)
    assert flow.fetch(device, flow.REMOTE[six]) == path.seen(path.device, six)
    assert flow.fetch(service, path.device[six]) == flow.SERVICE[six]
    assert flow.fetch(remote, path.device[six]) == flow.REMOTE[six]


@FAMILIES
def test_udp_both_begin(path: Path, device: Node, service: Node, six: int) -> None:
    """One datagram each way and its answer."""
    assert flow.udp(device, flow.SERVICE[six]) == path.seen(path.device, six)
    assert flow.udp(service, path.device[six]) == flow.SERVICE[six]


@FAMILIES
def test_icmp_both_begin(path: Path, device: Node, service: Node, six: int) -> None:
    """Echo requests each way."""
    assert flow.ping(device, flow.SERVICE[six])
    assert flow.ping(service, path.device[six])


@FAMILIES
def test_port_unreachable_passes(path: Path, device: Node, service: Node, six: int) -> None:
    """The ICMP error finds the socket that caused it, in both directions."""
    for node, target in ((device, flow.SERVICE), (service, path.device)):
        assert flow.is_refused(node, target[six])


def path_mtu(node: Node, address: str) -> int:
    """What the kernel has learnt."""
    routes = node.json(["ip", "-j", "route", "get", address])
    metrics = routes[0].get("metrics", [{}])
    return int(metrics[0].get("mtu", 0))


@FAMILIES
def test_too_big_reaches_the_lan(path: Path, service: Node, six: int) -> None:
    """A packet larger than the tunnel: the gateway says so and the LAN's host learns it."""
    service.run("ip route flush cache; ip -6 route flush cache")
    assert not flow.ping(service, path.device[six], 1400, "-M", "do")
    assert path_mtu(service, path.device[six]) == 1280


@FAMILIES
@pytest.mark.usefixtures("path")
def test_too_big_reaches_the_mesh(
    lab: Lab, device: Node, router: Machine, six: int
) -> None:
    """A narrow link behind the router: its error goes through the gateway into the tunnel."""
    warp = lab.warp["gw1"]
    device.run("ip route flush cache; ip -6 route flush cache")
    warp.set_mtu(1500)
    router.run("ip link set eth1 mtu 1280")
    try:
        # A tunnel that has just begun may not yet carry the error, which can have 1280 bytes itself.
        poll_until(
            lambda: not flow.ping(device, flow.REMOTE[six], 1300, "-M", "do")
            and path_mtu(device, flow.REMOTE[six]) == 1280,
            10, "the error arrives",
        )  # fmt: skip
    finally:
        router.run("ip link set eth1 mtu 1500")
        device.run("ip route flush cache; ip -6 route flush cache")
        warp.set_mtu(1280)


# ---- on the paths that may differ ----


def announced_mss(node: Node, line: str) -> int:
    """Of a SYN in tcpdump's words."""
    assert "mss " in line, f"{node.name}: {line}"
    return int(line.partition("mss ")[2].partition(",")[0].partition("]")[0])


@FAMILIES
@PLAIN_PATHS
@pytest.mark.usefixtures("path")
def test_mss_follows_the_tunnel(lab: Lab, worker: Node, service: Node, six: int) -> None:
    """Clamped in both directions to what the tunnel carries, also after its MTU has changed."""
    warp = lab.warp["gw1"]
    header = (40, 60)[six]
    mtus = (1280, 1400, 1280)
    try:
        for mtu in mtus:
            warp.set_mtu(mtu)
            with flow.Capture(service, "tcp port 3000") as capture:
                poll_until(lambda: flow.reaches(worker, flow.SERVICE[six]), 2, "the flow")
                poll_until(lambda: capture.lines(having="[S.]"), 2, "the handshake")
            assert announced_mss(service, capture.lines(having="[S]")[0]) == mtu - header
    finally:
        warp.set_mtu(1280)


@FAMILIES
@BASIC_PATHS
def test_many_full_segments(path: Path, worker: Node, six: int) -> None:
    """64 MiB, packet by packet, as the client hands them over."""
    before = counter(path.lab.gw1, "to_mesh", "bytes")
    flow.carry(worker, flow.SERVICE[six], 64 << 20)
    assert counter(path.lab.gw1, "to_mesh", "bytes") - before > 64 << 20


@PLAIN_PATHS
def test_route_mode_uses_no_conntrack(path: Path, gw1: Machine, worker: Node) -> None:
    """Unless something configured needs it; masquerading does."""
    gw1.outside.run("conntrack -F 2>/dev/null", check=False)
    assert flow.reaches(worker, flow.SERVICE[0])
    entries = gw1.outside.out("conntrack -L 2>/dev/null", check=False)
    assert ("100.64.12.189" in entries) == (path.setting.mode == "masquerade")


@PLAIN_PATHS
def test_spoofed_source_is_dropped(path: Path, gw1: Machine, service: Node) -> None:
    """A mesh source cannot come from the LAN."""
    del path
    before = counter(gw1, "spoofed")
    service.run("ip addr add 100.64.7.7/32 dev lo")
    try:
        service.run("ping -n -c 1 -W 1 -I 100.64.7.7 10.0.1.11", check=False)
    finally:
        service.run("ip addr del 100.64.7.7/32 dev lo")
    assert counter(gw1, "spoofed") > before
