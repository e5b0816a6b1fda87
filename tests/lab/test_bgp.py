# SPDX-License-Identifier: Apache-2.0
"""gw1 tells the site router the ranges by BGP, and the router uses them.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── router (AS 65001) ── remote
                          AS 65010              └ service

A configuration that names only the neighbour is enough for both families, over one session. Each
test that breaks something shows the condition that names the cause, and that it ends.
"""

from __future__ import annotations

import pytest

from bgpsite import NEIGHBOR, SESSION_S, BgpSite, bgp
from conftest import FAMILIES
from lab import flow, network
from lab.router import CONF, with_bfd
from lab.shell import poll_until
from survival import HEALTHY
from warp import Traits

# More that the router announces; of the last of each family a gateway has not been told to take it.
BEYOND = """\
ip prefix-list SITE seq 20 permit 172.16.0.0/12 le 32
ipv6 prefix-list SITE seq 20 permit 2001:db8:f::/48 le 64
ip route 172.16.5.0/24 blackhole
ip route 172.16.6.0/25 blackhole
ipv6 route 2001:db8:f::/48 blackhole
ipv6 route 2001:db8:f:1::/64 blackhole
router bgp 65001
 address-family ipv4 unicast
  redistribute static
 exit-address-family
 address-family ipv6 unicast
  redistribute static
 exit-address-family
exit
"""
CUT = (
    "table inet cut {\nchain in {\ntype filter hook input priority -300;\n"
    "udp dport { 3784, 3785 } drop\n}\n}\n"
)


def test_router_learns_exactly_the_ranges(bgp_site: BgpSite) -> None:
    """In its BGP table and its kernel; meshgw's status says the same."""
    for six in (0, 1):
        ours = {prefix for prefix in network.RANGES if (":" in prefix) == bool(six)}
        assert bgp_site.routing.frr.learned(six) == dict.fromkeys(ours, ["10.0.1.11"])
        assert bgp_site.frr.announced(NEIGHBOR, six) == ours
    bgp_site.learns()
    poll_until(lambda: bgp_site.neighbor()["announced"] == len(network.RANGES), 5, "and says so")
    neighbor = bgp_site.neighbor()
    assert neighbor["state"] == "Established"
    assert neighbor["accepted"] == 0


@pytest.mark.both
@FAMILIES
def test_services_see_who_calls(bgp_site: BgpSite, six: int) -> None:
    """On the LAN, and behind the router."""
    for address in (flow.SERVICE[six], flow.REMOTE[six]):
        assert flow.fetch(bgp_site.worker, address) == flow.WORKER[six]


@pytest.mark.client("its filter")
def test_client_rejects_the_neighbour(bgp_site: BgpSite) -> None:
    """Event 12 (survival.py): the client's filter ends the session, and no flow: the router keeps
    what it learned (RFC 4724), and a diagnosis is not taken in by what the gateway cannot send."""
    bgp_site.warp.change(strict_input=True, strict_output=True)
    bgp_site.frr.vtysh(f"clear bgp {NEIGHBOR}", daemon="bgpd")
    bgp_site.shows("bgp-session-down", NEIGHBOR, SESSION_S)
    bgp_site.finds("healthy", flow.SERVICE[0], HEALTHY)
    bgp_site.heals(flow.SERVICE[0])
    bgp_site.warp.change(strict_input=False, strict_output=False)
    bgp_site.is_well(SESSION_S)
    bgp_site.learns()
    bgp_site.finds("healthy", flow.SERVICE[0], HEALTHY)


def test_router_ends_the_session(bgp_site: BgpSite) -> None:
    """Shut down by its administrator, then by its limit of prefixes."""
    router = bgp_site.routing.frr
    router.configure("router bgp 65001\nneighbor 10.0.1.11 shutdown")
    bgp_site.shows("bgp-admin-shutdown", NEIGHBOR)
    assert bgp_site.fails(flow.SERVICE[0])
    router.configure("router bgp 65001\nno neighbor 10.0.1.11 shutdown")
    bgp_site.learns()
    # A session that has been missing for a while is looked for every 10 s.
    bgp_site.forgets("bgp-admin-shutdown", SESSION_S)
    limit = "router bgp 65001\naddress-family ipv4 unicast\n{}neighbor 10.0.1.11 maximum-prefix 1"
    router.configure(limit.format(""))
    bgp_site.shows("bgp-max-prefix", NEIGHBOR, SESSION_S)
    router.configure(limit.format("no "))
    router.vtysh("clear bgp 10.0.1.11")
    bgp_site.learns()
    bgp_site.is_well(SESSION_S)


@pytest.mark.client("its interface is there without meshgw")
def test_render_makes_the_same_of_a_fresh_machine(bgp_site: BgpSite) -> None:
    """`meshgw frr render` prints a configuration that FRR takes, with the same outcome."""
    rendered = bgp_site.gw.out(["meshgw", "frr", "render"])
    before = set(bgp_site.frr.config().splitlines()) - {"log syslog informational"}
    bgp_site.spent()
    bgp_site.lab.reset(bgp_site.gw, router="bgp")
    bgp_site.frr.start(rendered)
    bgp_site.learns()
    assert set(bgp_site.frr.config().splitlines()) == before


