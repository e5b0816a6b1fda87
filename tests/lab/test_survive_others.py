# SPDX-License-Identifier: Apache-2.0
"""What other programs on the gateway do to our state, knowingly or not; theirs stays as it is."""

import pytest

from conftest import Kept
from lab import flow, network
from lab.machine import Machine
from lab.shell import CommandError, poll_until
from lab.state import State
from survival import Site, Talk

METRIC = 0xFE000000
PREFIXES = ("100.64.0.0/12", "2606:4700:cf1:5000::/64")
GATEWAYS = ("10.0.1.1", "2001:db8:1::1")
FILTER = """flush ruleset
table inet filter {
	chain input { type filter hook input priority filter; policy accept; }
}
"""
FORWARDING = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")


def family(prefix: str) -> str:
    """What `ip` wants to be told."""
    return "-6" if ":" in prefix else "-4"


def our_routes(gw1: Machine) -> str:
    """As listed."""
    return gw1.out("ip -N route show proto 107; ip -N -6 route show proto 107")


def wipe_routing(gw1: Machine) -> None:
    """What systemd-networkd does to what it does not know: routes and rules not the kernel's."""
    lines = []
    for option in ("-4", "-6"):
        routes = gw1.json(f"ip -j -N {option} route show table all")
        protocols = sorted({route.get("protocol", "3") for route in routes} - {"2"})
        lines += [f"ip {option} route flush table all proto {name}" for name in protocols]
        rules = gw1.json(f"ip -j {option} rule")
        own = {0, 32766, 32767}
        foreign = sorted({rule["priority"] for rule in rules} - own)
        lines += [f"ip {option} rule del pref {priority}" for priority in foreign]
    gw1.run(" && ".join(lines))


# The firewall.


@pytest.mark.both
def test_ruleset_flushed(site: Site, kept: Kept) -> None:
    """Event 13: Others flush and reload; our table is left out, by the kernel."""
    talks = [Talk(site.worker, address) for address in flow.SERVICE]
    handles = site.gw.out("nft -a list table inet meshgw | grep handle")
    with kept(site.gw):
        site.gw.run("nft flush ruleset")
        site.heals()
        site.gw.run("nft -f -", stdin=FILTER)
        site.heals()
        site.gw.run("systemctl start nftables && systemctl reload nftables")
        site.heals()
        site.gw.run("systemctl stop nftables")
        site.warp.write_firewall()
        site.heals()
        for talk in talks:
            talk.goes_on()
        assert site.gw.out("nft -a list table inet meshgw | grep handle") == handles
        site.is_well()


@pytest.mark.parametrize(
    "command",
    [
        "delete table inet meshgw",
        "flush table inet meshgw",
        "add rule inet meshgw forward drop",
        "delete element inet meshgw ranges4 { 100.64.0.0/12 }",
    ],
)
@pytest.mark.parametrize("mode", ["masquerade"], indirect=True)
def test_table_edited(site: Site, kept: Kept, command: str) -> None:
    """Event 13: Nobody else can change the table while the daemon runs."""
    with kept(site.gw, ours=True):
        with pytest.raises(CommandError, match="Operation not permitted"):
            site.gw.run(f"nft '{command}'")
    site.heals()
    site.is_well()


def test_ruleset_flushed_while_stopped(site: Site, kept: Kept) -> None:
    """Event 13: A table whose owner is gone is not protected; the next start makes it again."""
    site.gw.systemctl("stop", "meshgwd")
    with kept(site.gw):
        site.gw.run("nft flush ruleset")
        assert site.gw.out("nft list tables") == ""
        site.warp.write_firewall()
        site.gw.systemctl("start", "meshgwd")
        site.heals()
        site.is_well()


# Routes and rules.


@pytest.mark.both
def test_all_foreign_routing_removed(site: Site, kept: Kept) -> None:
    """Event 17: systemd-networkd restarts: what it did not make goes, ours and others'."""
    with kept(site.gw):
        wipe_routing(site.gw)
        site.heals()
        site.shows("no-route-to-destination", "10.0.2.0/24")
        site.shows("no-route-to-destination", "2001:db8:2::/64")
        network.configure("gw1")
        site.warp.reconnect()
        site.heals(*flow.SERVICE, *flow.REMOTE)
        site.is_well()


def test_routes_deleted(site: Site, kept: Kept) -> None:
    """Event 22: Each of them, by hand."""
    with kept(site.gw, ours=True):
        for prefix in network.RANGES:
            site.gw.run(f"ip {family(prefix)} route del {prefix} proto 107")
        site.heals()
        site.is_well()


def test_interface_flushed(site: Site, kept: Kept) -> None:
    """Event 22: All routes of the tunnel at once."""
    with kept(site.gw, ours=True):
        for option in ("-4", "-6"):
            site.gw.run(f"ip {option} route flush dev CloudflareWARP proto 107")
        site.heals()
        site.is_well()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_route_replaced(site: Site, kept: Kept, prefix: str) -> None:
    """Event 22: Another program's replace takes ours over: only the next hop is its own."""
    theirs = f"{prefix} via {GATEWAYS[':' in prefix]} metric {METRIC}"
    address = flow.SERVICE[":" in prefix]
    with kept(site.gw, ours=True):
        site.gw.run(f"ip {family(prefix)} route replace {theirs}")
        # In IPv4 ours goes in front again; in IPv6 the first one stays in front.
        if ":" in prefix:
            site.shows("return-route-shadowed", prefix)
            assert site.fails(address)
        else:
            site.heals(address)
            site.is_well()
        listed = site.gw.out(f"ip {family(prefix)} route show {prefix} proto boot")
        assert GATEWAYS[":" in prefix] in listed
        site.gw.run(f"ip {family(prefix)} route del {theirs}")
        site.heals()
        site.is_well()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_better_route(site: Site, kept: Kept, prefix: str) -> None:
    """Event 22: A route in front of ours is its owner's: it is shown, and left alone."""
    theirs = f"{prefix} via {GATEWAYS[':' in prefix]} metric 5"
    with kept(site.gw, ours=True):
        site.gw.run(f"ip {family(prefix)} route add {theirs}")
        before = our_routes(site.gw)
        site.shows("return-route-shadowed", prefix)
        assert site.fails(flow.SERVICE[":" in prefix])
        assert our_routes(site.gw) == before
        assert "metric 5" in site.gw.out(f"ip {family(prefix)} route show {prefix}")
        site.gw.run(f"ip {family(prefix)} route del {theirs}")
        site.heals()
        site.is_well()


