# SPDX-License-Identifier: Apache-2.0
"""meshgw beside what its users have in FRR already: theirs stays, and ours goes where it should.

    gw2 (their own neighbour, iBGP) ── gw1 (FRR: theirs and ours) ── router (takes everything)
"""

from __future__ import annotations

from bgpsite import FOREIGN, NEIGHBOR, OPEN, SESSION_S, BgpSite, bgp
from lab import network
from lab.shell import poll_until

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
# Our neighbour in their hands: a peer-group that gives it everything, a default route too.
THEIR_NEIGHBOR = """\
router bgp 65010
 neighbor ROUTERS peer-group
 neighbor ROUTERS remote-as external
 neighbor 10.0.1.1 peer-group ROUTERS
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


def only_the_ranges_go(site: BgpSite) -> None:
    """What the router has heard, whatever it is, and what FRR says of it."""
    for six, ranges in enumerate((FOUR, SIX)):
        poll_until(
            lambda f=six, r=ranges: set(site.routing.frr.learned(f)) == r,
            SESSION_S, "the router has heard of the ranges alone",
        )  # fmt: skip
        assert site.frr.announced(NEIGHBOR, six) == ranges


def test_theirs_stays_and_does_not_go_to_ours(bgp_site: BgpSite) -> None:
    """Connected, static, kernel's and BGP's, a default route: none of it reaches our neighbour.

    Their own neighbour would hear of the ranges: said until the configuration consents.
    """
    bgp_site.lab.frr["gw2"].start(THEIRS)
    bgp_site.make_with(bgp(), foreign=FOREIGN, router=OPEN)
    theirs = bgp_site.frr
    poll_until(lambda: theirs.learned(0) and theirs.learned(1), SESSION_S, "gw2's routes at gw1")
    only_the_ranges_go(bgp_site)
    bgp_site.shows("ranges-leak-to-foreign-neighbour", "10.0.1.12", SESSION_S)
    gw2 = bgp_site.lab.frr["gw2"]
    assert set(network.RANGES) <= {*gw2.learned(0), *gw2.learned(1)}
    bgp_site.apply(bgp(more="  announce_to_others: true\n"))
    bgp_site.forgets("ranges-leak-to-foreign-neighbour")
    bgp_site.is_well()


def test_down_leaves_theirs_byte_equal(bgp_site: BgpSite) -> None:
    """With a neighbour, route-maps, statics and redistribution of their own."""
    bgp_site.make_with(bgp(), foreign=FOREIGN)
    bgp_site.learns()
    bgp_site.gw.run(["meshgw", "down"])
    after = bgp_site.frr.config()
    bgp_site.frr.start(FOREIGN)
    assert after == bgp_site.frr.config()


def test_our_neighbour_is_in_their_peer_group(bgp_site: BgpSite) -> None:
    """Left alone, and said, until the configuration adopts it; then only the ranges go there."""
    bgp_site.make_with(bgp(), foreign=FOREIGN + THEIR_NEIGHBOR, router=OPEN)
    bgp_site.shows("frr-neighbor-foreign", NEIGHBOR)
    assert "neighbor 10.0.1.1 peer-group ROUTERS" in bgp_site.frr.config()
    bgp_site.apply(bgp("adopt: true"))
    bgp_site.forgets("frr-neighbor-foreign")
    only_the_ranges_go(bgp_site)


def test_they_put_our_neighbour_into_their_group(bgp_site: BgpSite) -> None:
    """While it runs: mended, or said with what else would go there."""
    bgp_site.make_with(bgp(), foreign=FOREIGN, router=OPEN)
    only_the_ranges_go(bgp_site)
    bgp_site.frr.vtysh("configure terminal", *THEIR_NEIGHBOR.splitlines())
    bgp_site.gw.run(["meshgw", "apply"])
    only_the_ranges_go(bgp_site)


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
    after = bgp_site.frr.config()
    bgp_site.frr.start(foreign)
    assert after == bgp_site.frr.config()


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
