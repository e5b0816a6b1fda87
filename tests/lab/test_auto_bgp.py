# SPDX-License-Identifier: Apache-2.0
"""`return_path: auto` beside BGP: a session proves nothing, an answer does.

    worker ── edge ══ CloudflareWARP gw1 AS 65010 eth0 ── AS 65001 router ── remote

The router is given what makes an established session useless, in several ways that look alike from
here; and it restarts.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auto import SITE, TIMERS, WITNESSES, Auto, config
from bgpsite import INJECT_S, NEIGHBOR, SESSION_S
from lab import flow, network
from lab.lab import Lab
from lab.router import CONF

BGP = f"""\
{TIMERS}bgp:
  asn: 65010
  neighbors:
    - {{address: {NEIGHBOR}, remote_as: external}}
"""
BEHIND = {prefix: WITNESSES[prefix] for prefix in SITE}
# What makes the session useless at the router, and what undoes it.
POLICY = """\
router bgp 65001
address-family ipv4 unicast
{no}neighbor GATEWAY route-map FROM-GATEWAY in
exit-address-family
address-family ipv6 unicast
{no}neighbor GATEWAY route-map FROM-GATEWAY in
exit-address-family
"""
FIB = """\
route-map NOWHERE deny 10
exit
{no}ip protocol bgp route-map NOWHERE
{no}ipv6 protocol bgp route-map NOWHERE
"""
FILTER = "{no}route-map FROM-GATEWAY deny 5"
USELESS = {
    "no import policy": ("no ", POLICY),
    "filtered": ("", FILTER),
    "not in its FIB": ("", FIB),
}


@pytest.fixture(scope="module", name="proven")
def fixture_proven(lab: Lab) -> Auto:
    """Everything announced, learned and proven."""
    auto = Auto(lab, config(BEHIND, BGP), router="bgp", frr=True)
    auto.becomes("route", seconds=SESSION_S + INJECT_S)
    return auto


@pytest.fixture(name="auto")
def fixture_auto(proven: Auto) -> Iterator[Auto]:
    """As at the module's beginning, whatever the test before left."""
    routing = proven.lab.routing
    routing.rest("bgp")
    proven.apply(config(BEHIND, BGP))
    routing.learns("gw1")
    proven.becomes("route", seconds=SESSION_S)
    yield proven


def test_session_carries_the_proof(auto: Auto) -> None:
    """A Worker is seen as it is; and is answered again soon after the session's end."""
    auto.sees("route")
    assert ("bgp-advertised-not-used", NEIGHBOR) not in auto.conditions()
    frr = auto.lab.frr["router"]
    frr.configure("router bgp 65001\nneighbor 10.0.1.11 shutdown")
    auto.sees("masquerade", flow.REMOTE[0], seconds=3.0)
    auto.becomes("masquerade")
    auto.shows("return-path-lost", SITE[0])
    assert auto.journal("a BGP session ended.*10.0.1.1")
    frr.configure("router bgp 65001\nno neighbor 10.0.1.11 shutdown")
    auto.becomes("route", seconds=SESSION_S)
    auto.sees("route")


@pytest.mark.parametrize("why", USELESS)
def test_established_and_useless(auto: Auto, why: str) -> None:
    """Announced, and still nothing comes back: from here the reasons look alike."""
    there, text = USELESS[why]
    frr = auto.lab.frr["router"]
    frr.configure(text.format(no=there))
    frr.vtysh("clear bgp * soft in")
    auto.becomes("masquerade", seconds=INJECT_S)
    auto.sees("masquerade")
    auto.shows("bgp-advertised-not-used", NEIGHBOR)
    assert frr.state("10.0.1.11") == "Established"
    frr.configure(text.format(no="" if there else "no "))
    frr.vtysh("clear bgp * soft in")
    auto.becomes("route", seconds=SESSION_S)
    auto.shows("bgp-advertised-not-used", NEIGHBOR, there=False)
    auto.sees("route")


def test_graceful_restart_of_the_peer(auto: Auto) -> None:
    """Its bgpd dies and comes back while its kernel goes on forwarding: that is no loss."""
    frr, routing = auto.lab.frr["router"], auto.lab.routing
    graceful = "router bgp 65001\n bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n"
    routing.become("bgp", CONF.replace("router bgp 65001\n", graceful))
    auto.becomes("masquerade")
    routing.learns("gw1")
    auto.becomes("route", seconds=SESSION_S)
    switches = len(auto.journal("route -> masquerade"))
    with frr.without("bgpd"):
        auto.shows("bgp-session-down", NEIGHBOR)
        for prefix in SITE:
            assert auto.rounds(prefix)["effective"] == "route"
        auto.sees("route")
        assert len(auto.journal("route -> masquerade")) == switches
    frr.established("10.0.1.11", seconds=SESSION_S)
    # The router's FRR now and then drops what it kept before it has what is sent anew, for about a
    # second: that is a loss, and short.
    routing.learns("gw1")
    auto.becomes("route", seconds=SESSION_S)
    auto.sees("route")


def test_neighbor_alone_is_weak(auto: Auto) -> None:
    """The router's own answer is proof only where the configuration takes it for one."""
    alone = config(dict.fromkeys(SITE, "none"), BGP)
    auto.apply(config({}, BGP).replace("networks:", "networks: [10.9.9.0/24]"))
    auto.apply(alone)
    proof = auto.rounds(SITE[0])["proof"]
    assert proof["state"] == "unproven" and proof["lastRound"] == "weak", proof
    assert [w["origin"] for w in proof["witnesses"]] == ["neighbor"]
    auto.shows("witness-missing", SITE[0])
    auto.sees("masquerade", flow.REMOTE[0])
    auto.apply(alone.replace("proven_hold: 1s", "proven_hold: 1s, accept_neighbor: true"))
    auto.becomes("route", SITE[0])
    auto.sees("route", flow.REMOTE[0])


def test_other_gateway_takes_over_the_route(auto: Auto) -> None:
    """The router prefers a way that is not ours: answers go elsewhere, and masquerading works."""
    router = auto.lab.router
    for prefix in network.RANGES:
        family = "-6" if ":" in prefix else "-4"
        router.run(f"ip {family} route add blackhole {prefix} metric 1")
    try:
        auto.becomes("masquerade")
        auto.shows("bgp-advertised-not-used", NEIGHBOR)
        auto.sees("masquerade")
    finally:
        for prefix in network.RANGES:
            family = "-6" if ":" in prefix else "-4"
            router.run(f"ip {family} route del blackhole {prefix} metric 1")
    auto.becomes("route")
