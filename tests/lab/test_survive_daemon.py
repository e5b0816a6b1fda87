# SPDX-License-Identifier: Apache-2.0
"""What happens to meshgwd: it is restarted, killed, hung, doubled, taken down, powered off.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

The daemon is not in the path of any packet: whatever happens to it, flows go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from conftest import Kept
from lab import flow
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import Process, poll_until
from lab.state import State, is_ours
from survival import MODES, Site, config
from warp import Traits

# Each word is its own number, over and over; what comes back is compared.
TRANSFER = """
import socket, sys
sock = socket.create_connection((sys.argv[1], 3001))
answers = sock.makefile("rb")
number = 0
while True:
    word = number.to_bytes(8) * 1024
    sock.sendall(word)
    back = answers.read(len(word))
    if back != word:
        sys.exit(f"{len(back)} bytes came back, or others")
    number += 1
    print(number, flush=True)
"""
FORWARDING = (
    "net.ipv4.conf.CloudflareWARP.forwarding",
    "net.ipv4.conf.eth0.forwarding",
    "net.ipv6.conf.all.forwarding",
)
in_route = pytest.mark.parametrize("mode", ["route"], indirect=True)


class Transfer:
    """An established TCP connection from the mesh, data in both directions without a pause."""

    def __init__(self, node: Node, address: str) -> None:
        log = f"/run/lab/transfer-{':' in address}"
        self._process: Process = node.popen(["python3", "-c", TRANSFER, address], output=log)
        self.goes_on()

    def goes_on(self) -> None:
        """More and more words come back, and none is wrong."""
        before = self._words()
        poll_until(lambda: self._words() > before + 2, 5, "the transfer goes on")

    def _words(self) -> int:
        said = self._process.text()
        assert self._process.running, said[-400:]
        return said.count("\n")


def ours(gateway: Machine) -> list[str]:
    """Whatever carries our marks."""
    return [line for line in State(gateway.outside).lines if is_ours(line)]


def runs_again(site: Site, seconds: float = 5.0) -> None:
    """systemd has a daemon, and it is content."""
    poll_until(lambda: site.gw.unit("meshgwd", "SubState") == "running", seconds, "meshgwd runs")
    site.is_well()


# ---- flows ----


@pytest.mark.both
@pytest.mark.parametrize("mode", [*MODES, "auto"], indirect=True)
def test_transfers_survive(site: Site, kept: Kept) -> None:
    """Event 44: One connection in each family across all of it; new ones work at once."""
    transfers = [Transfer(site.worker, address) for address in flow.SERVICE]
    with kept(site.gw, ours=True):
        for doing in ("restart", "kill -s KILL", "reload", "stop", "start"):
            site.gw.systemctl(*doing.split(), "meshgwd")
            site.heals()
            if doing != "stop":
                runs_again(site)
            for transfer in transfers:
                transfer.goes_on()
        runs_again(site)


# ---- fail-static, down ----


@in_route
def test_stop_leaves_everything(site: Site, kept: Kept) -> None:
    """The path, the table and the sysctls; the start after it writes no route."""
    with kept(site.gw, ours=True):
        site.gw.systemctl("stop", "meshgwd")
        assert site.gw.run(["meshgw", "status"], check=False).returncode == 3
        assert "table inet meshgw" in site.gw.out("nft list tables")
        site.heals()
        monitor = site.gw.outside.popen(
            ["ip", "-N", "-o", "monitor", "route"], output="/run/lab/monitor"
        )
        site.gw.systemctl("start", "meshgwd")
        runs_again(site)
        site.gw.run("ip route add 203.0.113.9 via 10.0.1.1 && ip route del 203.0.113.9")
        poll_until(lambda: monitor.text().count("203.0.113.9") == 2, 3, "the end of it")
        assert "proto 107" not in monitor.text()


@in_route
def test_start_mends(site: Site) -> None:
    """What was taken away while nobody watched comes back with the next start."""
    site.gw.systemctl("stop", "meshgwd")
    site.gw.outside.run("ip route del 100.64.0.0/12; nft delete table inet meshgw")
    assert site.fails(flow.SERVICE[0])
    site.gw.systemctl("start", "meshgwd")
    site.heals()
    runs_again(site)


def live(_gateway: Machine) -> None:
    """Nothing happens to it."""


def die(gateway: Machine) -> None:
    """Killed, and nobody starts it again."""
    gateway.systemctl("mask", "--runtime", "meshgwd")
    gateway.systemctl("kill", "-s", "KILL", "meshgwd")
    gateway.systemctl("stop", "meshgwd")


def hang(gateway: Machine) -> None:
    """It stops answering."""
    gateway.systemctl("kill", "-s", "STOP", "meshgwd")


@pytest.fixture
def unmasked(lab: Lab) -> Iterator[None]:
    """The unit can be started again afterwards."""
    yield
    lab.gw1.systemctl("unmask", "--runtime", "meshgwd")


@pytest.mark.both
@pytest.mark.usefixtures("unmasked")
@pytest.mark.parametrize("happens", [live, die, hang])
def test_down_removes_all_of_it(
    lab: Lab, kept: Kept, gw1: Machine, happens: Callable[[Machine], None]
) -> None:
    """Whatever the daemon does: nothing of ours stays, the sysctls are what they were."""
    lab.reset(gw1, traits=Traits(inject6=False, sysctls=False))
    # The tunnel's own interface is not there yet.
    there = FORWARDING if lab.tunnel == "relay" else FORWARDING[1:]
    gw1.run(["sysctl", "-q", "-w", *(f"{key}=0" for key in there)])
    with kept(gw1):
        lab.deploy(gw1, config=config("masquerade"))
        Site(lab, "masquerade").heals()
        assert gw1.out(["sysctl", "-n", *FORWARDING]).split() == ["1"] * 3
        happens(gw1)
        gw1.run(["meshgw", "--timeout", "1", "down"])
        assert ours(gw1) == []
    gw1.run(["meshgw", "--timeout", "1", "down"])


@in_route
def test_down_is_remembered(site: Site) -> None:
    """By a restart, a crash and a reboot; until apply."""
    gateway = site.gw
    gateway.systemctl("enable", "meshgwd")
    gateway.run("meshgw down")
    for doing in ("restart", "kill -s KILL"):
        gateway.systemctl(*doing.split(), "meshgwd")
        site.shows("taken-down")
        assert ours(gateway) == []
    site.lab.reboot(gateway)
    site.shows("taken-down")
    assert gateway.run(["meshgw", "status"], check=False).returncode == 10
    assert ours(gateway) == []
    assert site.fails(flow.SERVICE[0])
    gateway.run("meshgw apply")
    site.heals()
    runs_again(site)
    gateway.systemctl("disable", "meshgwd")


# ---- the confirm window ----


def crash(site: Site) -> None:
    """Killed; systemd starts the next one."""
    site.gw.systemctl("kill", "-s", "KILL", "meshgwd")


def lose_power(site: Site) -> None:
    """The disk is what stays."""
    site.lab.reboot(site.gw)


def arrive_as(site: Site, sources: tuple[str, str]) -> None:
    """Requests work, and what the service sees them come from tells the mode."""
    for address, source in zip(flow.SERVICE, sources, strict=True):
        flow.works_within(5, site.worker, address, source)


@in_route
@pytest.mark.parametrize("happens", [crash, lose_power])
def test_unconfirmed(site: Site, happens: Callable[[Site], None]) -> None:
    """Event 43: A change that nobody confirmed goes with the daemon that waited for it."""
    gateway = site.gw
    gateway.systemctl("enable", "meshgwd")
    gateway.write("etc/meshgw/meshgw.yaml", config("masquerade"))
    gateway.run(["meshgw", "apply", "--confirm", "600"])
    arrive_as(site, flow.GW1)
    assert "confirm-pending" in gateway.out(["meshgw", "--json", "status"])
    happens(site)
    arrive_as(site, flow.WORKER)
    site.shows("rolled-back")
    refused = gateway.run(["meshgw", "confirm"], check=False)
    assert refused.returncode == 8, "nothing waits any more"
    gateway.run(["meshgw", "apply"])
    arrive_as(site, flow.GW1)
    happens(site)
    arrive_as(site, flow.GW1)
    runs_again(site)
    gateway.systemctl("disable", "meshgwd")


# ---- a second one, a hanging one ----


@in_route
def test_second_instance_refuses(site: Site, kept: Kept) -> None:
    """Event 35: One sentence, status 75, and the first one goes on."""
    pid = site.pid()
    with kept(site.gw, ours=True):
        second = site.gw.run(["meshgwd"], check=False)
        assert second.returncode == 75
        assert len(second.stderr.splitlines()) == 1
        assert f"another meshgwd is running (pid {pid})" in second.stderr
        assert site.pid() == pid
        site.heals()
        site.is_well()


@in_route
def test_suspended(site: Site, kept: Kept) -> None:
    """Event 21: The machine sleeps, and another one wakes up: nothing of ours is in place.

    The clocks cannot be made to jump here, as they are those of the machine that the lab runs on;
    what a jump begins (daemon/loop.c), a notification begins as well.
    """
    with kept(site.gw):
        site.gw.run(f"kill -STOP {site.pid()}")
        for option in ("-4", "-6"):
            site.gw.run(f"ip {option} route flush proto 107")
        site.gw.run("ip link set CloudflareWARP down && nft flush ruleset")
        site.gw.run("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
        for address in flow.SERVICE:
            assert site.fails(address)
        site.gw.run(f"kill -CONT {site.pid()}")
        site.warp.install_sysctls()
        site.warp.reconnect()
        site.is_healthy()
        site.is_well()


@in_route
def test_hanging_daemon(site: Site, kept: Kept) -> None:
    """status says so in time; flows go on; systemd ends it and starts another."""
    assert site.gw.unit("meshgwd", "WatchdogUSec") == "20s"
    site.drop_in("[Service]\nWatchdogSec=2s\nWatchdogSignal=SIGKILL\n")
    with kept(site.gw, ours=True):
        site.gw.systemctl("restart", "meshgwd")
        pid = site.pid()
        hang(site.gw)
        begin = time.monotonic()
        status = site.gw.run(["meshgw", "--timeout", "0.5", "status"], check=False)
        assert status.returncode == 4 and len(status.stderr.splitlines()) == 1
        assert time.monotonic() - begin < 1.5
        site.heals()
        poll_until(lambda: site.pid() not in (0, pid), 10, "the watchdog ends it", interval=0.1)
        runs_again(site)
    site.defects()
