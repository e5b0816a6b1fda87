# SPDX-License-Identifier: Apache-2.0
"""meshgw as a process, for its tests: the program, its exit statuses, what it is answered.

Runs the program named by $MESHGW. No daemon of ours, no root and no network is needed; where a
right must be missing, root becomes nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

MESHGW = os.environ["MESHGW"]
HANGS_S = 120.0  # a busy machine is slow
GATEWAY = "io.meshgw.Gateway."
ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "golden" / "cli"
GOOD = "lan:\n  - interface: eth0\n    networks: [10.0.1.0/24]\n"
OPERATIONS = {
    "operations": [{"action": "add", "kind": "route", "name": "route 10.0.0.0/8", "detail": "dev x"}]
}
# Exit statuses, as meshgw(8) has them.
DONE, REFUSED, USAGE, UNREACHABLE, TIMEOUT, PERMISSION, CONFIG, FILE = range(8)
CONFLICT, UNHEALTHY, DOWN, TOO_LARGE, PROTOCOL = range(8, 13)
CAUSE_NODE, CAUSE_LAN, CAUSE_SERVICE, CAUSE_TUNNEL, UNDECIDED, NO_CONSENT = range(13, 19)


def recorded(name: str) -> dict:
    return json.loads((RECORDED / f"{name}.json").read_text())


class Cli:
    """Runs meshgw against the sockets of one folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.status = folder / "status"
        self.control = folder / "control"
        self.lock = folder / "meshgwd.lock"
        self.env = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "MESHGW_RUNTIME_DIR": str(folder),
            "MESHGWD": "/nonexistent/meshgwd",
        }
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def __call__(self, *args: str, **kwargs) -> subprocess.CompletedProcess:
        kwargs.setdefault("stdin", None if "input" in kwargs else subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(
            [MESHGW, *args], stderr=subprocess.PIPE, text=True, timeout=HANGS_S, env=self.env, **kwargs
        )

    def once(self, script: str) -> Path:
        """A stand-in for the daemon's program; answers to --once by a shell script."""
        program = self.folder / "once"
        program.write_text(f"#!/bin/sh\necho \"$*\" >> {self.folder}/calls\n{script}\n")
        program.chmod(0o755)
        self.env["MESHGWD"] = str(program)
        return self.folder / "calls"


def nobody(cli: Cli) -> dict:
    """Arguments that make a process of root's run as somebody else, who may enter its folder."""
    if os.geteuid() != 0:
        return {}
    for part in [cli.folder, cli.folder.parent]:
        part.chmod(0o755)
    return {"user": 65534, "group": 65534, "extra_groups": []}


def one_sentence(result: subprocess.CompletedProcess) -> str:
    """The only line on stderr."""
    assert result.stderr.startswith("meshgw: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def read_rest(leader: int) -> str:
    """What is left on a terminal that nobody writes to any more."""
    shown = b""
    with contextlib.suppress(OSError):  # EIO is its end
        while chunk := os.read(leader, 65536):
            shown += chunk
    os.close(leader)
    return shown.decode()
