# SPDX-License-Identifier: Apache-2.0
"""`return_path: auto` where the site router speaks BGP: what a session says is no proof.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── router (AS 65001) ── remote
                          AS 65010     eth2 └── service
                                        └── gw2 as another site's router (AS 65002) ── host3

A flow from the mesh is answered in every state; the service sees whether by routes or masqueraded.
Rounds of probes come faster here than by default.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgpsite import NEIGHBOR, SESSION_S, BgpSite
from lab import flow, network
from lab.lab import Lab
from lab.node import Node
from lab.router import CONF
from lab.shell import poll_until, run
from survival import Talk

WITNESSES = {
    "10.0.1.0/24": "10.0.1.50:3000",
    "2001:db8:1::/64": "[2001:db8:1::50]:3000",
    "10.0.2.0/24": "10.0.2.60:3000",
    "2001:db8:2::/64": "[2001:db8:2::60]:3000",
}
LAN3 = "10.0.3.0/24"
# From what breaks or mends a path to the other mode; a session's return comes on top.
SWITCH_S = 4.0
PROBE = "probe: {interval: 300ms, after_event: 50ms, timeout: 200ms, proven_hold: 500ms}\n"
AUTO = (
    "lan:\n  - interface: eth0\n    networks:\n"
    + "".join(
        f'      - {{prefix: "{prefix}", witness: "{witness}"}}\n'
        for prefix, witness in WITNESSES.items()
    )
    + "return_path: auto\n"
    + PROBE
)
NEIGHBORS = f"bgp:\n  asn: 65010\n  neighbors:\n    - {{address: {NEIGHBOR}, remote_as: external}}\n"


class AutoSite(BgpSite):
    """The site proves itself."""

    def make(self) -> None:
        self.make_with(AUTO + NEIGHBORS)
        self.learns()
        self.becomes("route")
        self.is_well()
        self.remember()

    def modes(self) -> dict[str, str]:
        """What the networks are in."""
        return {n["prefix"]: n["effective"] for n in self.status()["networks"]}

    def becomes(self, mode: str, *prefixes: str, seconds: float = SWITCH_S) -> None:
        """These networks, or all, are in a mode, or come into it; requests show it."""
        wanted = dict.fromkeys(prefixes or WITNESSES, mode)

        def look() -> bool:
            have = self.modes()
            assert wanted.items() <= have.items(), have
            return True

        poll_until(look, seconds, f"{mode}: {' '.join(wanted)}")
        if not prefixes:
            self.mode = mode
            self.heals(*flow.SERVICE, *flow.REMOTE)


@pytest.fixture(scope="module", name="module_site")
def fixture_module_site(lab: Lab) -> Iterator[AutoSite]:
    """The object."""
    site = AutoSite(lab)
    yield site
    lab.reset()


@pytest.fixture(name="site")
def fixture_site(module_site: AutoSite) -> Iterator[AutoSite]:
    """Proven, at the beginning of each test."""
    module_site.begin()
    yield module_site
    module_site.end()


FAMILIES = ("address-family ipv4 unicast", "address-family ipv6 unicast")


def both(line: str) -> str:
    """A line in both address families of the router."""
    return "router bgp 65001\n" + "".join(f"{f}\n{line}\nexit-address-family\n" for f in FAMILIES)


USELESS = {
    "no import policy": (
        both("no neighbor GATEWAY route-map FROM-GATEWAY in"),
        both("neighbor GATEWAY route-map FROM-GATEWAY in"),
    ),
    "filtered": (
        "route-map FROM-GATEWAY deny 5\nexit\n",
        "no route-map FROM-GATEWAY deny 5\n",
    ),
    "not in its FIB": (
        "route-map NOTHING deny 10\nexit\n" + both("table-map NOTHING"),
        both("no table-map NOTHING") + "no route-map NOTHING\n",
    ),
}


@pytest.mark.parametrize("way", USELESS)
def test_established_and_useless(site: AutoSite, way: str) -> None:
    """25: the session stands, the ranges were sent, and the router does not use them."""
    router = site.routing.frr
    breaks, mends = USELESS[way]
    router.configure(breaks)
    router.vtysh("clear bgp * soft in")
    site.becomes("masquerade", seconds=10)
    site.shows("bgp-advertised-not-used", NEIGHBOR)
    neighbor = site.neighbor()
    assert neighbor["state"] == "Established"
    assert neighbor["announced"] == len(network.RANGES)
    router.configure(mends)
    router.vtysh("clear bgp * soft in")
    site.becomes("route", seconds=10)
    site.is_well()


def test_session_lost(site: AutoSite) -> None:
    """Masqueraded within seconds, and no flow that began so is lost by the way back to routes."""
    site.routing.frr.configure("router bgp 65001\nneighbor 10.0.1.11 shutdown")
    site.becomes("masquerade", seconds=3)
    site.shows("bgp-admin-shutdown", NEIGHBOR)
    talks = [Talk(site.worker, address) for address in flow.SERVICE]
    site.routing.frr.configure("router bgp 65001\nno neighbor 10.0.1.11 shutdown")
    site.learns()
    site.becomes("route")
    for talk in talks:
        talk.goes_on()
    site.is_well()


def test_frr_dies_and_comes_back(site: AutoSite) -> None:
    """23: without an announcement the site is masqueraded, and with it shows who calls."""
    site.frr.stop()
    site.becomes("masquerade", seconds=3)
    site.shows("bgp-daemon-down")
    site.frr.start()
    site.injected()
    site.learns()
    site.becomes("route")
    site.is_well()


def test_graceful_restart_of_the_peer(site: AutoSite) -> None:
    """The router's bgpd restarts and its kernel goes on forwarding: no reason to do anything."""
    graceful = CONF.replace(
        "router bgp 65001\n",
        "router bgp 65001\n bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n",
    )
    site.routing.become("bgp", graceful)
    site.spent()
    site.learns()
    site.becomes("route", seconds=SESSION_S)
    talks = [Talk(site.worker, address) for address in flow.SERVICE]
    with site.routing.frr.without("bgpd"):
        site.shows("bgp-session-down", NEIGHBOR)
        assert set(site.modes().values()) == {"route"}
        site.heals()
    site.learns()
    assert set(site.modes().values()) == {"route"}
    for talk in talks:
        talk.goes_on()
    site.is_well(SESSION_S)


