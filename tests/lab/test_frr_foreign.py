# SPDX-License-Identifier: Apache-2.0
"""meshgw beside what its users have in FRR already: theirs stays, and ours goes where it should.

    gw2 (their own neighbour, iBGP) ── gw1 (FRR: theirs and ours) ── router (takes everything)
"""

from __future__ import annotations

import json

import pytest

from bgpsite import FOREIGN, NEIGHBOR, OPEN, SESSION_S, BgpSite, bgp
from lab import network
from lab.shell import poll_until

pytestmark = pytest.mark.bare
FOUR = {p for p in network.RANGES if ":" not in p}
SIX = set(network.RANGES) - FOUR
# gw2: announces a network and a default route to gw1, and takes everything.
THEIRS = """\
ip route 203.0.113.128/25 blackhole
ipv6 route 2001:db8:aaaa::/48 blackhole
router bgp 65010
 neighbor 10.0.1.11 remote-as internal
 address-family ipv4 unicast
  network 203.0.113.128/25
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:aaaa::/48
  neighbor 10.0.1.11 activate
 exit-address-family
exit
"""
# A peer-group that gives everything, a default route too; our neighbour in it, by either way.
THEIR_GROUP = """\
router bgp 65010
 neighbor ROUTERS peer-group
 neighbor ROUTERS remote-as external
 address-family ipv4 unicast
  neighbor ROUTERS default-originate
  neighbor ROUTERS route-map ALL in
  neighbor ROUTERS route-map ALL out
 exit-address-family
 address-family ipv6 unicast
  neighbor ROUTERS activate
  neighbor ROUTERS default-originate
  neighbor ROUTERS route-map ALL in
  neighbor ROUTERS route-map ALL out
 exit-address-family
exit
"""
MEMBER = "router bgp 65010\n neighbor 10.0.1.1 peer-group ROUTERS\nexit\n"
THEIR_NEIGHBOR = THEIR_GROUP + MEMBER
LISTEN = "router bgp 65010\n bgp listen range 10.0.1.0/24 peer-group ROUTERS\nexit\n"
UNLISTEN = LISTEN.replace("bgp listen", "no bgp listen")
# Other sites, and the consent to tell everybody.
SITES = ["10.9.0.0/16", "2001:db8:9::/48"]
CONSENT = "  announce_to_others: true\n"


def only_the_ranges_go(site: BgpSite) -> None:
    """What the router has heard, whatever it is, and what FRR says of it."""
    for six, ranges in enumerate((FOUR, SIX)):
        poll_until(
            lambda f=six, r=ranges: set(site.routing.frr.learned(f)) == r,
            SESSION_S, "the router has heard of the ranges alone",
        )  # fmt: skip
        assert site.frr.announced(NEIGHBOR, six) == ranges


def test_theirs_stays_and_does_not_go_to_ours(bgp_site: BgpSite) -> None:
    """Connected, static, kernel's and BGP's, a default route: none of it reaches our neighbour,
    whatever they do to it; `down` leaves FRR byte-equal to before.

    Their own neighbour would hear of the ranges: said until the configuration consents.
    """
    site = bgp_site
    gw2 = site.lab.frr["gw2"]
    gw2.start(THEIRS)
    site.make_with(bgp(), foreign=FOREIGN, router=OPEN)
    theirs = site.frr
    poll_until(lambda: theirs.learned(0) and theirs.learned(1), SESSION_S, "gw2's routes at gw1")
    only_the_ranges_go(site)
    site.shows("ranges-leak-to-foreign-neighbour", "10.0.1.12", SESSION_S)
    assert set(network.RANGES) <= {*gw2.learned(0), *gw2.learned(1)}

    # Networks of other sites are announced as the ranges are; all else is still not.
    site.apply(f"mesh: {{ranges: {{sites: {json.dumps(SITES)}}}}}\n" + bgp(more=CONSENT))
    site.forgets("ranges-leak-to-foreign-neighbour")
    site.learns([*network.RANGES, *SITES])
    for six in (0, 1):
        sites = {prefix for prefix in SITES if (":" in prefix) == bool(six)}
        assert site.frr.announced(NEIGHBOR, six) == (FOUR, SIX)[six] | sites, "of other sites"
    route = site.gw.json("ip -j route get 10.9.1.1 from 10.0.1.50 iif eth0")[0]
    assert route["dev"] == site.warp.ifname, "a site's packets go into the tunnel"
    site.is_well()

    # They put our neighbour into a group of theirs: mended.
    site.apply(bgp())
    site.frr.vtysh("configure terminal", *THEIR_NEIGHBOR.splitlines())
    site.gw.run(["meshgw", "apply"])
    only_the_ranges_go(site)
    site.frr.vtysh("configure terminal", "router bgp 65010", "no neighbor ROUTERS peer-group")

    site.gw.run(["meshgw", "down"])
    assert site.frr.config() == site.before, "down leaves theirs byte-equal"


