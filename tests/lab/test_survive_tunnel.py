# SPDX-License-Identifier: Apache-2.0
"""What happens to the tunnel, and the way back with it: the client restarts, reconnects, moves.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

Linux takes the IPv4 routes of an interface away without a word when the link goes down or loses its
last address.
"""

import pytest

from conftest import Kept
from lab import flow
from lab.node import Node
from lab.shell import poll_until
from survival import Site, Talk

FLOOD = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sock.sendto(b"x" * 1000, ("100.96.0.10", 9))
"""
MANUAL = "100.64.0.0/12 dev CloudflareWARP"


def test_deleted_and_recreated(site: Site, kept: Kept) -> None:
    """The client restarts: another interface of the same name."""
    with kept(site.gw):
        site.warp.delete_tun()
        site.shows("tunnel-interface-missing", "CloudflareWARP")
        assert site.fails(flow.SERVICE[0])
        site.warp.recreate()
        site.heals()
        site.is_well()


def test_recreated_at_once(site: Site) -> None:
    """Gone and back before anybody could look."""
    talk = Talk(site.worker, flow.SERVICE[0])
    for _ in range(3):
        site.warp.recreate()
        site.heals()
    talk.goes_on()
    site.is_well()


def test_link_down_and_up(site: Site, kept: Kept) -> None:
    """The IPv4 routes go silently, and nobody but meshgw puts them back."""
    with kept(site.gw):
        site.warp.link_down()
        site.shows("tunnel-interface-down", "CloudflareWARP")
        site.warp.link_up()
        site.heals()
        site.is_well()


def test_address_replaced(site: Site, kept: Kept) -> None:
    """Another Mesh address: the TUN has none for a moment, or for longer."""
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


def test_address_added_first(site: Site, kept: Kept) -> None:
    """Nothing is lost, so nothing may be done."""
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
    """A hand-made route goes with its source address; ours behind it has to stand."""
    with kept(site.gw):
        site.gw.run(f"ip route add {MANUAL} src {site.warp.address4}")
        site.heals()
        site.warp.set_address("100.96.0.77")
        assert "proto" not in site.gw.out("ip -o route show 100.64.0.0/12 table main proto boot")
        site.heals()
        site.warp.set_address("100.96.0.18")
        site.is_well()


def test_renamed(site: Site, kept: Kept) -> None:
    """An interface of another name is not the tunnel."""
    with kept(site.gw):
        site.warp.rename("other0")
        site.shows("tunnel-interface-missing", "CloudflareWARP")
        site.warp.rename("CloudflareWARP")
        site.heals()
        site.is_well()


def test_renamed_and_another_one(site: Site) -> None:
    """The old TUN stays about under another name; the way back is the new one's."""
    site.warp.kill_reader()
    site.warp.rename("other0")
    site.shows("tunnel-interface-missing")
    site.warp.ifname = "CloudflareWARP"
    site.warp.revive_reader()
    site.warp.connect()
    site.heals()
    site.is_well()
    routes = site.gw.out("ip route show dev other0; ip -6 route show dev other0 proto meshgw")
    assert "meshgw" not in routes


def test_moved_to_another_namespace(site: Site, kept: Kept) -> None:
    """The client's container takes it, and gives it back."""
    with kept(site.gw):
        site.warp.move_netns("edge")
        site.shows("tunnel-interface-missing", "CloudflareWARP")
        site.warp.move_netns("gw1")
        site.warp.reconnect()
        site.heals()
        site.is_well()


def test_reader_gone(site: Site, kept: Kept) -> None:
    """A persistent TUN stays, without carrier, when its program dies."""
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
    """Nothing tells but the drops: not on the link, not to the sender."""
    with kept(site.gw):
        site.warp.stall()
        flood = service.popen(["python3", "-c", FLOOD])
        site.shows("tunnel-queue-full", "CloudflareWARP", seconds=5)
        flood.stop()
        site.warp.resume()
        site.heals()
        site.is_well(seconds=10)


@pytest.mark.parametrize("duplicates", [False, True])
def test_client_reconnects(site: Site, kept: Kept, duplicates: bool) -> None:
    """Its rule goes in front of all others, perhaps a second time; ours are no rules."""
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
