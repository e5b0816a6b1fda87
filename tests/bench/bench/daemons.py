# SPDX-License-Identifier: Apache-2.0
"""The programs under test: meshgwd as its unit runs it, and FRR's zebra as its peer."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.space import URGENT, BenchError, Netns, Process, Space, poll_until, run

USER = "meshgw"
FRR = Path("/usr/lib/frr")
FRR_SPACE = "bench"
TICKS = os.sysconf("SC_CLK_TCK")


def _user() -> pwd.struct_passwd:
    """Its own user where the package made one; else anybody without rights."""
    for name in (USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise BenchError("there is neither a user meshgw nor nobody")


class Daemon:
    """A process and what it costs."""

    process: Process

    def cpu_s(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self, key: str = "VmRSS") -> float:
        """Resident memory; VmHWM is its peak."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{key}:\s+(\d+) kB$", status, re.M)
        assert found
        return int(found[1]) / 1024

    def settle(self, quiet_s: float = 1.5, timeout: float = 120) -> None:
        """Waits until it has had nothing to do for a while."""
        last, since = self.cpu_s(), time.monotonic()

        def quiet() -> bool:
            nonlocal last, since
            now = self.cpu_s()
            if now > last + 0.02:
                last, since = now, time.monotonic()
            return time.monotonic() - since > quiet_s

        poll_until(quiet, timeout, f"process {self.process.pid} has nothing to do")


class Meshgwd(Daemon):
    """meshgwd with its own folders, as an unprivileged user with CAP_NET_ADMIN alone."""

    def __init__(self, space: Space, ns: Netns, config: str, preload: Path | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix=f"{ns.name}.", dir=space.folder))
        state = Path(tempfile.mkdtemp(prefix=f"{ns.name}.", dir=space.disk))
        self.runtime = folder
        user = _user()
        for place in (folder, state):
            os.chown(place, user.pw_uid, user.pw_gid)
        file = folder / "meshgw.yaml"
        file.write_text(config)
        folder.chmod(0o755)
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ready:
            ready.bind(str(folder / "notify"))
            (folder / "notify").chmod(0o777)
            self.process = ns.popen(
                [
                    *URGENT, "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                    "--clear-groups", "--no-new-privs", "--inh-caps=-all,+net_admin",
                    "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin",
                    space.meshgwd, f"--config={file}", f"--state-dir={state}",
                    f"--runtime-dir={folder}",
                ],
                env={
                    "PATH": os.environ["PATH"],
                    "NOTIFY_SOCKET": str(folder / "notify"),
                    **({"LD_PRELOAD": str(preload)} if preload else {}),
                },
            )  # fmt: skip
            ready.settimeout(0.1)
            poll_until(lambda: self._is_ready(ready), 30, "meshgwd is ready")

    def status(self) -> dict[str, Any]:
        """What GetStatus answers."""
        answer: dict[str, Any] = json.loads(
            run(["varlinkctl", "--json=short", "call", f"{self.runtime}/status",
                 "io.meshgw.Gateway.GetStatus", "{}"])
        )  # fmt: skip
        return answer

    def _is_ready(self, ready: socket.socket) -> bool:
        self.process.alive()
        try:
            return b"READY=1" in ready.recv(4096).split(b"\n")
        except TimeoutError:
            return False


class Zebra(Daemon):
    """mgmtd, zebra and staticd with static routes through one interface."""

    def __init__(self, ns: Netns, interface: str, prefixes: Sequence[str]) -> None:
        self.sockets = Path("/run/frr") / FRR_SPACE
        self.sockets.mkdir(parents=True, exist_ok=True)
        for folder in (self.sockets.parent, self.sockets):
            shutil.chown(folder, "frr", "frr")
        processes = {name: self._start(ns, name) for name in ("mgmtd", "zebra", "staticd")}
        self.process = processes["zebra"]
        self.ns = ns
        family = {False: "ip", True: "ipv6"}
        commands = [f"{family[':' in p]} route {p} {interface}" for p in prefixes]

        def configured() -> bool:
            # mgmtd refuses while it still talks to daemons that have just started.
            self.vtysh("configure terminal", *commands)
            return self._has(prefixes)

        poll_until(configured, 60, "zebra's static routes are in the kernel")

    def _start(self, ns: Netns, name: str) -> Process:
        vty = self.sockets / f"{name}.vty"
        vty.unlink(missing_ok=True)
        process = ns.popen([*URGENT, FRR / name, "-N", FRR_SPACE, "-A", "127.0.0.1"])
        poll_until(lambda: process.alive() and vty.exists(), 30, f"{name} listens")
        return process

    def vtysh(self, *commands: str) -> str:
        """Runs the commands in one vtysh, whose exit status means little."""
        words = [word for command in commands for word in ("-c", command)]
        return run(["vtysh", "-N", FRR_SPACE, *words], check=False)

    def _has(self, prefixes: Sequence[str]) -> bool:
        found = "".join(self.ns.run(["ip", f, "route", "show", "proto", "196"]) for f in ("-4", "-6"))
        return all(prefix in found for prefix in prefixes)