# gw2 in its other part: a site router that takes nothing, and what makes it take the ranges.
SITE3 = """\
router bgp 65002
 neighbor 10.0.3.11 remote-as 65010
exit
"""
TAKES = (
    "route-map ALL permit 10\nexit\nrouter bgp 65002\naddress-family ipv4 unicast\n"
    "neighbor 10.0.3.11 route-map ALL in\n"
)


@pytest.fixture(name="host3")
def fixture_host3(site: AutoSite) -> Iterator[Node]:
    """A service on another LAN of gw1's, whose router is gw2."""
    lab, host = site.lab, Node("host3")
    site.spent()
    lab.reset(lab.gw2)
    cables = "".join(
        f"ip -n switch link add {name}-lan3 type veth peer name {end} netns {name};"
        f"ip -n switch link set {name}-lan3 master lan3 up; ip -n {name} link set {end} up;"
        f"ip -n {name} addr add {address}/24 dev {end};"
        for name, end, address in (
            ("gw1", "eth2", "10.0.3.11"), ("gw2", "eth2", "10.0.3.1"), ("host3", "eth0", "10.0.3.50"),
        )
    )  # fmt: skip
    run(
        "lab", (),
        "set -e; ip netns add host3; ip -n switch link add lan3 type bridge mcast_snooping 0;"
        f"ip -n switch link set lan3 up; {cables}"
        "ip -n host3 link set lo up; ip -n host3 route add default via 10.0.3.1",
    )  # fmt: skip
    lab.serve(host)
    site.warp.attract((LAN3,))
    yield host
    host.stop_all()
    run(
        "lab", (),
        f"ip netns del host3; ip -n switch link del lan3; ip -n edge route del {LAN3};"
        "for name in gw1 gw2; do ip -n switch link del $name-lan3; done",
    )  # fmt: skip
    lab.reset(lab.gw2)


def test_two_sites(site: AutoSite, host3: Node) -> None:
    """Two LANs with a router each; only the one that uses what it is told sees who calls."""
    lan3 = f'  - interface: eth2\n    networks: [{{prefix: {LAN3}, witness: "10.0.3.50:3000"}}]\n'
    neighbor = "    - {address: 10.0.3.1, remote_as: 65002, families: [ipv4]}\n"
    frr2 = site.lab.frr["gw2"]
    frr2.start(SITE3)
    site.apply(AUTO.replace("return_path:", f"{lan3}return_path:") + NEIGHBORS + neighbor)
    site.frr.established("10.0.3.1")
    site.becomes("route", *WITNESSES)
    # What gw2 does not know it sends to its default router, which does: it comes back to gw1, but
    # by the other LAN.
    site.becomes("masquerade", LAN3)
    assert flow.fetch(site.worker, "10.0.3.50") == "10.0.3.11"
    site.shows("bgp-advertised-not-used", "10.0.3.1")
    assert flow.fetch(site.worker, flow.SERVICE[0]) == flow.WORKER[0]
    frr2.configure(TAKES)
    frr2.vtysh("clear bgp * soft in")
    site.becomes("route", LAN3, seconds=SESSION_S)
    assert flow.fetch(site.worker, "10.0.3.50") == flow.WORKER[0]
    assert host3.processes
    site.is_well()