def test_our_neighbour_is_theirs(bgp_site: BgpSite) -> None:
    """It came by a listen range, or stands in their peer-group: left alone, and said, until the
    range is gone, or the configuration adopts it; then only the ranges go there."""
    site = bgp_site
    site.make_with(bgp(address="10.7.0.1"), foreign=FOREIGN + THEIR_GROUP + LISTEN, router=OPEN)
    site.frr.established(NEIGHBOR)
    site.apply(bgp())
    site.shows("frr-neighbor-foreign", NEIGHBOR)
    assert "listen range 10.0.1.0/24" in site.message("frr-neighbor-foreign")
    assert "frr-config-rejected" not in {code for code, _ in site.conditions()}
    assert f"neighbor {NEIGHBOR} " not in site.frr.config(), "a dynamic neighbour is left alone"

    site.frr.vtysh("configure terminal", *UNLISTEN.splitlines(), *MEMBER.splitlines())
    site.gw.run(["meshgw", "apply"])
    site.shows("frr-neighbor-foreign", NEIGHBOR)
    assert "listen range" not in site.message("frr-neighbor-foreign")
    assert f"neighbor {NEIGHBOR} peer-group ROUTERS" in site.frr.config(), "a member is left alone"
    site.apply(bgp("adopt: true"))
    site.forgets("frr-neighbor-foreign")
    only_the_ranges_go(site)


def test_another_as_number(bgp_site: BgpSite) -> None:
    """Nothing of BGP's is written into it; the kernel's routes make the path true without."""
    foreign = FOREIGN.replace("router bgp 65010", "router bgp 65020")
    bgp_site.make_with(bgp(), foreign=foreign)
    bgp_site.shows("frr-asn-mismatch")
    assert "65020" in bgp_site.message("frr-asn-mismatch")
    assert "router bgp 65010" not in bgp_site.frr.config()
    bgp_site.path_is_true()
    bgp_site.apply(bgp(asn=65020))
    bgp_site.forgets("frr-asn-mismatch")


def test_the_same_static_is_theirs(bgp_site: BgpSite) -> None:
    """Used, and neither changed nor removed; so with a `network` statement of the same prefix."""
    foreign = (
        "ip route 100.64.0.0/12 CloudflareWARP\nip route 100.96.0.0/12 CloudflareWARP tag 7\n"
        "router bgp 65010\n address-family ipv4 unicast\n  network 100.96.0.0/12\n"
        " exit-address-family\nexit\n"
    )
    bgp_site.make_with(bgp(), foreign=foreign)
    bgp_site.learns()
    config = bgp_site.frr.config().splitlines()
    assert "ip route 100.64.0.0/12 CloudflareWARP" in config
    assert "ip route 100.96.0.0/12 CloudflareWARP tag 7" in config
    bgp_site.gw.run(["meshgw", "down"])
    assert bgp_site.frr.config() == bgp_site.before


def test_import_check_switched_off(bgp_site: BgpSite) -> None:
    """FRR would announce what it has no route for: said, and not touched."""
    foreign = "router bgp 65010\n no bgp network import-check\nexit\n"
    bgp_site.make_with(bgp(), foreign=foreign)
    bgp_site.learns()
    bgp_site.shows("frr-import-check-off")
    assert "no bgp network import-check" in bgp_site.frr.config()
    # A range that the kernel lacks is withdrawn all the same.
    bgp_site.warp.link_down()
    bgp_site.learns([])
    bgp_site.warp.link_up()
    bgp_site.learns()


def test_frr_refuses_a_line(bgp_site: BgpSite) -> None:
    """What FRR does not take is said at the user's own line: here, a gateway as its neighbour."""
    text = bgp(address="10.0.1.11")
    bgp_site.make_with(text)
    bgp_site.shows("frr-config-rejected")
    subject = next(s for code, s in bgp_site.conditions() if code == "frr-config-rejected")
    line = text[: text.index("10.0.1.11")].count("\n") + 1
    said = f"{subject} {bgp_site.message('frr-config-rejected')}"
    assert f":{line}:" in said, said
    bgp_site.apply(bgp())
    bgp_site.learns()
    bgp_site.is_well()
