# SPDX-License-Identifier: Apache-2.0
"""A network that no other process of this machine has."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path


def become_root() -> None:
    """Of a new user namespace (user_namespaces(7)), where nobody has to be root for a network."""
    uid, gid = os.getuid(), os.getgid()
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")


def enter_network() -> None:
    """A new one, which has a loopback interface, for root."""
    os.unshare(os.CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def free_port() -> int:
    """One that somebody else may take before the caller does, unless this network is the caller's."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
