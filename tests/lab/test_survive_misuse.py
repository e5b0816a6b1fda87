# SPDX-License-Identifier: Apache-2.0
"""What is done to meshgwd: it lacks a right, gets files that are none, clients that are none.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

Each gets one clear sentence, and nothing that worked stops working.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from conftest import Kept
from lab import flow
from lab.lab import CONFIG
from lab.shell import Process, poll_until
from survival import Site, config

in_route = pytest.mark.parametrize("mode", ["route"], indirect=True)
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
STATUS, CONTROL = "/run/meshgw/status", "/run/meshgw/control"
FILE = "etc/meshgw/meshgw.yaml"
# CONNECTIONS clients, each of which does DOING with its socket and then keeps it.
SIEGE = """
import os, resource, signal, socket, sys
path, count = sys.argv[1], int(sys.argv[2])
clients = []
call = b'{"method":"io.meshgw.Gateway.GetStatus","parameters":{}}'
for _ in range(count):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)
        s.settimeout(0.1)
        DOING
    except OSError:
        pass
    clients.append(s)
print("all", flush=True)
signal.pause()
"""
SIEGES = {
    "nothing": "pass",
    "garbage": "s.sendall(os.urandom(1 << 16))",
    "not JSON": "s.sendall(b'{' * 1000 + bytes(1))",
    "not varlink": "s.sendall(b'[1]' + bytes(1))",
    "half a message": "s.sendall(call[:30])",
    "no end": "s.sendall(b'\"' + b'x' * (15 << 20))",
    "no ear": "s.sendall((call + bytes(1)) * 4000)",
}
# For ever, as fast as it goes.
FLOOD = """
import socket
call = b'{"method":"io.meshgw.Gateway.GetStatus","parameters":{}}' + bytes(1)
s = socket.socket(socket.AF_UNIX)
s.connect("/run/meshgw/status")
while True:
    s.sendall(call)
    while not s.recv(1 << 20).endswith(bytes(1)):
        pass
