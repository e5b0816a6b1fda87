# SPDX-License-Identifier: Apache-2.0
"""The lab is what its users rely on: names, addresses, defaults, and a reset that resets."""

import subprocess

import pytest

from lab import build, flow, network
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.state import State
from warp import Traits

ADDRESSES = {
    "worker": ("100.64.12.189", "2606:4700:cf1:5000::bd"),
    "device": ("100.96.0.10", "2606:4700:cf1:1000::10"),
    "edge": ("198.51.100.1",),
    "gw1": ("198.51.100.11", "10.0.1.11", "2001:db8:1::11", "100.96.0.18"),
    "gw2": ("198.51.100.12", "10.0.1.12", "2001:db8:1::12", "100.96.0.19"),
    "router": ("10.0.1.1", "2001:db8:1::1", "10.0.2.1", "2001:db8:2::1"),
    "service": ("10.0.1.50", "2001:db8:1::50"),
    "remote": ("10.0.2.60", "2001:db8:2::60"),
}


@pytest.mark.parametrize("command", ["test", "demo", "bench", "up"])
def test_help(command: str) -> None:
    """Who asks how it is used is told, and starts nothing."""
    done = subprocess.run(
        [build.SRC / "lab", command, "--help"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("usage: ./lab COMMAND\n")


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses(lab: Lab, name: str) -> None:
    """Nodes have the documented addresses."""
    links = lab.nodes[name].json("ip -j addr")
    have = {info.get("local") for link in links for info in link["addr_info"]}
    # The addresses in the mesh come with the tunnel.
    later = set() if lab.tunnel == "relay" else set(sum(network.MESH.values(), ()))
    assert set(ADDRESSES[name]) - later <= have


@pytest.mark.parametrize("name", ["gw1", "gw2", "router"])
def test_machines_are_whole(lab: Lab, name: str) -> None:
    """The booted machines have no failed unit, their own name, and systemd as PID 1."""
    machine = lab.nodes[name]
    assert machine.out("hostname") == name
    assert machine.out("cat /proc/1/comm") == "systemd"
    assert machine.out("systemctl --plain --no-legend --failed") == ""


@pytest.mark.client("its interface is there without meshgw")
def test_gateway_interfaces(gw1: Machine) -> None:
    """Names of the interfaces, the default route by the LAN's router, the client's TUN."""
    assert gw1.json("ip -j route show default")[0]["gateway"] == "10.0.1.1"
    assert gw1.json("ip -j link show CloudflareWARP")[0]["mtu"] == 1280
    names = {link["ifname"] for link in gw1.json("ip -j link")}
    assert names == {"lo", "eth0", "wan0", "CloudflareWARP"}


@pytest.mark.usefixtures("pristine")
def test_router_knows_the_ranges(router: Machine) -> None:
    """--router static: all four ranges by gw1."""
    for prefix in network.RANGES:
        family = "-6" if ":" in prefix else "-4"
        route = router.json(f"ip -j {family} route show {prefix}")
        assert route[0]["gateway"] in flow.GW1


@pytest.mark.parametrize("address", flow.REMOTE)
def test_lan_works(service: Node, address: str) -> None:
    """Without any mesh, service and remote reach each other through the router."""
    assert flow.fetch(service, address) in flow.SERVICE


@pytest.mark.client("its interface is there without meshgw")
def test_reset(pristine: Lab, gw1: Machine) -> None:
    """Whatever a test does to a gateway's network is gone after a reset."""
    before = State(gw1.outside)
    gw1.run(
        "ip route add 100.64.0.0/12 dev CloudflareWARP && ip route add 203.0.113.0/24 via 10.0.1.1"
        " && ip route add blackhole 192.0.2.0/24 table 99 && ip -6 route del default"
        " && ip rule add from 192.0.2.1 lookup 99 && ip rule del pref 32766"
        " && ip addr add 192.0.2.7/24 dev eth0 && ip link set eth0 mtu 1400"
        " && ip link add extra type bridge && sysctl -qw net.ipv4.ip_forward=0"
        " && nft add table ip nat && ip link set CloudflareWARP mtu 1400"
        " && mkdir -p /etc/meshgw && touch /etc/meshgw/meshgw.yaml"
    )
    assert len(before.difference(State(gw1.outside))) > 10
    pristine.reset(gw1)
    assert before.difference(State(gw1.outside)) == []
    assert gw1.out("ls /etc/meshgw") == ""


@pytest.mark.client("another client")
def test_reset_with_traits(pristine: Lab, gw1: Machine) -> None:
    """Another client is another client, until the next reset."""
    assert gw1.json("ip -j -6 route show table 65743") != []
    pristine.reset(gw1, traits=Traits(inject6=False, mtu=1400))
    assert gw1.json("ip -j -6 route show table 65743") == []
    assert gw1.json("ip -j link show CloudflareWARP")[0]["mtu"] == 1400


@pytest.mark.client("its interface is there without meshgw")
def test_reboot(pristine: Lab, gw1: Machine, service: Node) -> None:
    """A reboot keeps the disk and nothing else; the neighbours reach the machine at once."""
    assert flow.ping(service, flow.GW1[0])
    gw1.run("touch /etc/kept /run/lost && ip route add 203.0.113.0/24 via 10.0.1.1")
    boot = gw1.out("stat -c %i -L /proc/1/ns/pid")
    pristine.reboot(gw1)
    assert gw1.out("stat -c %i -L /proc/1/ns/pid") != boot
    assert gw1.out("ls /etc/kept /run/lost 2>/dev/null", check=False) == "/etc/kept"
    assert gw1.json("ip -j route show 203.0.113.0/24") == []
    assert gw1.json("ip -j link show CloudflareWARP")[0]["mtu"] == 1280
    assert flow.ping(service, flow.GW1[0]) and flow.ping(service, flow.GW1[1])
