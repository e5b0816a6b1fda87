# SPDX-License-Identifier: Apache-2.0
"""What happens to the tunnel, and the way back with it: the client restarts, reconnects, moves.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

Linux takes the IPv4 routes of an interface away without a word when the link goes down or loses its
last address.
"""

from collections.abc import Iterator

import pytest

from conftest import Kept
from lab import flow
from lab.machine import Machine
from lab.node import Node
from lab.shell import poll_until
from survival import HEALTHY, Site, Talk, config

FLOOD = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sock.sendto(b"x" * 1000, ("100.96.0.10", 9))
"""
MANUAL = "100.64.0.0/12 dev CloudflareWARP"
NETWORKS = ("10.0.1.0/24", "2001:db8:1::/64")
RANGES = ("100.64.0.0/12", "2606:4700:cf1:5000::/64")
ONE_MODE = pytest.mark.parametrize("mode", ["route"], indirect=True)


@pytest.mark.client("its interface stays away")
def test_deleted_and_recreated(site: Site, kept: Kept) -> None:
    """Event 1: The client restarts: another interface of the same name."""
    with kept(site.gw):
        site.warp.delete_tun()
        site.shows("tunnel-interface-missing", "CloudflareWARP")
        assert site.fails(flow.SERVICE[0])
        site.warp.recreate()
        site.heals()
        site.is_well()


@pytest.mark.both
def test_recreated_at_once(site: Site, kept: Kept) -> None:
    """Event 1: Gone and back before anybody could look."""
    talk = Talk(site.worker, flow.SERVICE[0])
    with kept(site.gw):
        for _ in range(3):
            site.warp.recreate()
            site.heals()
        talk.goes_on()
        site.is_well()


@pytest.mark.both
def test_link_down_and_up(site: Site, kept: Kept) -> None:
    """Event 2: The IPv4 routes go silently, and nobody but meshgw puts them back."""
    with kept(site.gw):
        site.warp.link_down()
        site.shows("tunnel-interface-down", "CloudflareWARP")
        site.warp.link_up()
        site.heals()
        # Without a moment between, and without an address that would come or go.
        site.gw.run("ip addr del 2606:4700:cf1:1000::18/128 dev CloudflareWARP")
        site.gw.run("ip link set CloudflareWARP down && ip link set CloudflareWARP up")
        site.heals()
        site.warp.link_up()
        site.is_well()


@pytest.mark.both
def test_address_replaced(site: Site, kept: Kept) -> None:
    """Event 3: Another Mesh address: the TUN has none for a moment, or for longer."""
    old = site.warp.address4
    with kept(site.gw):
        for address in ("100.96.0.77", old):
            site.warp.set_address(address)
            site.heals()
        site.gw.run(f"ip addr del {old}/32 dev CloudflareWARP")
        site.heals()
        site.warp.reconnect()
        site.heals()
        site.is_well()


@pytest.mark.client("who else replaces addresses of the tunnel")
def test_address_added_first(site: Site, kept: Kept) -> None:
    """Event 4: Nothing is lost, so nothing may be done."""
    old = site.warp.address4
    monitor = site.gw.outside.popen(
        ["ip", "-N", "-o", "monitor", "route"], output="/run/lab/monitor"
    )
    with kept(site.gw):
        repairs = site.repairs()
        site.warp.set_address("100.96.0.77", order="add-first")
        site.warp.set_address(old, order="add-first")
        site.gw.run("ip route add 203.0.113.9 via 10.0.1.1 && ip route del 203.0.113.9")
        poll_until(lambda: monitor.text().count("203.0.113.9") == 2, 3, "the end of it")
        assert "proto 107" not in monitor.text()
        assert site.repairs() == repairs
        site.heals()


def test_route_with_source_hint(site: Site, kept: Kept) -> None:
    """Event 5: A hand-made route goes with its source address; ours behind it has to stand."""
    with kept(site.gw):
        site.gw.run(f"ip route add {MANUAL} src {site.warp.address4}")
        site.heals()
        site.warp.set_address("100.96.0.77")
        assert "proto" not in site.gw.out("ip -o route show 100.64.0.0/12 table main proto boot")
        site.heals()
        site.warp.set_address("100.96.0.18")
        site.is_well()


@pytest.mark.client("its interface stays away")
def test_renamed(site: Site, kept: Kept) -> None:
    """Event 6: An interface of another name is not the tunnel."""
    with kept(site.gw):
        site.warp.rename("other0")
        site.shows("tunnel-interface-missing", "CloudflareWARP")
        site.warp.rename("CloudflareWARP")
        site.heals()
        site.is_well()


@pytest.mark.client("its interface stays away")
def test_renamed_and_another_one(site: Site, kept: Kept) -> None:
    """Event 6: The old TUN stays about under another name; the way back is the new one's."""
    with kept(site.gw):
        site.warp.kill_reader()
        site.warp.rename("other0")
        site.shows("tunnel-interface-missing")
        site.warp.ifname = "CloudflareWARP"
        site.warp.revive_reader()
        site.warp.reconnect()
        site.heals()
        site.is_well()
        routes = site.gw.out("ip route show dev other0; ip -6 route show dev other0")
        assert "meshgw" not in routes
        site.gw.run("ip link del other0")
        site.heals()


