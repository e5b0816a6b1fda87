# SPDX-License-Identifier: Apache-2.0
"""What the tests of `return_path: auto` share: a gateway with short timers, and what it shows."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from lab import flow
from lab.lab import Lab
from lab.node import Node
from lab.shell import CommandError, Process, poll_until
from survival import SHOW_S
from warp import Traits

SITE = ("10.0.2.0/24", "2001:db8:2::/64")
LAN = ("10.0.1.0/24", "2001:db8:1::/64")
WITNESSES = {
    "10.0.2.0/24": ["10.0.2.60:3000"],
    "2001:db8:2::/64": ["[2001:db8:2::60]:3000"],
    "10.0.1.0/24": ["10.0.1.50:3000"],
    "2001:db8:1::/64": ["[2001:db8:1::50]:3000"],
}
TIMERS = """\
probe: {interval: 500ms, after_event: 100ms, timeout: 200ms, proven_hold: 1s}
"""
# Three rounds in a row, after a hold, and what a loaded machine adds.
PROVEN_S = 6.0
# Two rounds, each as long as its timeout, after the one that was due.
LOST_S = 4.0


def config(witnesses: dict[str, list[str] | str] | None = None, more: str = TIMERS) -> str:
    """Networks of eth0 in mode auto with these witnesses; a word in place of a list is taken as it
    is."""
    lines = ["lan:", "  - interface: eth0", "    networks:"]
    for prefix, names in (WITNESSES if witnesses is None else witnesses).items():
        shown = names if isinstance(names, str) else json.dumps(names)
        key = f", witness: {shown}" if names else ""
        lines.append(f'      - {{prefix: "{prefix}"{key}}}')
    return "\n".join((*lines, "return_path: auto", more))


class Auto:
    """gw1 in mode auto; the router knows nothing of the mesh at first, unless told otherwise."""

    def __init__(
        self,
        lab: Lab,
        text: str | None = None,
        *,
        router: str = "none",
        traits: Traits | None = None,
        frr: bool = False,
    ) -> None:
        self.lab = lab
        self.gw = lab.gw1
        lab.reset(lab.gw1, traits=traits or Traits(inject6=False), router=router)
        if frr:
            lab.frr["gw1"].start()
        lab.deploy(lab.gw1, config=text or config())
        poll_until(self.status, 5, "meshgwd answers")

    def apply(self, text: str) -> None:
        """Another configuration."""
        self.gw.write("etc/meshgw/meshgw.yaml", text)
        self.gw.run("meshgw apply")

    def status(self) -> dict[str, Any]:
        """meshgw status --json."""
        done = self.gw.run(["meshgw", "--json", "status"], check=False)
        try:
            reply = dict(json.loads(done.stdout))
        except ValueError as error:
            raise CommandError(f"meshgw status: {done.stdout}{done.stderr}") from error
        if not reply.get("networks"):
            raise CommandError(f"meshgw status: {done.stdout}")
        return reply

    def network(self, prefix: str) -> dict[str, Any]:
        """What it says of one network."""
        return next(n for n in self.status()["networks"] if n["prefix"] == prefix)

    def becomes(self, mode: str, *prefixes: str, seconds: float | None = None) -> None:
        """The networks are in this mode, or come to be."""

        def look() -> bool:
            now = {p: self.network(p) for p in prefixes or SITE}
            assert all(n["effective"] == mode for n in now.values()), now
            return True

        limit = seconds or (PROVEN_S if mode == "route" else LOST_S)
        poll_until(look, limit, f"{' '.join(prefixes or SITE)} in mode {mode}")

    def rounds(self, prefix: str, count: int = 3) -> dict[str, Any]:
        """What it says of a network when so many more rounds are over."""
        before = self.network(prefix)["proof"]["rounds"]

        def look() -> dict[str, Any]:
            now = self.network(prefix)
            assert now["proof"]["rounds"] >= before + count
            return now

        return poll_until(look, 10, f"{count} rounds in {prefix}")

    def conditions(self) -> set[tuple[str, str]]:
        """(code, subject) of all of them."""
        return {(c["code"], c["subject"]) for c in self.status()["conditions"]}

    def shows(self, code: str, subject: str, *, there: bool = True) -> None:
        """The condition comes, or goes."""

        def look() -> bool:
            assert ((code, subject) in self.conditions()) is there, self.conditions()
            return True

        poll_until(look, SHOW_S + 2, f"condition {code} {subject} {'comes' if there else 'goes'}")

    def sees(self, mode: str, *addresses: str, seconds: float = 2.0) -> None:
        """A Worker's new requests are answered, and show its address or hide it."""
        for address in addresses or flow.REMOTE:
            seen = flow.WORKER if mode == "route" else flow.GW1
            flow.works_within(seconds, self.lab.worker, address, seen[":" in address])

    def journal(self, pattern: str) -> list[str]:
        """Lines of meshgwd's journal that match."""
        lines = self.gw.out("journalctl -q -o cat -u meshgwd").splitlines()
        return [line for line in lines if re.search(pattern, line)]


