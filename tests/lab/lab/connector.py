# SPDX-License-Identifier: Apache-2.0
"""A gateway's own tunnel, with the words of warp.Warp for what happens to both.

What only Cloudflare's client does (its table, its rules, its filter, an interface that stays away)
is not here: tests of that are marked `client`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lab.edge import MTU, Plan
from lab.machine import Machine
from lab.shell import poll_until
from warp import INTERFACE, SYSCTLS, Traits

BACK_S = 5.0


class Connector:
    """One gateway's. `tell_edge` puts the edge's plan in force, `tell_gateway` another MTU."""

    def __init__(
        self,
        gateway: Machine,
        traits: Traits,
        plan: Plan,
        tell_edge: Callable[[], None],
        tell_gateway: Callable[[int], None],
    ) -> None:
        self.name = gateway.name
        self.traits = traits
        self.ifname = INTERFACE
        self._gateway = gateway
        self._plan = plan
        self._tell_edge = tell_edge
        self._tell_gateway = tell_gateway

    @property
    def address4(self) -> str:
        """The Mesh address that the edge assigns."""
        return self._plan.addresses[self.name][0]

    @property
    def address6(self) -> str:
        """The other family's."""
        return self._plan.addresses[self.name][1]

    def _ip(self, command: str) -> None:
        self._gateway.outside.run(f"ip {command}")

    # Its life, which is meshgwd's business.

    def connect(self) -> None:
        """Comes with meshgw."""

    def close(self) -> None:
        """Goes with meshgw."""

    def reconnect(self) -> None:
        """The program anew, with another connection; the interface stays, and is up."""
        self._ip(f"link set {self.ifname} up")
        self._gateway.systemctl("restart", "meshgw-tunnel")

    def recreate(self) -> None:
        """Somebody deletes the interface; meshgwd makes another one of the same name."""
        before = self._ifindex()
        self._ip(f"link del {self.ifname}")
        poll_until(lambda: self._ifindex() != before, BACK_S, f"{self.ifname} is made again")

    def _ifindex(self) -> int:
        (link,) = self._gateway.outside.json(f"ip -j link show {self.ifname}")
        return int(link["ifindex"])

    def install_sysctls(self) -> None:
        """As Cloudflare's client has them, so that both labs begin alike."""
        self._gateway.outside.run(["sysctl", "-qw", *SYSCTLS])

    def write_firewall(self) -> None:
        """There is none but meshgw's own."""

    # What happens to it.

    def set_mtu(self, mtu: int) -> None:
        """Both ends are configured anew."""
        self._plan.mtu = max(mtu, MTU)
        self._tell_edge()
        self._tell_gateway(mtu)

    def set_address(self, address4: str) -> None:
        """The edge assigns another one."""
        self._plan.addresses[self.name] = (address4, self.address6)
        self._tell_edge()
        shown = f"ip -o addr show dev {self.ifname}"
        poll_until(
            lambda: f" {address4}/32" in self._gateway.outside.out(shown), BACK_S, address4
        )

    def attract(self, prefixes: Iterable[str]) -> None:
        """The edge sends these here as well."""
        have = self._plan.routes[self.name]
        self._plan.routes[self.name] = (*have, *(p for p in prefixes if p not in have))
        self._tell_edge()

    def link_down(self) -> None:
        """By an administrator."""
        self._ip(f"link set {self.ifname} down")

    def link_up(self) -> None:
        """By the same."""
        self._ip(f"link set {self.ifname} up")

    def stall(self) -> None:
        """The program stops reading."""
        self._gateway.systemctl("kill", "-s", "STOP", "meshgw-tunnel")

    def resume(self) -> None:
        """It goes on."""
        self._gateway.systemctl("kill", "-s", "CONT", "meshgw-tunnel")