@pytest.mark.client("its interface stays away")
def test_moved_to_another_namespace(site: Site, kept: Kept) -> None:
    """Event 6: The client's container takes it, and gives it back."""
    with kept(site.gw):
        site.warp.move_netns("edge")
        site.shows("tunnel-interface-missing", "CloudflareWARP")
        site.warp.move_netns("gw1")
        site.warp.reconnect()
        site.heals()
        site.is_well()


@pytest.mark.client("a persistent interface")
def test_reader_gone(site: Site, kept: Kept) -> None:
    """Event 7: A persistent TUN stays, without carrier, when its program dies."""
    with kept(site.gw):
        site.warp.kill_reader()
        site.shows("tunnel-interface-down", "CloudflareWARP")
        said = [c["message"] for c in site.status()["conditions"]]
        assert any("no carrier" in message for message in said)
        assert site.fails(flow.SERVICE[0])
        site.warp.revive_reader()
        site.heals()
        site.is_well()


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_reader_stalls(site: Site, kept: Kept, service: Node) -> None:
    """Event 8: Nothing tells but the drops: not on the link, not to the sender."""
    with kept(site.gw):
        site.warp.stall()
        flood = service.popen(["python3", "-c", FLOOD])
        site.shows("tunnel-queue-full", "CloudflareWARP", seconds=5)
        flood.stop()
        site.warp.resume()
        site.heals()
        site.is_well(seconds=10)


@pytest.mark.client("its routing table")
@ONE_MODE
def test_table_captures_lan(site: Site, kept: Kept) -> None:
    """Event 10: Another profile: the client takes what is for the LAN back into the tunnel."""
    with kept(site.gw):
        for prefix in NETWORKS:
            site.warp.add_to_table(prefix)
        for six, prefix in enumerate(NETWORKS):
            address = flow.SERVICE[six]
            site.shows("warp-table-captures-lan", prefix)
            assert site.fails(address)
            site.does(site.finds("warp-table-captures-lan", address, table="65743", prefix=prefix))
            site.heals(address)
            site.gw.run(f"ip -{(4, 6)[six]} rule del priority 0 to {prefix} lookup main")
        for prefix in NETWORKS:
            site.warp.delete_from_table(prefix)
        site.is_healthy()
        site.is_well()


@pytest.mark.client("its routing table")
@ONE_MODE
@pytest.mark.parametrize("prefixes", [NETWORKS, RANGES], ids=["there", "back"])
def test_blackholes_left(site: Site, kept: Kept, prefixes: tuple[str, str]) -> None:
    """Event 11: The client leaves blackholes in its table, which its rule still asks."""
    with kept(site.gw):
        for prefix in prefixes:
            site.gw.run(f"ip route add blackhole {prefix} table 65743 proto static")
        for address, prefix in zip(flow.SERVICE, prefixes, strict=True):
            site.shows("route-refused", prefix)
            assert site.fails(address)
            site.does(site.finds("route-blackhole", address, prefix=prefix, type="blackhole"))
            site.heals(address)
        site.is_well()


