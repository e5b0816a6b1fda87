# SPDX-License-Identifier: Apache-2.0
"""Everything that a mesh node carries, in both modes, both families, with two kinds of client.

    worker, device ── edge ══ CloudflareWARP gw1 eth0 ── service, router ── remote

The router's static routes lead to gw1, so that in mode route answers of `remote` come back, and
the LAN reaches devices in both modes. Without the client's own IPv6 routes (inject6=False) the
return route of IPv6 is meshgw's alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab import flow
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import CommandError, poll_until
from warp import Traits, Warp

FAMILIES = pytest.mark.parametrize("six", [0, 1], ids=["ipv4", "ipv6"])
LAN = """\
lan:
  - interface: eth0
    networks: [10.0.1.0/24, "2001:db8:1::/64", 10.0.2.0/24, "2001:db8:2::/64"]
"""
# A connected datagram socket hears of the ICMP error that answers it.
UDP_REFUSED = """\
import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(2)
sock.connect((sys.argv[1], 9))
sock.send(b"x")
try:
    sock.recv(1)
except ConnectionRefusedError:
    print("refused")
"""


@dataclass
class Path:
    """A mode, and what services see of a caller."""

    mode: str
    lab: Lab

    def seen(self, caller: tuple[str, str], six: int) -> str:
        """The address of a caller from the mesh, as the LAN sees it."""
        return (caller if self.mode == "route" else flow.GW1)[six]


@pytest.fixture(
    scope="module",
    params=[(mode, inject) for mode in ("route", "masquerade") for inject in (True, False)],
    ids=lambda p: f"{p[0]}-{'with' if p[1] else 'without'}-client-ipv6",
)
def path(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Path]:
    """gw1 with meshgw in one mode."""
    mode, inject = request.param
    lab.reset()
    lab.reset(lab.gw1, traits=Traits(inject6=inject))
    lab.deploy(lab.gw1, config=f"{LAN}return_path: {mode}\n")
    yield Path(mode, lab)


def counter(gateway: Machine, name: str, unit: str = "packets") -> int:
    """One named counter."""
    status = json.loads(gateway.out("meshgw --json status", check=False))
    return next(c[unit] for c in status["counters"] if c["name"] == name)


@FAMILIES
@pytest.mark.parametrize("target", [flow.SERVICE, flow.REMOTE], ids=["service", "remote"])
def test_worker_fetches(path: Path, worker: Node, six: int, target: tuple[str, str]) -> None:
    """And the service sees who the mode says."""
    assert flow.fetch(worker, target[six]) == path.seen(flow.WORKER, six)


@FAMILIES
def test_device_and_lan_open_tcp(
    path: Path, device: Node, service: Node, remote: Node, six: int
) -> None:
    """Both begin. The LAN keeps its own address in every mode."""
    assert flow.fetch(device, flow.SERVICE[six]) == path.seen(flow.DEVICE, six)
    assert flow.fetch(device, flow.REMOTE[six]) == path.seen(flow.DEVICE, six)
    assert flow.fetch(service, flow.DEVICE[six]) == flow.SERVICE[six]
    assert flow.fetch(remote, flow.DEVICE[six]) == flow.REMOTE[six]


@FAMILIES
def test_udp_both_begin(path: Path, device: Node, service: Node, six: int) -> None:
    """One datagram each way and its answer."""
    assert flow.udp(device, flow.SERVICE[six]) == path.seen(flow.DEVICE, six)
    assert flow.udp(service, flow.DEVICE[six]) == flow.SERVICE[six]


@FAMILIES
@pytest.mark.usefixtures("path")
def test_icmp_both_begin(device: Node, service: Node, six: int) -> None:
    """Echo requests each way."""
    assert flow.ping(device, flow.SERVICE[six])
    assert flow.ping(service, flow.DEVICE[six])


@FAMILIES
@pytest.mark.usefixtures("path")
def test_port_unreachable_passes(device: Node, service: Node, six: int) -> None:
    """The ICMP error finds the socket that caused it, in both directions."""
    for node, target in ((device, flow.SERVICE), (service, flow.DEVICE)):
        assert node.out(["python3", "-c", UDP_REFUSED, target[six]]) == "refused"


def path_mtu(node: Node, address: str) -> int:
    """What the kernel has learnt."""
    routes = node.json(["ip", "-j", "route", "get", address])
    metrics = routes[0].get("metrics", [{}])
    return int(metrics[0].get("mtu", 0))


@FAMILIES
@pytest.mark.usefixtures("path")
def test_too_big_reaches_the_lan(service: Node, six: int) -> None:
    """A packet larger than the tunnel: the gateway says so and the LAN's host learns it."""
    service.run("ip route flush cache; ip -6 route flush cache")
    assert not flow.ping(service, flow.DEVICE[six], 1400, "-M", "do")
    assert path_mtu(service, flow.DEVICE[six]) == 1280


