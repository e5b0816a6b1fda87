# SPDX-License-Identifier: Apache-2.0
"""FRRouting on a machine, as its distribution starts it, and what it knows.

All five daemons that matter here are enabled on every machine; frr.service runs where start() was
called. Nothing here trusts vtysh's exit status, which is 0 for most of what goes wrong.

Whoever looks must not disturb. mgmtd of FRR 10.3 spoils a commit that is under way when any other
session with it ends (FRRouting issue 18541), and may be locked for ten minutes after that. So a
run of vtysh is told which daemon it is about, and what is looked at again and again, while meshgwd
may be writing, is has(), over connections that stay.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

from lab.machine import BASE, Machine, leader_of
from lab.shell import poll_until

CONF = "etc/frr/frr.conf"
DAEMONS = ("zebra", "mgmtd", "staticd", "bgpd", "bfdd")
START_S = 20.0
# Killed, not stopped: some of it may hang. `ip route flush` cannot delete routes by nexthop objects.
STOP = (
    "systemctl kill -s KILL frr 2>/dev/null; systemctl stop frr; systemctl reset-failed frr;"
    " rm -rf /run/frr/*; ip nexthop flush >/dev/null; for proto in 11 186 196; do"
    " ip -4 route flush proto $proto; ip -6 route flush proto $proto; done; true"
)
# In the service's control group, so that it ends with it.
RESTART = (
    "echo 0 >/sys/fs/cgroup$(systemctl show -P ControlGroup frr)/cgroup.procs &&"
    " /usr/lib/frr/watchfrr.sh restart {} >/dev/null 2>&1"
)
# What vtysh and the daemons begin a complaint with.
COMPLAINTS = ("%", "line ", "Error", "Configuration failed")
# Who answers `show …`, by the next word.
ANSWERS = {"bgp": "bgpd", "ip": "zebra", "ipv6": "zebra"}


class Vty:
    """A daemon's shell without vtysh, for one that looks (vtysh/vtysh.c, vtysh_client_run): a
    command ends with a NUL, an answer with three and a result."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(5)
        try:
            self._socket.connect(path)
            self.ask("enable")
        except OSError:
            self.close()
            raise

    def ask(self, command: str) -> str:
        """Its answer; OSError when there is none."""
        self._socket.sendall(command.encode() + b"\0")
        answer = b""
        while answer[-4:-1] != b"\0\0\0":
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionResetError(command)
            answer += more
        return answer[:-4].decode()

    def close(self) -> None:
        """Ends the session."""
        self._socket.close()


class Frr:
    """One machine's."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._vtys: dict[str, Vty] = {}

    # The service.

    @property
    def running(self) -> bool:
        """Whether frr.service is."""
        return self.machine.unit("frr", "ActiveState") == "active"

    def start(self, conf: str | None = None) -> None:
        """Anew, with a configuration; the default is what the package brings."""
        if conf is None:
            conf = (BASE / CONF).read_text(encoding="utf-8")
        self.stop()
        self.machine.write(CONF, conf)
        self.machine.systemctl("start", "frr")

    def stop(self) -> None:
        """Until the next start, whatever state it is in."""
        self.machine.run(STOP)
        while self._vtys:
            self._vtys.popitem()[1].close()

    # A daemon.

    def pid(self, daemon: str) -> int:
        """0 if it does not run."""
        return int(
            self.machine.out(
                f"pid=$(cat /run/frr/{daemon}.pid) && kill -0 $pid && echo $pid || echo 0"
            )
        )

    def kill(self, daemon: str, signal: str = "KILL") -> None:
        """Sends a signal; watchfrr starts again what ends by it."""
        self.machine.run(["kill", f"-{signal}", str(self.pid(daemon))])

    @contextlib.contextmanager
    def without(self, daemon: str) -> Iterator[None]:
        """The daemon is dead and stays so while the `with` lasts, then runs again."""
        self.vtysh(f"watchfrr ignore {daemon}", daemon="watchfrr")
        try:
            self.kill(daemon)
            yield
        finally:
            # What watchfrr does, which does not look at what it once ignored.
            self.machine.run(RESTART.format(daemon))
            self.vtysh(f"no watchfrr ignore {daemon}", daemon="watchfrr")

    # Its words.

    def vtysh(self, *commands: str, daemon: str = "") -> str:
        """What it prints; with nobody but that daemon, if one is named."""
        words = [word for command in commands for word in ("-c", command)]
        only = ["-d", daemon] if daemon else []
        return self.machine.out(["vtysh", *only, *words], check=False)

    def json(self, command: str) -> Any:
        """A show command's answer."""
        return json.loads(self.vtysh(f"{command} json", daemon=ANSWERS[command.split()[1]]) or "{}")

    def configure(self, text: str) -> None:
        """Lines of configuration, as at its prompt; fails if one is not taken."""
        lines = [line.strip() for line in text.splitlines() if line.strip(" !")]
        said = self.vtysh("configure terminal", *lines)
        wrong = [line for line in said.splitlines() if line.startswith(COMPLAINTS)]
        assert not wrong, f"{self.machine.name}: vtysh: {said}"

    def config(self) -> str:
        """The running configuration; not for who looks while it may be written."""
        return self.vtysh("show running-config")

    def ask(self, daemon: str, command: str) -> str:
        """One daemon's answer, over a connection that stays; empty if it does not run."""
        for _ in range(2):  # the first may be with a process that is gone
            try:
                if daemon not in self._vtys:
                    path = f"/proc/{leader_of(self.machine.name)}/root/run/frr/{daemon}.vty"
                    self._vtys[daemon] = Vty(path)
                return self._vtys[daemon].ask(command)
            except OSError:
                if vty := self._vtys.pop(daemon, None):
                    vty.close()
        return ""

    def lines(self) -> set[str]:
        """Of the running configuration: bgpd's and, of what it has, mgmtd's."""
        both = (self.ask(name, "show running-config").splitlines() for name in ("mgmtd", "bgpd"))
        return {line for text in both for line in text}

    def takes(self) -> bool:
        """Whether mgmtd has nothing under way: a commit that does not end is its lock."""
        return "Total: 0" in self.ask("mgmtd", "show mgmt transaction all")

    # What it knows.

    def state(self, neighbor: str) -> str:
        """Of a BGP session: Established and the like; empty if there is none."""
        neighbors = self.json(f"show bgp neighbors {neighbor}")
        return str(neighbors.get(neighbor, {}).get("bgpState", ""))

    def established(self, *neighbors: str, seconds: float = START_S) -> None:
        """Waits for all of them."""
        for neighbor in neighbors:
            poll_until(
                lambda n=neighbor: self.state(n) == "Established",  # type: ignore[misc]
                seconds, f"{self.machine.name}: BGP session with {neighbor}", interval=0.1,
            )  # fmt: skip

    def learned(self, six: int) -> dict[str, list[str]]:
        """Prefixes of its BGP table that neighbours announced, and who did."""
        family = ("ipv4", "ipv6")[six]
        routes = self.json(f"show bgp {family} unicast").get("routes", {})
        table = {
            prefix: sorted(str(path["peerId"]) for path in paths if path["peerId"] != "(unspec)")
            for prefix, paths in routes.items()
        }
        return {prefix: peers for prefix, peers in table.items() if peers}

    def announced(self, neighbor: str, six: int) -> set[str]:
        """Prefixes that it announces to a neighbour."""
        family = ("ipv4", "ipv6")[six]
        answer = self.json(f"show bgp {family} unicast neighbors {neighbor} advertised-routes")
        return set(answer.get("advertisedRoutes", {}))