@pytest.mark.client("its filter")
@ONE_MODE
def test_client_rejects_the_lan(site: Site, kept: Kept) -> None:
    """Event 12: The client's filter stops what the gateway says and hears itself, no flow."""
    with kept(site.gw):
        site.warp.change(strict_input=True, strict_output=True)
        assert not flow.reaches(site.gw, flow.SERVICE[0])
        site.finds("healthy", flow.SERVICE[0], HEALTHY)
        site.heals(flow.SERVICE[0])
        site.warp.change(strict_input=False, strict_output=False)
        site.is_healthy()
        site.is_well()


@pytest.mark.client("its rule")
@pytest.mark.parametrize("duplicates", [False, True])
def test_client_reconnects(site: Site, kept: Kept, duplicates: bool) -> None:
    """Event 9: Its rule goes in front of all others, perhaps a second time; ours are no rules."""
    talk = Talk(site.worker, flow.SERVICE[0])
    with kept(site.gw):
        repairs = site.repairs()
        site.warp.change(duplicate_rules=duplicates)
        for _ in range(3):
            site.warp.reconnect()
            site.heals()
        talk.goes_on()
        assert site.repairs() == repairs
        site.is_well()
        site.warp.change(duplicate_rules=False)
        site.warp.reconnect()


# The account's ranges.

MOVED = ("172.16.0.0/12", "2001:db8:ffff::/64")
MOVED_WORKER = ("172.20.5.9", "2001:db8:ffff::9")
RANGES = "mesh: {{ranges: {{workers: ['{}', '{}']}}}}\n"


@pytest.fixture
def moved_worker(site: Site, router: Machine) -> Iterator[Node]:
    """The worker has addresses of the new ranges as well; edge and router know these."""
    commands = []
    for ip, prefix, address, gateway in zip(
        ("ip", "ip -6"), MOVED, MOVED_WORKER, flow.GW1, strict=True
    ):
        commands += [
            # Deprecated, so that nobody uses it unasked.
            (site.worker, f"{ip} addr {{}} {address} dev eth0 preferred_lft 0"),
            (router, f"{ip} route {{}} {prefix} via {gateway}"),
        ]
    for node, command in commands:
        node.run(command.format("add"))
    site.lab.edge_learns("worker", *MOVED_WORKER)
    yield site.worker
    for node, command in commands:
        node.run(command.format("del"))


def test_ranges_moved(site: Site, kept: Kept, moved_worker: Node, device: Node) -> None:
    """Event 40: Cloudflare gives the Workers other ranges; the devices keep theirs.

    The old routes go and the new ones come; what stays is not touched, nor is its traffic.
    """
    talks = [Talk(device, address) for address in flow.SERVICE]
    monitor = site.gw.outside.popen(
        ["ip", "-N", "-o", "monitor", "route"], output="/run/lab/monitor"
    )
    with kept(site.gw, ours=True):
        site.gw.write("etc/meshgw/meshgw.yaml", RANGES.format(*MOVED) + config(site.mode))
        site.shows("config-not-applied")
        site.gw.run("meshgw apply")
        for mine, address, gateway in zip(MOVED_WORKER, flow.SERVICE, flow.GW1, strict=True):
            seen = mine if site.mode == "route" else gateway
            flow.works_within(2, moved_worker, address, seen, source=mine)
        site.lab.edge_forgets("worker", *flow.WORKER)
        assert site.fails(flow.SERVICE[0]) and site.fails(flow.SERVICE[1])
        site.is_well()
        site.lab.edge_learns("worker", *flow.WORKER)
        site.lab.edge_forgets("worker", *MOVED_WORKER)
        site.gw.write("etc/meshgw/meshgw.yaml", config(site.mode))
        site.gw.run("meshgw apply")
        site.heals()
        site.is_well()
    for talk in talks:
        talk.goes_on()
    changed = [line for line in monitor.text().splitlines() if "proto 107" in line]
    assert sum(MOVED[0] in line for line in changed) == 2
    assert not any("100.96.0.0/12" in line or "1000::/64" in line for line in changed)