"""
# Eight messages without end, and buffers grow by doubling.
SPARED_KIB = 320 * 1024
ROUTES = 200_000


def refused(done: subprocess.CompletedProcess[str], status: int, *says: str) -> None:
    """One line, that says so, and the exit status."""
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and all(word in lines[0] for word in says), done.stderr


def memory_kib(site: Site) -> int:
    """Resident."""
    text = site.gw.out(["cat", f"/proc/{site.pid()}/status"])
    return int(text.partition("VmRSS:")[2].split()[0])


# ---- rights ----


@in_route
def test_without_capability(site: Site, kept: Kept) -> None:
    """Event 37: It says which one, cannot change anything, and leaves the path alone."""
    with kept(site.gw, ours=True):
        site.drop_in("[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n")
        site.gw.systemctl("restart", "meshgwd")
        site.shows("capability-missing", "CAP_NET_ADMIN")
        assert site.gw.run(["meshgw", "status"], check=False).returncode == 9
        site.gw.write(FILE, config("masquerade"))
        refused(site.gw.run(["meshgw", "apply"], check=False), 1, "CAP_NET_ADMIN")
        site.heals()
        site.drop_in("")
        site.gw.systemctl("restart", "meshgwd")
        site.is_well()


@in_route
def test_without_netlink(site: Site, kept: Kept) -> None:
    """Event 37: A sandbox that is too strict: no daemon, and the path stays."""
    with kept(site.gw, ours=True):
        site.drop_in("[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX\n")
        site.gw.systemctl("restart", "meshgwd", check=False)
        said = site.gw.journal("-u", "meshgwd", "-n", "20")
        assert "netlink" in said
        site.heals()
        site.drop_in("")
        site.gw.systemctl("restart", "meshgwd")
        site.is_well()


@in_route
def test_ordinary_user(site: Site, kept: Kept) -> None:
    """May look and not touch."""
    with kept(site.gw, ours=True):
        site.gw.run([*NOBODY, "meshgw", "status"])
        for command in ("apply", "down", "undo"):
            refused(site.gw.run([*NOBODY, "meshgw", command], check=False), 5)
        refused(site.gw.run([*NOBODY, "meshgwd"], check=False), 1, "/run/meshgw")
        refused(site.gw.run(["meshgwd", "--user", "nosuch"], check=False), 1, "nosuch")
        site.heals()
        site.is_well()


# ---- files ----


@in_route
def test_file_is_none(site: Site, kept: Kept) -> None:
    """A reload of it changes nothing; a restart goes on with what was confirmed."""
    path = site.gw.root / FILE
    with kept(site.gw, ours=True):
        for spoil in (
            lambda: os.truncate(path, 1 << 30),
            lambda: path.chmod(0),
            path.unlink,
            path.mkdir,
        ):
            pid = site.pid()
            spoil()
            site.gw.systemctl("reload", "meshgwd")
            assert site.pid() == pid
            said = site.gw.journal("-u", "meshgwd", f"_PID={pid}")
            assert "reload refused, nothing changed: " in said and f"/{FILE}" in said
            site.heals()
            site.gw.systemctl("restart", "meshgwd")
            site.heals()
            assert memory_kib(site) < SPARED_KIB or site.lab.options.preset == "asan"
        path.rmdir()


@in_route
def test_interface_missing(site: Site) -> None:
    """It is waited for, and named; the others work."""
    text = CONFIG + "  - interface: eth7\n    networks: [10.7.0.0/24]\nreturn_path: route\n"
    site.gw.write(FILE, text)
    site.gw.run("meshgw apply")
    site.heals()
    site.shows("lan-interface-missing", "eth7")
    site.gw.outside.run("ip link add eth7 up type veth peer lan7 netns edge")
    site.shows("lan-interface-down", "eth7")
    site.lab.edge.run("ip link set lan7 up")
    site.gw.outside.run("ip addr add 10.7.0.1/24 dev eth7")
    site.is_well()
    site.heals()


# ---- clients ----


@in_route
@pytest.mark.parametrize("doing", SIEGES)
def test_besieged(site: Site, kept: Kept, doing: str) -> None:
    """Somebody's many connections: others are answered, what is broken is mended."""
    before = memory_kib(site)
    pid = site.pid()
    with kept(site.gw, ours=True):
        script = SIEGE.replace("DOING", SIEGES[doing])
        siege: Process = site.gw.popen(
            [*NOBODY, "python3", "-c", script, STATUS, "20"], output="/run/lab/siege"
        )
        poll_until(lambda: siege.text() == "all\n", 30, "they are there")
        site.is_well()
        site.gw.run("ip route del 100.64.0.0/12 proto 107")
        site.heals()
        grown = memory_kib(site) - before
        assert grown < SPARED_KIB or site.lab.options.preset == "asan", grown
        siege.stop()
        site.is_well()
        assert site.pid() == pid


@in_route
def test_flooded(site: Site, kept: Kept) -> None:
    """With questions that are in order: the path comes first."""
    with kept(site.gw, ours=True):
        for _ in range(2):
            site.gw.popen([*NOBODY, "python3", "-c", FLOOD])
        site.gw.run("ip route del 100.64.0.0/12 proto 107")
        site.heals()
        site.is_well()


# ---- size ----


@in_route
def test_huge_table(site: Site, kept: Kept) -> None:
    """Event 38: A full BGP feed in table main: neither the feed nor what comes after it is dear."""
    lines = (f"route add 11.{n >> 16}.{n >> 8 & 255}.{n & 255} via 10.0.1.1 proto 186"
             for n in range(ROUTES))  # fmt: skip
    with kept(site.gw):
        before = site.cpu_seconds()
        site.gw.outside.run("ip -batch -", stdin="\n".join(lines), timeout=60)
        site.gw.run("ip route del 100.64.0.0/12 proto 107")
        site.heals(flow.SERVICE[0])
        fed = site.cpu_seconds() - before
        before = site.cpu_seconds()
        for _ in range(10):
            site.gw.run("ip route del 100.64.0.0/12 proto 107")
            site.heals(flow.SERVICE[0])
        repaired = site.cpu_seconds() - before
        site.gw.outside.run("ip route flush table main proto 186", timeout=60)
        site.is_well(seconds=10)
        # A dump for each change, or for each repair, would take many times as much.
        assert fed < ROUTES * 100e-6 and repaired < 2
