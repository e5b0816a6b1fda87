# SPDX-License-Identifier: Apache-2.0
"""What the switches of `return_path: auto` do to flows that live.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── router ── remote

The router's routes for the mesh come and go. A flow's source is decided by its first packet and
lives in conntrack; so a TCP connection begun under masquerade does not notice the switches, and one
begun under routes stands still while the router does not know the way. Datagrams go on from the
same port, with another source where they must.
"""

from __future__ import annotations

from auto import Auto, Beat, Transfer
from lab import flow
from lab.lab import Lab

DATAGRAMS_S = 3.0


def transfers(auto: Auto) -> list[Transfer]:
    """Both directions of data, both families."""
    return [
        Transfer(auto.lab.worker, address, upload=upload)
        for address in flow.REMOTE
        for upload in (False, True)
    ]


def test_flows_live_through_the_switches(lab: Lab) -> None:
    """Masquerade, routes, masquerade, routes: with transfers begun under each of the first two."""
    auto = Auto(lab)
    auto.becomes("masquerade")
    masqueraded = transfers(auto)
    beats = [Beat(lab.worker, a, icmp=icmp) for a in flow.REMOTE for icmp in (False, True)]
    for one in (*masqueraded, *beats):
        one.goes_on()

    lab.routing.become("static")
    auto.becomes("route")
    auto.sees("route")
    routed = transfers(auto)
    for one in (*masqueraded, *routed, *beats):
        one.goes_on()

    lab.routing.become("none")
    for beat in beats:
        beat.goes_on(DATAGRAMS_S)
    auto.becomes("masquerade")
    auto.sees("masquerade")
    for one in masqueraded:
        one.goes_on()

    lab.routing.become("static")
    auto.becomes("route")
    for beat in beats:
        beat.goes_on(DATAGRAMS_S)
    for one in (*masqueraded, *routed):
        one.goes_on()
        one.stop()


def test_flow_without_the_way_back_ends_and_the_next_works(lab: Lab) -> None:
    """Begun under routes, which the router loses for good: a request that waits for its answer gets
    none, and the same client's next one is answered."""
    auto = Auto(lab, router="static")
    auto.becomes("route")
    waiting = [
        lab.worker.popen(
            ["curl", "-sS", "--max-time", "4", flow.url(address, "/slow?wait=2")]
        )
        for address in flow.REMOTE
    ]
    auto.sees("route")
    lab.routing.become("none")
    auto.becomes("masquerade")
    auto.sees("masquerade", seconds=1.0)
    for process in waiting:
        assert process.wait(10) != 0
