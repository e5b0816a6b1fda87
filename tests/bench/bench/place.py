# SPDX-License-Identifier: Apache-2.0
"""A gateway with a tunnel, a LAN and, if wanted, a full routing table; heal and idle use it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from bench.daemons import Daemon
from bench.space import URGENT, BenchError, Netns, Space, lines, note, poll_until

MESH = "CloudflareWARP"
LAN = "eth0"
VIA = ["10.0.1.1", "2001:db8:1::1"]
# The ranges that every mesh has.
FOUR = ["100.64.0.0/12", "100.96.0.0/12"]
SIX = ["2606:4700:cf1:5000::/64", "2606:4700:cf1:1000::/64"]

CONFIG = f"""\
lan:
  - interface: {LAN}
    networks: [10.0.1.0/24, "2001:db8:1::/64"]
return_path: masquerade
"""


@dataclass(frozen=True)
class Repair:
    """Microseconds from before the fault's system call to the repair, and to that call's end."""

    us: float
    fault_us: float


class Place:
    """A gateway's namespace, the observer in it, and who is to repair it."""

    def __init__(self, space: Space, name: str) -> None:
        self.space = space
        self.ns: Netns = space.netns(name)
        self.daemon: Daemon
        self.ns.ip(
            f"link add {LAN} type veth peer name lan0",
            "link set lan0 up",
            f"link set {LAN} up",
            f"address add 10.0.1.11/24 dev {LAN}",
            f"address add 2001:db8:1::11/64 dev {LAN} nodad",
        )
        self.heal = self.ns.popen(
            [*URGENT, space.tool("heal"), "--tun", MESH, "--address", "100.96.0.18",
             "--address", "2606:4700:cf1:1000::18", *FOUR, *SIX],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()

    def _answer(self) -> dict[str, Any]:
        line = lines(self.heal.popen.stdout).readline()
        if not line:
            self.heal.popen.wait(5)
            self.heal.alive()
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise BenchError(f"{self.ns.name}: heal: {found['error']}")
        return found

    def ask(self, command: str) -> Repair | None:
        """Makes a fault; how long until it was mended, None when it was not."""
        try:
            print(command, file=lines(self.heal.popen.stdin), flush=True)
            found = self._answer()
        except BenchError as error:
            raise BenchError(f"{command}: {error}") from error
        if not found["mended"]:
            note(f"{self.ns.name}: {command}: not mended in time")
            poll_until(self.is_whole, 120, f"{self.ns.name} is whole again")
        return Repair(found["us"], found["fault_us"]) if found["mended"] else None

    def is_whole(self) -> bool:
        """Are all the routes there? They are remembered as they are."""
        try:
            print("learn", file=lines(self.heal.popen.stdin), flush=True)
            self._answer()
        except BenchError:
            return False
        return True

    def fill(self, count: int) -> None:
        """Somebody else's routes."""
        for via in VIA:
            self.ns.run([self.space.tool("routes"), "add", str(count), "--dev", LAN, "--via", via])
