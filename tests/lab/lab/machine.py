# SPDX-License-Identifier: Apache-2.0
"""A node that is a booted Debian 13, systemd and all, in the network namespace of its name.

Its root is an overlay: below, the lab's root file system and the stage with what CMake installed;
above, a tmpfs. So /etc, /run and /var are its own and live as long as the lab: a reboot keeps /etc
and /var as a disk would. run() and popen() go into the machine; `outside` is the same network seen
from the lab, for tools that should not depend on the machine's processes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from lab import network
from lab.node import Node
from lab.shell import CommandError, Process, poll_until, run

BASE = Path("/lab")
PLACE = Path("/run/lab")
LOGS = Path("/src/build/lab/log")
BOOT_S = 60.0
SANITIZER = "(Address|Leak)Sanitizer|runtime error:"
ENVIRONMENT = (
    "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
)  # fmt: skip


def leader_of(name: str) -> int:
    """The lab's process id of a running machine's PID 1, whoever booted it."""
    return int((PLACE / name / "leader").read_text(encoding="ascii"))


def enter(leader: int) -> list[str]:
    """What stands in front of a command to run it in a machine."""
    return [
        "nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root",
        "--wdns=/", "env", "-i", *ENVIRONMENT,
    ]  # fmt: skip


# LeakSanitizer stops the program's threads by ptrace from a child that it makes when the program
# ends; in a service's sandbox that child now and then waits for ever, seen as one stop in fifty.
# Leaks are looked for in the unit tests, which run the same code.
MANAGER = """\
[Manager]
DefaultEnvironment=ASAN_OPTIONS=detect_leaks=0
"""


class Machine(Node):
    """boot() and wait() make it run, off() ends it."""

    def __init__(self, name: str, stage: Path | None) -> None:
        super().__init__(name)
        self.outside = Node(name)
        self.files: dict[str, str] = {}
        self._place = PLACE / name
        self._stage = stage
        self._nspawn: Process | None = None
        self._leader = 0

    @property
    def root(self) -> Path:
        """Its root directory, as the lab sees it."""
        return self._place / "root"

    def prefix(self) -> list[str]:
        if not self._leader:
            raise CommandError(f"{self.name} is not running")
        return enter(self._leader)

    # Its disk.

    def mount(self) -> None:
        """Makes the root from nothing."""
        for part in ("upper", "work", "root"):
            (self._place / part).mkdir(parents=True)
        lower = ":".join(str(d) for d in (self._stage, BASE) if d)
        options = f"lowerdir={lower},upperdir={self._place}/upper,workdir={self._place}/work"
        run("lab", (), ["mount", "-t", "overlay", "-o", options, self.name, self.root])
        # Where a disk's id comes from; a fixed one, so that journals of several runs agree.
        machine_id = hashlib.md5(self.name.encode(), usedforsecurity=False).hexdigest()
        files = {
            "etc/hostname": f"{self.name}\n",
            "etc/hosts": network.hosts(),
            "etc/machine-id": f"{machine_id}\n",
            "etc/systemd/system.conf.d/lab.conf": MANAGER,
            **self.files,
        }
        for path, text in files.items():
            self.write(path, text)
        # The stage's users, before anything starts; a package's maintainer script does the same.
        run("lab", (), ["systemd-sysusers", f"--root={self.root}"])

    def unmount(self) -> None:
        """Throws the disk away."""
        run("lab", (), ["umount", self.root])
        shutil.rmtree(self._place)

    def write(self, path: str, text: str) -> None:
        """A file of the machine's disk; directories are made."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    # Its life.

    def boot(self) -> None:
        """Begins to boot; several machines at once take no longer than one."""
        cgroup = Path("/sys/fs/cgroup") / self.name
        cgroup.mkdir(exist_ok=True)
        self._nspawn = Process(
            "lab",
            ("sh", "-c", f'echo $$ >{cgroup}/cgroup.procs; exec "$@"', "sh"),
            (
                "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit",
                f"--directory={self.root}", f"--machine={self.name}",
                f"--network-namespace-path=/run/netns/{self.name}",
                "--capability=all", "--private-users=no", "--bind=/dev/net/tun",
                "--link-journal=no", "--resolv-conf=off", "--timezone=off",
                "--console=read-only",
            ),
            output=LOGS / f"{self.name}.log",
            env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"},
        )  # fmt: skip

    def wait(self) -> None:
        """Until its systemd has started everything."""
        poll_until(self._find_leader, BOOT_S, f"{self.name}: systemd as PID 1")
        (self._place / "leader").write_text(f"{self._leader}\n", encoding="ascii")
        poll_until(self._is_up, BOOT_S, f"{self.name} booted ({LOGS}/{self.name}.log)")

    def _find_leader(self) -> bool:
        """nspawn's child that is PID 1 of a namespace of its own."""
        assert self._nspawn
        pid = self._nspawn.popen.pid
        if not self._nspawn.running:
            raise CommandError(f"{self.name}: nspawn ended: {self._nspawn.text()}")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for child in map(int, children):
            status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
            inner = status.partition("\nNSpid:")[2].partition("\n")[0].split()
            if inner[-1] == "1" and "\nName:\tsystemd\n" in f"\n{status}":
                self._leader = child
                return True
        return False

    def _is_up(self) -> bool:
        state = self.out("systemctl is-system-running", check=False)
        return state in ("running", "degraded")

    def off(self) -> None:
        """Ends it as a power failure does."""
        self.stop_processes()
        if self._nspawn:
            os.kill(self._leader or self._nspawn.popen.pid, signal.SIGKILL)
            self._nspawn.wait()
        self._nspawn = None
        self._leader = 0

    def shut_down(self) -> None:
        """Ends it as an administrator does."""
        self.stop_processes()
        assert self._nspawn
        self._nspawn.stop(grace=20)
        self._nspawn = None
        self._leader = 0

    def stop_processes(self) -> None:
        """Ends what popen() started, in it and outside."""
        self.stop_all()
        self.outside.stop_all()

    # Its units.

    def unit(self, name: str, prop: str) -> str:
        """One property of a unit."""
        return self.out(["systemctl", "show", "--value", "-p", prop, name])

    def journal(self, *args: str) -> str:
        """For people and for tests that look for a line."""
        return self.out(["journalctl", "--no-pager", "-o", "short-monotonic", *args])

    def sanitizer_reports(self) -> list[str]:
        """What AddressSanitizer and its relatives have had to say since the boot."""
        done = self.run(["journalctl", "-q", "-o", "cat", "-g", SANITIZER], check=False)
        return done.stdout.splitlines()

    def systemctl(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """systemctl in the machine."""
        return self.run(["systemctl", *args], check=check)
