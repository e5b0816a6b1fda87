# SPDX-License-Identifier: Apache-2.0
"""What the site router knows of the mesh, and from whom; it can be changed while the lab runs.

    static  hand-made routes for the ranges to gw1
    bgp     FRRouting in AS 65001, neighbour of both gateways
    bird    BIRD in its place, with the same policy
    none    nothing
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from lab import network
from lab.frr import Frr
from lab.machine import Machine
from lab.shell import poll_until

# From a session's beginning: FRR waits 4 s for the first one of a start, then 1 s to collect.
LEARN_S = 15.0
# Next hops: their addresses on the LAN, of every scope.
GATEWAYS = {
    address: name
    for name in ("gw1", "gw2")
    for address in (
        *(a.partition("/")[0] for a in network.PLANS[name].ports[0].addresses),
        network.link_local(name),
    )
}
HERE = Path("/src/tests/lab/router")
CONF = (HERE / "frr.conf").read_text(encoding="utf-8")
# For a gateway: what its administrator writes who has no meshgw.
BY_HAND = (HERE / "by-hand.conf").read_text(encoding="utf-8")
MODES = ("static", "bgp", "bird", "none")
BIRD_CONF = "etc/bird/bird.conf"


class Router:
    """The machine as a router."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.frr = Frr(machine)
        self.mode = "none"
        self._begun = ""

    def become(self, mode: str, conf: str | None = None) -> None:
        """Forgets what it knew and begins anew, with another configuration if one is given."""
        assert mode in MODES, mode
        self._forget()
        if mode == "static":
            for route in network.router_routes("gw1"):
                self.machine.run(f"ip route replace {route}")
        elif mode == "bgp":
            self.frr.start(conf or CONF)
        elif mode == "bird":
            self.machine.write(BIRD_CONF, conf or (HERE / "bird.conf").read_text(encoding="utf-8"))
            self.machine.systemctl("restart", "bird")
        self.mode = mode
        self._begun = "" if conf else self._config()

    def rests(self, mode: str) -> bool:
        """Whether it is as after become(mode)."""
        return self.mode == mode and self._begun != "" and self._begun == self._config()

    def rest(self, mode: str) -> None:
        """As it is after become(mode), whatever a test did with vtysh."""
        if not self.rests(mode):
            self.become(mode)

    def _config(self) -> str:
        return self.frr.config() if self.mode == "bgp" else self.mode

    def _forget(self) -> None:
        if self.mode == "bgp":
            self.frr.stop()
        elif self.mode == "bird":
            self.machine.systemctl("stop", "bird")
        for prefix in network.RANGES:
            self.machine.run(f"ip {_family(prefix)} route flush exact {prefix}")

    def way(self, prefix: str) -> str:
        """The gateway that the kernel sends a prefix to; empty if it does not know one."""
        for route in self.machine.json(f"ip -j {_family(prefix)} route show exact {prefix}"):
            return GATEWAYS[route["gateway"]]
        return ""

    def ways(self) -> dict[str, str]:
        """All that its kernel has by gateways: prefix and gateway."""
        return {
            route["dst"]: GATEWAYS[route["gateway"]]
            for family in ("-4", "-6")
            for route in self.machine.json(f"ip -j {family} route")
            if route.get("gateway") in GATEWAYS
        }

    def learns(self, gateway: str, prefixes: Collection[str] = network.RANGES) -> None:
        """Exactly these are there, or come, and by that gateway."""
        wanted = dict.fromkeys(prefixes, gateway) if gateway else {}

        def look() -> bool:
            assert self.ways() == wanted, self.ways()
            return True

        what = f"the router knows {' '.join(wanted) or 'nothing'} by {gateway or 'anybody'}"
        poll_until(look, LEARN_S, what, interval=0.1)


def with_bfd(milliseconds: int) -> str:
    """The router's configuration with BFD, three packets of that interval. A session whose other
    end has none stays down."""
    profile = (
        f"bfd\n profile lab\n  receive-interval {milliseconds}\n"
        f"  transmit-interval {milliseconds}\n exit\nexit\n"
    )
    begin, router, rest = CONF.partition(" neighbor GATEWAY remote-as 65010\n")
    lines = " neighbor GATEWAY bfd\n neighbor GATEWAY bfd profile lab\n"
    return f"{profile}{begin}{router}{lines}{rest}"


def _family(prefix: str) -> str:
    return "-6" if ":" in prefix else "-4"
