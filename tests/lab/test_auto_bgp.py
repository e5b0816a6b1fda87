# SPDX-License-Identifier: Apache-2.0
"""`return_path: auto` beside BGP: what the router itself answers, and what it does not use.

    worker ── edge ══ CloudflareWARP gw1 AS 65010 eth0 ── AS 65001 router ── remote

The other cases are in test_bgp_auto.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auto import SITE, TIMERS, WITNESSES, Auto, config
from bgpsite import INJECT_S, NEIGHBOR, SESSION_S
from lab import flow, network
from lab.lab import Lab

BGP = f"""\
{TIMERS}bgp:
  asn: 65010
  neighbors:
    - {{address: {NEIGHBOR}, remote_as: external}}
"""
BEHIND = {prefix: WITNESSES[prefix] for prefix in SITE}


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
