# SPDX-License-Identifier: Apache-2.0
"""More happens than anybody can read: lost notifications, interrupted dumps, and what they hide.

What the daemon costs meanwhile is bounded: a storm is held to one pass every 20 ms.
"""

import time
from pathlib import Path

import pytest

from conftest import Kept
from lab import flow, network
from lab.shell import Process
from survival import Site

FILE = Path("/run/lab/storm")
TABLE = 4242
ROUTES = 10_000
ADDRESSES = 1_000
ROUTE_MODE = pytest.mark.parametrize("mode", ["route"], indirect=True)


def storm(site: Site) -> Process:
    """Ten thousand routes come and go; nobody but the kernel is in a hurry."""
    prefixes = [f"198.18.{i >> 8}.{i & 255}/32 dev lo table {TABLE}" for i in range(ROUTES)]
    lines = [f"route {verb} {prefix}" for verb in ("add", "del") for prefix in prefixes]
    FILE.write_text("\n".join(lines) + "\n", encoding="ascii")
    return site.gw.outside.popen(["ip", "-batch", FILE])


def losses(site: Site) -> int:
    """How often the daemon has been told that it missed something."""
    return site.gw.journal("-u", "meshgwd").count("notifications lost")


@ROUTE_MODE
def test_overrun_hides_everything(site: Site, kept: Kept) -> None:
    """Event 30: What happened to us is among the notifications that were lost."""
    before = losses(site)
    with kept(site.gw):
        site.gw.systemctl("kill", "-s", "STOP", "meshgwd")
        assert storm(site).wait() == 0
        site.warp.link_down()
        site.warp.link_up()
        for prefix in network.RANGES:
            option = "-6" if ":" in prefix else "-4"
            site.gw.run(f"ip {option} route del {prefix} proto 107", check=False)
        assert site.fails(flow.SERVICE[0]) and site.fails(flow.SERVICE[1])
        site.gw.systemctl("kill", "-s", "CONT", "meshgwd")
        site.heals()
        site.is_well()
    assert losses(site) > before


@ROUTE_MODE
def test_storms_and_a_tiny_buffer(site: Site, kept: Kept) -> None:
    """Event 30: Lost again and again; the client restarts in the middle of it."""
    site.drop_in("[Service]\nExecStart=\nExecStart=/usr/sbin/meshgwd --receive-buffer 4096\n")
    site.gw.systemctl("restart", "meshgwd")
    site.heals()
    before, cpu, begin = losses(site), site.cpu_seconds(), time.monotonic()
    with kept(site.gw):
        for _ in range(3):
            blowing = storm(site)
            site.warp.recreate()
            assert blowing.wait() == 0
            site.heals()
        site.is_well()
    assert losses(site) > before
    assert site.cpu_seconds() - cpu < (time.monotonic() - begin) / 2


def churn(site: Site) -> Process:
    """More addresses than one read holds, and another one that comes and goes without a pause."""
    many = [f"addr add 198.18.{i >> 8}.{i & 255}/32 dev wan0" for i in range(ADDRESSES)]
    site.gw.outside.run(["ip", "-batch", "-"], stdin="\n".join(many) + "\n")
    few = [f"addr {verb} 198.19.0.1/32 dev wan0" for verb in ("add", "del")]
    FILE.write_text("\n".join(few * 500) + "\n", encoding="ascii")
    return site.gw.outside.popen(f"while :; do ip -batch {FILE}; done")


def slow_reader(site: Site) -> Process:
    """Pauses before each read, so that no dump is over before the next change."""
    inject = ["-e", "trace=recvmsg", "-e", "inject=recvmsg:delay_enter=3000"]
    return site.gw.popen(["strace", "-qq", "-o", "/dev/null", *inject, "-p", str(site.pid())])


@ROUTE_MODE
def test_interrupted_dumps(site: Site, kept: Kept) -> None:
    """Event 31: Addresses change during each dump of them; that is shown, and tried again."""
    cpu, begin = site.cpu_seconds(), time.monotonic()
    with kept(site.gw):
        reader, changes = slow_reader(site), churn(site)
        site.shows("observer-limited", "netlink", seconds=10)
        site.warp.recreate()
        changes.stop()
        reader.stop()
        site.heals()
        site.gw.outside.run("ip addr flush dev wan0 to 198.18.0.0/15")
        site.is_well()
    assert site.cpu_seconds() - cpu < (time.monotonic() - begin) / 2