@FAMILIES
@pytest.mark.usefixtures("path")
def test_too_big_reaches_the_mesh(
    lab: Lab, device: Node, router: Machine, edge: Node, six: int
) -> None:
    """A narrow link behind the router: its error goes through the gateway into the tunnel."""
    warp: Warp = lab.warp["gw1"]
    device.run("ip route flush cache; ip -6 route flush cache")
    warp.set_mtu(1500)
    edge.run("ip link set mesh-gw1 mtu 1500")
    router.run("ip link set eth1 mtu 1280")
    try:
        assert not flow.ping(device, flow.REMOTE[six], 1300, "-M", "do")
        assert path_mtu(device, flow.REMOTE[six]) == 1280
    finally:
        router.run("ip link set eth1 mtu 1500")
        device.run("ip route flush cache; ip -6 route flush cache")
        warp.set_mtu(1280)
        edge.run("ip link set mesh-gw1 mtu 1280")


def announced_mss(node: Node, line: str) -> int:
    """Of a SYN in tcpdump's words."""
    assert "mss " in line, f"{node.name}: {line}"
    return int(line.partition("mss ")[2].partition(",")[0].partition("]")[0])


@FAMILIES
@pytest.mark.usefixtures("path")
def test_mss_follows_the_tunnel(lab: Lab, worker: Node, service: Node, six: int) -> None:
    """Clamped in both directions to what the tunnel carries, also after its MTU has changed."""
    warp: Warp = lab.warp["gw1"]
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


def carry(node: Node, address: str, count: int) -> None:
    """One connection, every byte."""
    target = flow.url(address, f"/bytes/{count}")
    got = node.out(
        ["curl", "-sS", "--fail", "--max-time", "60", "-o", "/dev/null",
         "-w", "%{size_download}", target], timeout=70,
    )  # fmt: skip
    assert int(got) == count


@FAMILIES
def test_many_full_segments(path: Path, worker: Node, six: int) -> None:
    """64 MiB, packet by packet, as the client hands them over."""
    before = counter(path.lab.gw1, "to_mesh", "bytes")
    carry(worker, flow.SERVICE[six], 64 << 20)
    assert counter(path.lab.gw1, "to_mesh", "bytes") - before > 64 << 20


@FAMILIES
@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize("mode", ["route", "masquerade"])
def test_one_gibibyte(lab: Lab, worker: Node, six: int, mode: str) -> None:
    """With segmentation offload on the TUNs, which makes it ten times as fast."""
    lab.reset(lab.gw1, traits=Traits(offload=True))
    lab.deploy(lab.gw1, config=f"{LAN}return_path: {mode}\n")
    carry(worker, flow.SERVICE[six], 1 << 30)


def test_route_mode_uses_no_conntrack(path: Path, gw1: Machine, worker: Node) -> None:
    """Unless something configured needs it; masquerading does."""
    gw1.outside.run("conntrack -F 2>/dev/null", check=False)
    assert flow.reaches(worker, flow.SERVICE[0])
    entries = gw1.outside.out("conntrack -L 2>/dev/null", check=False)
    assert ("100.64.12.189" in entries) == (path.mode == "masquerade")


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


# ---- single hosts, custom ranges, allow ----


