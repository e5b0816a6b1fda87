# SPDX-License-Identifier: Apache-2.0
"""What the tests with FRR share: gw1 with meshgw and FRR, and the site router as its neighbour.

Everything is shown in mode `route`, where flows live or die with what the router knows; what
`return_path: auto` makes of that is in test_auto*.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from lab import flow, network
from lab.lab import CONFIG, Lab
from lab.router import CONF
from lab.shell import CommandError, poll_until
from survival import SHOW_S, Site
from warp import Traits

NEIGHBOR = "10.0.1.1"
OURS = re.compile(rf"MESHGW|CloudflareWARP|\b{re.escape(NEIGHBOR)}\b")
# From FRR being back to all of ours in it.
INJECT_S = 5.0
# From there to the router's route: FRR begins no session in the first 4 s, and collects for 1 s.
SESSION_S = 15.0
# What a user of FRR has in it already, in our AS number: a site's own routing, generous to all.
FOREIGN = """\
ip prefix-list ANY seq 5 permit any
ipv6 prefix-list ANY seq 5 permit any
route-map ALL permit 10
exit
ip route 192.0.2.0/24 blackhole
ip route 198.18.0.0/15 10.0.1.1
ipv6 route 2001:db8:ffff::/48 blackhole
router bgp 65010
 neighbor OTHERS peer-group
 neighbor OTHERS remote-as internal
 neighbor 10.0.1.12 peer-group OTHERS
 address-family ipv4 unicast
  network 203.0.113.0/24 route-map ALL
  redistribute connected
  redistribute static
  redistribute kernel
  neighbor OTHERS route-map ALL in
  neighbor OTHERS route-map ALL out
  neighbor OTHERS default-originate
 exit-address-family
 address-family ipv6 unicast
  redistribute connected
  redistribute static
  redistribute kernel
  neighbor OTHERS activate
  neighbor OTHERS route-map ALL in
  neighbor OTHERS route-map ALL out
 exit-address-family
exit
"""
# The router takes everything that it is told.
OPEN = f"{CONF}route-map FROM-GATEWAY permit 5\nexit\n"


def bgp(neighbor: str = "", *, address: str = NEIGHBOR, asn: int = 65010, more: str = "") -> str:
    """The lab's configuration in mode route, with one neighbour and what is special about it."""
    lines = "".join(f"      {line}\n" for line in neighbor.splitlines())
    return (
        f"{CONFIG}return_path: route\nbgp:\n  asn: {asn}\n{more}  neighbors:\n"
        f'    - address: "{address}"\n      remote_as: external\n{lines}'
    )


class BgpSite(Site):
    """gw1, whose daemon runs with FRR beside it."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, "route")
        self.frr = lab.frr["gw1"]
        self.routing = lab.routing
        self.before = self._frr_config = ""
        self._ours: set[str] = set()

    def make(self) -> None:
        self.make_with(bgp())
        self.is_well(SESSION_S)
        self.learns()
        self.remember()

    def remember(self) -> None:
        """What FRR has when all is well."""
        self._frr_config = self.frr.config()
        self._ours = {line for line in self._frr_config.splitlines() if OURS.search(line)}

    def make_with(
        self,
        config: str,
        *,
        foreign: str | None = None,
        router: str = "",
        traits: Traits = Traits(inject6=False),
    ) -> None:
        """Anew, with what FRR holds before meshgw comes, and another configuration of the
        router's; the next test begins anew as well. `before` is what FRR shows of the former.
        Waits for nothing."""
        self.spent()
        if router:
            self.routing.become("bgp", router)
        self.lab.reset(self.gw, traits=traits, router="" if router else "bgp")
        self.frr.start(foreign)
        self.before = self.frr.config()
        self.gw.run("meshgw check -", stdin=config)
        self.lab.deploy(self.gw, config=config)

    def is_whole(self) -> bool:
        return (
            self.routing.rests("bgp") and super().is_whole()
            and self.frr.takes() and self.frr.config() == self._frr_config
        )  # fmt: skip

    # Both ends.

    def apply(self, config: str, check: bool = True) -> str:
        """Another configuration; answers what `meshgw apply` said."""
        self.gw.write("etc/meshgw/meshgw.yaml", config)
        done = self.gw.run(["meshgw", "apply"], check=check)
        return done.stdout + done.stderr

    def learns(self, prefixes: Collection[str] = network.RANGES) -> None:
        """The router's kernel has exactly these by gw1."""
        self.routing.learns("gw1" if prefixes else "", prefixes)

    def injected(self, seconds: float = INJECT_S) -> None:
        """FRR has all of ours, or gets it."""

        def look() -> bool:
            assert not (missing := self._ours - self.frr.lines()), missing
            return True

        poll_until(look, seconds, "ours is in FRR", interval=0.1)

    def neighbor(self, address: str = NEIGHBOR) -> dict[str, Any]:
        """What `meshgw status` says of one."""
        for found in self.status()["bgp"]["neighbors"]:
            if found["address"] == address:
                return dict(found)
        raise CommandError(f"no neighbour {address} in meshgw's status")

    def forgets(self, code: str, seconds: float = SHOW_S) -> None:
        """A condition ends."""
        poll_until(
            lambda: code not in {c for c, _ in self.conditions()}, seconds, f"{code} ends"
        )

    def message(self, code: str) -> str:
        """Of a condition that stands, whatever its severity."""
        return next(c["message"] for c in self.status()["conditions"] if c["code"] == code)

    def path_is_true(self) -> None:
        """What comes back to gw1 goes into the tunnel, in both families, from the first packet."""
        for six in (0, 1):
            there, back = flow.WORKER[six], flow.SERVICE[six]
            route = self.gw.json(f"ip -j -{(4, 6)[six]} route get {there} from {back} iif eth0")
            assert route[0]["dev"] == self.warp.ifname, route