@pytest.mark.parametrize("mode", ["route"], indirect=True)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_worse_route(site: Site, kept: Kept, prefix: str) -> None:
    """Event 22: A route behind ours harms nobody."""
    theirs = f"{prefix} via {GATEWAYS[':' in prefix]} metric {METRIC + 1}"
    with kept(site.gw, ours=True):
        site.gw.run(f"ip {family(prefix)} route add {theirs}")
        site.heals()
        site.is_well()
        site.gw.run(f"ip {family(prefix)} route del {theirs}")


@pytest.mark.parametrize("mode", ["route"], indirect=True)
def test_contested(site: Site, kept: Kept) -> None:
    """Event 22: Who keeps undoing, routes or a sysctl, is told of and not fought with."""
    key = "net.ipv4.conf.eth0.forwarding"
    undo = [f"ip {family(p)} route del {p} proto 107 2>/dev/null" for p in PREFIXES]
    subjects = [*(f"route {prefix}" for prefix in PREFIXES), f"sysctl {key}"]
    with kept(site.gw, sysctls=[key]):
        enemy = site.gw.popen(f"while :; do {'; '.join(undo)}; sysctl -qw {key}=0; done")
        for subject in subjects:
            site.shows("state-contested", subject)
        cpu, repairs = site.cpu_seconds(), site.repairs()
        poll_until(lambda: site.repairs() > repairs, 5, "another attempt")
        assert site.cpu_seconds() - cpu < 0.2
        assert site.repairs() - repairs <= 2 * len(subjects)
        enemy.stop()
        # It stays contested for another ten seconds: test_track.c has the time for that.
        site.heals(seconds=5)


# Sysctls.


def test_forwarding_lowered(site: Site, kept: Kept) -> None:
    """Event 29: A package's `sysctl --system` switches forwarding off, and another one on again."""
    with kept(site.gw):
        site.gw.run(["sysctl", "-qw", *(f"{key}=0" for key in FORWARDING)])
        site.heals()
        site.is_well()
        assert site.gw.out("sysctl -n net.ipv4.ip_forward") == "0"
        site.gw.run(["sysctl", "-qw", *(f"{key}=1" for key in FORWARDING)])
        site.heals()
        # Nobody is told of a 1 written over a 1, so for IPv6 nothing but the 0 is known.
        site.gw.run("meshgw down")
        assert site.gw.out("sysctl -n net.ipv4.conf.eth0.forwarding") == "1"
        site.gw.run(f"meshgw apply && sysctl -qw {FORWARDING[1]}=1")


def test_forwarding_lowered_is_restored(site: Site, kept: Kept) -> None:
    """Event 29: What was off before meshgw is off after it."""
    with kept(site.gw):
        site.gw.run("meshgw down")
        site.gw.run(["sysctl", "-qw", *(f"{key}=0" for key in FORWARDING)])
        before = State(site.gw.outside)
        site.gw.run("meshgw apply")
        site.heals()
        site.gw.run("meshgw down")
        assert before.difference(State(site.gw.outside)) == []
        site.gw.run(["sysctl", "-qw", *(f"{key}=1" for key in FORWARDING)])
        site.gw.run("meshgw apply")


def test_reverse_path_filter_raised(site: Site, kept: Kept) -> None:
    """Event 29: rp_filter=1 drops nothing while the return route stands, so it is left as it is."""
    strict = [f"net.ipv4.conf.{name}.rp_filter=1" for name in ("all", "eth0", "CloudflareWARP")]
    with kept(site.gw, sysctls=[word.partition("=")[0] for word in strict]):
        site.gw.run(["sysctl", "-qw", *strict])
        site.heals(*flow.SERVICE, *flow.REMOTE)
        site.is_well()
        now = site.gw.out(["sysctl", *(word.partition("=")[0] for word in strict)])
        assert now.replace(" ", "").split() == strict


def test_new_interfaces_inherit(site: Site, kept: Kept) -> None:
    """Event 29: The defaults have changed when the client makes another TUN."""
    keys = ("net.ipv4.conf.default.forwarding", "net.ipv4.conf.default.rp_filter")
    with kept(site.gw):
        site.gw.run(f"sysctl -qw {keys[0]}=0 {keys[1]}=1")
        site.warp.recreate()
        site.heals()
        site.is_well()
        site.gw.run(f"sysctl -qw {keys[0]}=1 {keys[1]}=0")
        site.warp.recreate()
        site.heals()


# Connection tracking.


def test_conntrack_flushed(site: Site, kept: Kept) -> None:
    """Event 33: Flows are picked up again by their next packet, with the mapping that they had."""
    talks = [Talk(site.worker, address) for address in flow.SERVICE]
    with kept(site.gw, ours=True):
        site.gw.run("conntrack -F")
        for talk in talks:
            talk.goes_on()
        site.heals()
        site.is_well()
