# SPDX-License-Identifier: Apache-2.0
"""What happens to the LAN's side, and to IPv6 as a whole; the gateway follows its environment.

    worker ── edge ══ CloudflareWARP gw1 eth0 10.0.1.11 ──┬── service
                                                          └── router 10.0.1.1 ── remote
"""

from collections.abc import Iterator

import pytest

from conftest import Kept
from lab import flow, network
from lab.machine import Machine
from lab.node import Node
from lab.shell import poll_until
from survival import Site

SWITCH = Node(network.SWITCH)
LEASE = "10.0.1.33"
OTHER_ROUTER = "10.0.1.2"
EVERYBODY = (*flow.SERVICE, *flow.REMOTE)

# A router advertisement to one host only: prefix and default router, for half an hour.
ADVERTISE = """
import ipaddress, socket, struct, sys
to, prefix = sys.argv[1:]
sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
head = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
info = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 1800, 1800, 0)
data = head + info + ipaddress.ip_address(prefix).packed
sock.sendto(data, (to, 0, 0, socket.if_nametoindex("eth0")))
"""


def test_lan_reactivated(site: Site, kept: Kept) -> None:
    """Event 18: NetworkManager or netplan take the LAN down with all that it has, and remake it."""
    with kept(site.gw):
        site.gw.run("ip addr flush dev eth0 && ip link set eth0 down")
        site.shows("lan-interface-down", "eth0")
        network.configure("gw1")
        site.heals(*EVERYBODY)
        site.is_well()


def test_lan_flushed(site: Site, kept: Kept) -> None:
    """Event 18: The link stays, addresses and routes go, and come in an order of their own."""
    with kept(site.gw):
        site.gw.run("ip addr flush dev eth0 scope global")
        # IPv6 keeps its default route, and the router brings packets back into the LAN.
        site.shows("no-route-to-destination", "10.0.1.0/24")
        network.configure("gw1")
        site.heals(*EVERYBODY)
        site.is_well()


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_lan_loses_its_carrier(site: Site, kept: Kept) -> None:
    """Event 20: The cable is pulled, or the switch restarts."""
    with kept(site.gw):
        SWITCH.run("ip link set gw1-eth0 down")
        site.shows("lan-interface-down", "eth0")
        said = [c["message"] for c in site.status()["conditions"]]
        assert any("no carrier" in message for message in said)
        SWITCH.run("ip link set gw1-eth0 up")
        site.heals(*EVERYBODY)
        site.is_well()


@pytest.fixture
def movable(site: Site, router: Machine) -> Iterator[Machine]:
    """The router has a second address, and its routes for the mesh may be moved."""
    router.run(f"ip addr add {OTHER_ROUTER}/24 dev eth0")
    yield router
    router.run(f"ip addr del {OTHER_ROUTER}/24 dev eth0")
    site.lab.routing.become("static")


def test_lease_lost_and_another_one(site: Site, kept: Kept, movable: Machine) -> None:
    """Event 19: DHCP comes back with another address and another gateway."""
    seen = LEASE if site.mode == "masquerade" else flow.WORKER[0]
    with kept(site.gw):
        site.gw.run("ip -4 addr flush dev eth0")
        if site.mode == "masquerade":
            site.shows("nat-no-source-address", "eth0")
        site.shows("no-route-to-destination", "10.0.1.0/24")
        assert site.fails(flow.SERVICE[0])
        site.heals(flow.SERVICE[1])
        movable.run(f"ip route replace 100.64.0.0/12 via {LEASE}")
        site.gw.run(f"ip addr add {LEASE}/24 dev eth0 && ip route add default via {OTHER_ROUTER}")
        for address in (flow.SERVICE[0], flow.REMOTE[0]):
            flow.works_within(2, site.worker, address, seen)
        site.is_well()
        site.gw.run("ip -4 addr flush dev eth0")
        site.lab.routing.become("static")
        network.configure("gw1")
        site.heals(*EVERYBODY)
        site.is_well()


# IPv6.


@pytest.mark.parametrize("scope", ["CloudflareWARP", "eth0", "all"])
def test_ipv6_disabled(site: Site, kept: Kept, scope: str) -> None:
    """Event 39: IPv6 is switched off and on again; what Linux took with it comes back."""
    interfaces = ("CloudflareWARP", "eth0") if scope == "all" else (scope,)
    with kept(site.gw):
        site.gw.run(f"sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=1")
        for name in interfaces:
            site.shows("ipv6-disabled", name)
        assert site.fails(flow.SERVICE[1])
        site.heals(flow.SERVICE[0])
        site.gw.run(f"sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=0")
        network.configure("gw1")
        site.warp.reconnect()
        site.heals()
        site.is_well()


def advertise(site: Site, router: Machine, prefix: str) -> None:
    """One advertisement; gw1 has taken it when the address is there."""
    own = site.gw.out("ip -6 -o addr show dev eth0 scope link").split()[3].partition("/")[0]
    router.outside.run(["python3", "-c", ADVERTISE, own, f"{prefix}::"])
    poll_until(lambda: f"{prefix}:" in site.gw.out("ip -6 addr show dev eth0"), 2, prefix)


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_router_advertisements(site: Site, kept: Kept, router: Machine) -> None:
    """Event 39: forwarding=1 drops the default route of advertisements if accept_ra is 1."""
    keys = ("net.ipv6.conf.all.forwarding", "net.ipv6.conf.eth0.accept_ra")
    learnt = "ip -6 route show default proto ra"
    with kept(site.gw):
        was = site.gw.out(["sysctl", "-n", *keys]).split()
        site.gw.run(f"meshgw down && sysctl -qw {keys[0]}=0 {keys[1]}=1")
        advertise(site, router, "2001:db8:5")
        before = site.gw.out(f"{learnt} | grep -o 'via [^ ]*'")
        site.gw.run("meshgw apply")
        site.heals()
        assert before in site.gw.out(learnt)
        assert site.gw.out(["sysctl", "-n", *keys]).split() == ["1", "2"]
        advertise(site, router, "2001:db8:6")
        site.is_well()
        site.gw.run("meshgw down")
        assert site.gw.out(["sysctl", "-n", *keys]).split() == ["0", "1"]
        site.gw.run("ip -6 addr flush dev eth0 dynamic && ip -6 route flush dev eth0 proto ra")
        site.gw.run("ip -6 route flush dev eth0 root 2001:db8:4::/46")
        site.gw.run(["sysctl", "-qw", *(f"{k}={v}" for k, v in zip(keys, was, strict=True))])
        site.gw.run("meshgw apply")
