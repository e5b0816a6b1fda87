# SPDX-License-Identifier: Apache-2.0
"""What the survival tests share: gw1 with meshgw in one mode, and what must hold of it.

A test proves the flow (the fixture does), does the thing, looks for the condition while the site is
not whole, makes it whole, and then heals(): a new request in each family within HEAL_S. Its
docstring begins with the number of the event:

    1  TUN deleted and made again        22  our routes deleted, replaced, shadowed
    2  TUN down and up                   23  FRR restarts or dies
    3  TUN's address replaced            24  the kernel lost what FRR reports
    4  … the new one added first         25  the BGP peer changes its policy
    5  a route goes with its source      28  Tailscale comes later
    6  TUN renamed or moved away         29  sysctls lowered or raised
    7  TUN without its reader            30  notifications lost
    8  TUN's reader stalls               31  dumps interrupted
    9  the client's rule moves in front  33  conntrack flushed
   10  the client's table holds the LAN  35  a second daemon
   11  … or blackholes                   37  rights taken away
   12  the client's filter rejects       38  a huge routing table
   13  ruleset flushed                   39  IPv6 off and on, router advertisements
   14  firewalld reloads, ufw begins     40  other mesh ranges
   15  Docker starts                     41  mgmtd dies
   16  libvirt, podman, k8s filter       42  FRR reloads, or saves, or is replaced
   17  systemd-networkd removes routing  43  an end inside the confirm window
   18  the LAN's interface is made anew  44  the daemon restarts under traffic
   19  another DHCP lease, or none
   20  the LAN loses its carrier
   21  suspended, all wiped, resumed

34 and 36 are tests/unit/test_crash_kernel.c and test_reload_faults.c; 28 is test_overlap.py.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from typing import Any

from lab import flow
from lab.lab import CONFIG, Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import CommandError, poll_until
from lab.state import State
from warp import Traits, Warp

# From the environment being whole to a new request being answered.
HEAL_S = 2.0
# Until `meshgw status` shows what is wrong: its slowest source is a look every second.
SHOW_S = 3.0
MODES = ("route", "masquerade")
# What a daemon says, or systemd of it, that ended by a defect: ABRT, SEGV and their like.
DEFECT = "Assertion|status=(4|6|7|8|11)/"
# The exit statuses of `meshgw diagnose` (meshgw-diagnose.8).
HEALTHY, NODE, LAN, SERVICE, TUNNEL, UNDECIDED = 0, 13, 14, 15, 16, 17
DROP_IN = "etc/systemd/system/meshgwd.service.d/test.conf"


def config(mode: str, text: str = CONFIG) -> str:
    """The lab's configuration with a return path; in mode auto nobody is there to prove one."""
    if mode == "auto":
        text = re.sub(r"^( +- )([^ :]+|\"\S+\")$", r"\1{prefix: \2, witness: none}", text, flags=re.M)
    return f"{text}return_path: {mode}\n"