@pytest.mark.client("its routing table")
@pytest.mark.bare
def test_beside_the_clients_own_routes(bgp_site: BgpSite) -> None:
    """The client routes Cloudflare's IPv6 range by itself, in a table in front of ours."""
    bgp_site.make_with(bgp(), traits=Traits())
    bgp_site.learns()
    bgp_site.heals(*flow.SERVICE, *flow.REMOTE)
    bgp_site.is_well()


@pytest.mark.bare
def test_sessions_that_do_not_come_up(bgp_site: BgpSite) -> None:
    """Each with its own cause; the one that works goes on. The router runs already: in its first
    seconds it would refuse gw1's connection, which alone tells gw1 of another AS number."""
    bgp_site.make_with(
        bgp("password_file: /etc/meshgw/secret\n", address="2001:db8:1::1")
        + "    - {address: 10.0.1.1, remote_as: 65099}\n"
        "    - {address: 10.7.0.1, remote_as: 65007}\n"
    )
    bgp_site.gw.run("umask 027; echo wrong >/etc/meshgw/secret; chgrp meshgw /etc/meshgw/secret")
    bgp_site.gw.run(["meshgw", "apply"])
    bgp_site.shows("bgp-auth-mismatch", "2001:db8:1::1", SESSION_S)
    bgp_site.shows("bgp-wrong-asn", NEIGHBOR, SESSION_S)
    bgp_site.shows("bgp-neighbour-unreachable", "10.7.0.1", SESSION_S)
    bgp_site.apply(bgp())
    bgp_site.learns()
    bgp_site.is_well()


@pytest.mark.bare
def test_everything_about_a_neighbour(bgp_site: BgpSite) -> None:
    """Password, timers, TTL, communities, description, limits and an inbound policy, both ends."""
    secret = "correct-horse-battery"
    bgp_site.make_with(
        bgp(
            "password_file: /etc/meshgw/router.secret\ntimers: {keepalive: 3s, hold: 9s}\n"
            "ttl_security: 1\ncommunities: ['65010:100', no-export]\ndescription: site router\n"
            "maximum_prefix: 20\naccept: [{prefix: 172.16.0.0/12, le: 24}, '2001:db8:f::/48']\n"
            "update_source: 10.0.1.11\n"
        ),
        router=CONF.replace(
            (member := " neighbor 10.0.1.11 peer-group GATEWAY\n"),
            f"{member} neighbor 10.0.1.11 ttl-security hops 1\n"
            f" neighbor 10.0.1.11 password {secret}\n",
        )
        + BEYOND,
    )
    # Only now: what is missing is a condition, what is open to others as well.
    bgp_site.shows("bgp-password-unreadable")
    bgp_site.gw.run(
        f"umask 077; echo {secret} >/etc/meshgw/router.secret; chmod 644 /etc/meshgw/router.secret"
    )
    bgp_site.gw.run(["meshgw", "apply"])
    bgp_site.shows("bgp-password-unreadable")
    bgp_site.gw.run("chown root:meshgw /etc/meshgw/router.secret; chmod 640 /etc/meshgw/router.secret")
    bgp_site.gw.run(["meshgw", "apply"])
    bgp_site.learns()
    bgp_site.is_well()

    router = bgp_site.routing.frr
    path = router.json("show bgp ipv4 unicast 100.64.0.0/12")["paths"][0]
    assert path["community"]["string"] in ("65010:100 no-export", "no-export 65010:100")
    session = router.json("show bgp neighbors 10.0.1.11")["10.0.1.11"]
    assert session["bgpTimerHoldTimeMsecs"] == 9000
    assert bgp_site.frr.learned(0) == {"172.16.5.0/24": [NEIGHBOR]}
    assert bgp_site.frr.learned(1) == {"2001:db8:f::/48": [NEIGHBOR]}

    seen = bgp_site.gw.out("journalctl -u meshgwd -o cat; meshgw --json status; meshgw plan; ps axe")
    assert secret not in seen


@pytest.mark.bare
def test_bfd(bgp_site: BgpSite) -> None:
    """Its loss ends the session within a second, and its return brings it back."""
    bgp_site.make_with(
        bgp("bfd: {multiplier: 3, receive: 100ms, transmit: 100ms}"), router=with_bfd(100)
    )
    bgp_site.learns()
    bgp_site.is_well()
    outside = bgp_site.lab.router.outside
    outside.run("nft -f -", stdin=CUT)
    try:
        poll_until(lambda: not bgp_site.routing.ways(), 1, "the router's BFD sees the silence")
        # In mode route nobody hears of the end, and the next look at FRR comes within 10 s.
        bgp_site.shows("bgp-session-down", NEIGHBOR, 13)
        assert "BFD" in bgp_site.message("bgp-session-down")
    finally:
        outside.run("nft delete table inet cut")
    bgp_site.learns()
    bgp_site.is_well()
    bgp_site.heals()


def test_bird(bgp_site: BgpSite) -> None:
    """Another implementation as site router: the same configuration, the same outcome."""
    bgp_site.spent()
    bgp_site.routing.become("bird")
    bgp_site.learns()
    bgp_site.is_well(SESSION_S)
    bgp_site.heals(*flow.SERVICE, *flow.REMOTE)