BEAT = """\
import socket, sys, time
address, port, own, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", own))
sock.connect((address, port))
end = time.monotonic() + seconds
while time.monotonic() < end:
    sock.settimeout(0.1)
    try:
        sock.send(b"x")
        sock.recv(100)
        print(time.monotonic(), flush=True)
    except OSError:
        pass
    time.sleep(0.05)
"""


class Beat:
    """Datagrams from one port, or echo requests of one identifier, all the time."""

    def __init__(self, node: Node, address: str, *, icmp: bool, seconds: float = 120) -> None:
        self.name = f"{'ICMP' if icmp else 'UDP'} to {address}"
        file = f"/run/lab/beat-{node.name}-{id(self)}"
        self._icmp = icmp
        port = "40126" if ":" in address else "40124"
        command = (
            ["ping", "-n", "-D", "-i", "0.1", "-w", str(int(seconds)), address]
            if icmp
            else ["python3", "-c", BEAT, address, str(flow.UDP), port, str(seconds)]
        )
        self._process: Process = node.popen(command, output=file)
        self._clock = time.time if icmp else time.monotonic

    def _times(self) -> list[float]:
        text = self._process.text()
        if self._icmp:
            return [float(t) for t in re.findall(r"^\[([\d.]+)\].* time=", text, re.MULTILINE)]
        return [float(line) for line in text.split()]

    def goes_on(self, seconds: float = 3.0) -> None:
        """It is heard, or is again, in that time."""
        now = self._clock()
        poll_until(lambda: [t for t in self._times() if t > now], seconds, f"{self.name} goes on")


class Transfer:
    """A bulk transfer over one connection that lasts as long as a test lets it."""

    def __init__(self, node: Node, address: str, *, upload: bool) -> None:
        self.name = f"{'upload to' if upload else 'download from'} {address}"
        self._node = node
        command = ["curl", "-sS", "--limit-rate", "500k"]
        if upload:
            command += ["-T", "/dev/zero", flow.url(address, "/sink")]
        else:
            command += ["-o", "/dev/null", flow.url(address, f"/bytes/{1 << 40}")]
        self._process = node.popen(command)
        self._bytes = "bytes_acked" if upload else "bytes_received"

    def _moved(self) -> int:
        """Bytes of its connection that the other end has confirmed, or has sent."""
        # A line of each connection, and one that is indented with what TCP knows of it.
        entries = self._node.out("ss -Htinp state established").replace("\n\t", " ").splitlines()
        mine = [e for e in entries if f"pid={self._process.popen.pid}," in e]
        return sum(int(n) for e in mine for n in re.findall(rf"{self._bytes}:(\d+)", e))

    def goes_on(self, seconds: float = 10.0) -> None:
        """More bytes arrive, over the same connection."""
        before = self._moved()

        def look() -> bool:
            assert self._process.running, f"{self.name}: the connection ended"
            return self._moved() > before

        poll_until(look, seconds, f"{self.name} goes on")

    def stop(self) -> None:
        """Ends it."""
        self._process.stop()