def target(address: str, port: int = flow.HTTP) -> str:
    """A target of `meshgw diagnose`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def counter(gateway: Machine, name: str, unit: str = "packets") -> int:
    """One named counter."""
    status = json.loads(gateway.out("meshgw --json status", check=False))
    return next(c[unit] for c in status["counters"] if c["name"] == name)


class Site:
    """gw1, whose daemon runs with one return path, and the flows of `worker` through it."""

    def __init__(self, lab: Lab, mode: str) -> None:
        self.lab = lab
        self.mode = self._first_mode = mode
        self.worker: Node = lab.worker
        self.gw: Machine = lab.gw1
        self._state: State | None = None
        self._warp: Warp | None = None

    @property
    def warp(self) -> Warp:
        """gw1's client as it is now."""
        return self.lab.warp["gw1"]

    # Flows.

    def seen(self, address: str) -> str:
        """The address that a service must see a Worker come from."""
        if self.mode == "route":
            return flow.WORKER[":" in address]
        return flow.GW1[":" in address]

    def heals(self, *addresses: str, seconds: float = HEAL_S) -> None:
        """New requests are answered, all before the deadline; default: both families."""
        end = time.monotonic() + seconds
        for address in addresses or flow.SERVICE:
            left = max(end - time.monotonic(), 0)
            flow.works_within(left, self.worker, address, self.seen(address))

    def fails(self, address: str) -> bool:
        """A new request is not answered."""
        return not flow.reaches(self.worker, address, timeout=0.5)

    # What meshgw says.

    def status(self) -> dict[str, Any]:
        """meshgw status --json."""
        done = self.gw.run(["meshgw", "--json", "status"], check=False)
        try:
            reply = dict(json.loads(done.stdout))
        except ValueError as error:
            raise CommandError(f"meshgw status: {done.stdout}{done.stderr}") from error
        if "conditions" not in reply:
            raise CommandError(f"meshgw status: {done.stdout}")
        return reply

    def conditions(self) -> set[tuple[str, str]]:
        """(code, subject) of all that is more than information."""
        return {
            (c["code"], c["subject"])
            for c in self.status()["conditions"]
            if c["severity"] != "info"
        }

    def shows(self, code: str, subject: str | None = None, seconds: float = SHOW_S) -> None:
        """The condition is there, or comes."""

        def look() -> bool:
            standing = self.conditions()
            found = any(c == code and subject in (None, s) for c, s in standing)
            assert found, f"there is only {sorted(standing)}"
            return True

        poll_until(look, seconds, f"condition {code} {subject or ''}")

    def is_well(self, seconds: float = SHOW_S) -> None:
        """Everything wanted is installed, and no warning or error stands."""

        def look() -> bool:
            status = self.status()
            wrong = [o for o in status["objects"] if o["state"] != "installed"]
            wrong += [c for c in status["conditions"] if c["severity"] != "info"]
            assert status["phase"] == "up" and status["objects"] and not wrong, str(wrong)
            return True

        poll_until(look, seconds, "meshgw is content")

    def repairs(self) -> int:
        """How often meshgw had to put something back."""
        return int(self.status()["repairs"])

    # What meshgw diagnose says.

    def diagnose(self, whom: str, *options: str) -> dict[str, Any]:
        """The verdict, and as `status` the exit status."""
        done = self.gw.run(["meshgw", "--json", "diagnose", *options, whom], check=False)
        try:
            verdict = dict(json.loads(done.stdout))
        except ValueError as error:
            raise CommandError(f"diagnose {whom}: {done.stdout}{done.stderr}") from error
        return {**verdict, "status": done.returncode}

    def finds(self, code: str, address: str, status: int = NODE, **attributes: str) -> list[str]:
        """The verdict about HTTP at an address that somebody calls, again and again, and what it
        blames; the remedy's commands."""
        call = f"curl -s -o /dev/null --max-time 0.5 '{flow.url(address)}'"
        caller = self.worker.popen(f"while :; do {call}; sleep 0.1; done")
        verdict = self.diagnose(target(address))
        caller.stop()
        said = {key: verdict["attributes"].get(key) for key in attributes}
        shown = json.dumps(verdict, indent=1)
        assert (verdict["code"], verdict["status"]) == (code, status), shown
        assert said == attributes, shown
        return list(verdict["remedy"]["commands"])

    def is_healthy(self) -> None:
        """New requests are answered, and so says a diagnosis, in each family."""
        self.heals()
        for address in flow.SERVICE:
            self.finds("healthy", address, HEALTHY)

    def does(self, commands: list[str]) -> None:
        """A remedy, as the verdict words it."""
        assert commands
        self.gw.run("\n".join(["set -e", *commands]))

    # The daemon.

    def pid(self) -> int:
        """Its process id inside the machine, 0 when it does not run."""
        return int(self.gw.unit("meshgwd", "MainPID"))

    def cpu_seconds(self) -> float:
        """Processor time used since it started."""
        text = self.gw.out(["cat", f"/proc/{self.pid()}/stat"])
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def drop_in(self, text: str) -> None:
        """Other settings of its unit, from its next start on; gone after the test."""
        self.gw.write(DROP_IN, text)
        self.gw.systemctl("daemon-reload")

    # Between tests.

    def begin(self) -> None:
        """Made anew, unless the test before left everything as it was."""
        self.mode = self._first_mode
        if not self.is_whole():
            self._state = None
            self.make()
            self._state, self._warp = State(self.gw.outside), self.warp
        self.defects()
        self.heals()

    def make(self) -> None:
        """From nothing."""
        self.lab.reset(self.gw, traits=Traits(inject6=False))
        self.lab.deploy(self.gw, config=config(self.mode))
        self.is_well()

    def is_whole(self) -> bool:
        """Whether nothing is left to see of the tests before."""
        if not self._state or self._warp is not self.warp:
            return False
        try:
            self.is_well(seconds=0)
        except AssertionError:
            return False
        return not self._state.difference(State(self.gw.outside))

    def spent(self) -> None:
        """The test changes more than the network's state: the next one begins anew."""
        self._state = None

    def end(self) -> None:
        """What a reset does not undo, and a daemon that has been restarted since its defect."""
        if (self.gw.root / DROP_IN).exists():
            self.gw.run(["rm", f"/{DROP_IN}"])
            self.gw.systemctl("daemon-reload")
            self.spent()
        assert not (wrong := self.defects()), wrong

    def defects(self) -> str:
        """What the journal says of any since the last call; a test that makes them calls it."""
        journal = ["journalctl", "-q", "-u", "meshgwd", "-o", "cat", "-g", DEFECT]
        return self.gw.out([*journal, "--cursor-file=/var/tmp/survival.cursor"], check=False)


class Talk:
    """An established TCP connection to a service's echo port."""

    def __init__(self, node: Node, address: str) -> None:
        self._words = 0
        pipe = subprocess.PIPE
        command = ["nc", address, str(flow.TCP)]
        self._process = node.popen(command, stdin=pipe, stdout=pipe, bufsize=0)
        self.goes_on()

    def _tell(self) -> None:
        stdin = self._process.popen.stdin
        assert stdin
        self._words += 1
        stdin.write(b"%d\n" % self._words)

    def goes_on(self, seconds: float = 5.0) -> None:
        """What is said comes back; the time is for TCP, which repeats more and more slowly."""
        self._tell()
        fd, heard, end = self._process.stdout.fileno(), b"", time.monotonic() + seconds
        while b"%d\n" % self._words not in heard:
            left = end - time.monotonic()
            assert left > 0, f"{self._process.shown}: silent for {seconds} s"
            if select.select([fd], [], [], left)[0]:
                more = os.read(fd, 4096)
                assert more, f"{self._process.shown}: the connection ended"
                heard += more

    def end(self) -> None:
        """Closes it, if it is still there."""
        self._process.stop()