@pytest.mark.usefixtures("pristine")
def test_single_hosts_depart_from_their_network(lab: Lab, gw1: Machine, worker: Node) -> None:
    """In both directions of the exception."""
    lab.deploy(
        gw1,
        config="""\
lan:
  - interface: eth0
    networks:
      - prefix: 10.0.1.0/24
        return_path: route
        hosts: [{address: 10.0.1.50, return_path: masquerade}]
      - prefix: 10.0.2.0/24
        return_path: masquerade
        hosts: [{address: 10.0.2.60, return_path: route}]
      - "2001:db8:1::/64"
return_path: route
""",
    )
    assert flow.fetch(worker, flow.SERVICE[0]) == flow.GW1[0]
    assert flow.fetch(worker, flow.REMOTE[0]) == flow.WORKER[0]
    assert flow.fetch(worker, flow.SERVICE[1]) == flow.WORKER[1]


CUSTOM = ("172.20.5.9", "2001:db8:ffff::9")


@FAMILIES
@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize("mode", ["route", "masquerade"])
def test_custom_ranges(
    lab: Lab, gw1: Machine, router: Machine, edge: Node, worker: Node, six: int, mode: str
) -> None:
    """An account may move its ranges; the default ones then mean nothing."""
    mine, slash = CUSTOM[six], (32, 128)[six]
    mesh_range = ("172.16.0.0/12", "2001:db8:ffff::/64")[six]
    ip = ("ip", "ip -6")[six]
    worker.run(f"{ip} addr add {mine}/{slash} dev eth0" + " nodad" * six)
    edge.run(f"{ip} route add {mine} dev worker")
    router.run(f"{ip} route add {mesh_range} via {flow.GW1[six]}")
    try:
        lab.deploy(
            gw1,
            config=f"mesh: {{ranges: {{workers: ['{mesh_range}']}}}}\n{LAN}return_path: {mode}\n",
        )
        body = worker.out(
            ["curl", "-sS", "--fail", "--max-time", "3", "--interface", mine,
             flow.url(flow.SERVICE[six])],
        )  # fmt: skip
        assert body == (mine if mode == "route" else flow.GW1[six])
        if not six:
            assert "100.64.0.0/12" not in gw1.out("ip route show")
    finally:
        router.run(f"{ip} route del {mesh_range} via {flow.GW1[six]}")
        edge.run(f"{ip} route del {mine} dev worker")
        worker.run(f"{ip} addr del {mine}/{slash} dev eth0")


ALLOW = """\
allow:
  - {from: workers, to: 10.0.1.50, tcp: [3000]}
  - {from: workers, to: "2001:db8:1::50", tcp: [3000]}
  - {from: devices, to: 10.0.1.0/24, udp: [3002], icmp: true}
  - {from: devices, to: "2001:db8:1::/64", udp: [3002], icmp: true}
"""


@FAMILIES
@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize("mode", ["route", "masquerade"])
def test_allow_list(
    lab: Lab, gw1: Machine, worker: Node, device: Node, service: Node, remote: Node,
    six: int, mode: str,
) -> None:  # fmt: skip
    """What is listed passes, what is not is refused at once, and the LAN's own flows go on."""
    lab.deploy(gw1, config=f"{LAN}return_path: {mode}\n{ALLOW}")
    denied = counter(gw1, "denied")
    seen = flow.DEVICE if mode == "route" else flow.GW1
    assert flow.reaches(worker, flow.SERVICE[six])
    assert flow.udp(device, flow.SERVICE[six]) == seen[six]
    assert flow.ping(device, flow.SERVICE[six])
    assert flow.fetch(service, flow.DEVICE[six]) == flow.SERVICE[six]
    assert flow.fetch(remote, flow.DEVICE[six]) == flow.REMOTE[six]
    assert flow.ping(remote, flow.DEVICE[six])
    assert service.out(["python3", "-c", UDP_REFUSED, flow.DEVICE[six]]) == "refused"
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
    lab.deploy(gw1, config=f"{LAN}return_path: route\nallow:\n" + "\n".join(entries) + "\n")
    assert flow.fetch(worker, flow.SERVICE[0]) == flow.WORKER[0]
    assert not flow.reaches(worker, flow.REMOTE[0])
