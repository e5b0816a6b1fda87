# SPDX-License-Identifier: Apache-2.0
"""FRR and its shell go, hang, lie and come back; numbers in front are of the survival list.

Two things must hold all the time: what comes back to gw1 goes into the tunnel, by meshgwd's own
routes in the kernel, and meshgwd goes on answering. Ours is in FRR again INJECT_S after it is back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from bgpsite import BgpSite, bgp
from lab import network
from lab.shell import poll_until

VTYSH = "usr/bin/vtysh"


MORE = "mesh: {ranges: {sites: [10.9.0.0/16]}}\n" + bgp()


def family(prefix: str) -> str:
    """For ip(8)."""
    return "-6" if ":" in prefix else "-4"


def has_more(site: BgpSite, there: bool) -> None:
    """FRR comes to have what MORE has more. vtysh is tried again after 1, 2, 4, 8 … s."""
    poll_until(
        lambda: any(line.startswith("ip route 10.9.0.0/16 ") for line in site.frr.lines()) == there,
        20, f"10.9.0.0/16 in FRR: {there}", interval=0.1,
    )  # fmt: skip


@contextlib.contextmanager
def fake_vtysh(site: BgpSite, script: str) -> Iterator[None]:
    """Another program in vtysh's place."""
    site.gw.run(f"cp /{VTYSH} /{VTYSH}.real")
    site.gw.write(f"{VTYSH}.fake", f"#!/bin/sh\n{script}\n")
    site.gw.run(f"chmod 755 /{VTYSH}.fake && mv /{VTYSH}.fake /{VTYSH}")
    try:
        yield
    finally:
        site.gw.run(f"mv /{VTYSH}.real /{VTYSH}")


def test_restart(bgp_site: BgpSite) -> None:
    """23: zebra takes its routes along; ours stay, and FRR gets its part back."""
    bgp_site.gw.systemctl("restart", "frr")
    bgp_site.path_is_true()
    bgp_site.injected()
    bgp_site.learns()
    bgp_site.is_well()
    bgp_site.heals()


def test_stopped(bgp_site: BgpSite) -> None:
    """23: said while it is gone; a start brings everything back."""
    bgp_site.gw.systemctl("stop", "frr")
    bgp_site.shows("bgp-daemon-down")
    bgp_site.path_is_true()
    bgp_site.gw.systemctl("start", "frr")
    bgp_site.injected()
    bgp_site.learns()
    bgp_site.is_well()


@pytest.mark.parametrize("daemon", ["zebra", "mgmtd", "staticd", "bgpd", "bfdd"])
def test_daemon_killed(bgp_site: BgpSite, daemon: str) -> None:
    """23, 41: the death of one; which of them takes the announcement along is FRR's nature."""
    frr = bgp_site.frr
    needed = daemon != "bfdd"
    with frr.without(daemon):
        if needed:
            bgp_site.shows("bgp-daemon-down", seconds=10)
        bgp_site.path_is_true()
        if daemon in ("mgmtd", "staticd", "bfdd"):
            bgp_site.heals()
            bgp_site.learns()
    bgp_site.injected()
    bgp_site.learns()
    bgp_site.is_well(10)
    bgp_site.heals()


def test_killed_while_meshgwd_writes(bgp_site: BgpSite) -> None:
    """41: `vtysh` says yes to a mgmtd that is not there. Said, and made up for."""
    with bgp_site.frr.without("mgmtd"):
        bgp_site.apply(MORE, check=False)
        bgp_site.shows("bgp-daemon-down", "mgmtd")
    has_more(bgp_site, True)
    bgp_site.apply(bgp())
    has_more(bgp_site, False)
    bgp_site.is_well()


def test_down_after_mgmtd_forgot(bgp_site: BgpSite) -> None:
    """41: after its restart mgmtd denies our statics, which live on; `down` removes them."""
    with bgp_site.frr.without("mgmtd"):
        pass
    # While mgmtd still starts the answer may be that meshgwd goes on trying.
    bgp_site.gw.run(["meshgw", "down"], check=False)

    def is_clean() -> bool:
        for six in (0, 1):
            assert bgp_site.frr.json(f"show {('ip', 'ipv6')[six]} route static") == {}
            assert bgp_site.gw.json(f"ip -j -N -{(4, 6)[six]} route show proto 196") == []
        assert not any("CloudflareWARP" in line for line in bgp_site.frr.lines())
        return True

    poll_until(is_clean, 15, "nothing of ours is left", interval=0.1)
    bgp_site.apply(bgp())
    bgp_site.learns()


@pytest.mark.parametrize(
    "script",
    ["exec sleep 1000", "cat /dev/urandom", "echo '}{'; echo '% Unknown command' >&2; exit 1"],
    ids=["hangs", "floods", "garbage"],
)
def test_vtysh_is_of_no_use(bgp_site: BgpSite, script: str) -> None:
    """Killed at its deadline, its words not believed; the kernel's part is mended meanwhile."""
    with fake_vtysh(bgp_site, script):
        bgp_site.apply(MORE, check=False)
        bgp_site.shows("frr-not-answering")
        begin = time.monotonic()
        bgp_site.gw.run("ip route del 100.64.0.0/12 proto 107")
        poll_until(
            lambda: bgp_site.gw.json("ip -j -N route show 100.64.0.0/12 proto 107"), 1, "mended"
        )
        bgp_site.status()
        assert time.monotonic() - begin < 1.5
    has_more(bgp_site, True)
    bgp_site.forgets("frr-not-answering")
    bgp_site.apply(bgp())
    has_more(bgp_site, False)
    bgp_site.is_well()


def test_mgmtd_is_locked(bgp_site: BgpSite) -> None:
    """41: somebody keeps its lock, as a lost daemon does: said as that and not as a line that is
    wrong, tried again, and made up for."""
    bgp_site.frr.ask("mgmtd", "configure terminal file-lock")
    bgp_site.apply(MORE, check=False)
    bgp_site.shows("frr-config-locked", "mgmtd")
    assert "could not lock" in bgp_site.message("frr-config-locked")
    codes = {code for code, _ in bgp_site.conditions()}
    assert not codes & {"frr-config-rejected", "frr-not-in-place"}, codes
    bgp_site.path_is_true()
    bgp_site.frr.ask("mgmtd", "end")
    has_more(bgp_site, True)
    bgp_site.forgets("frr-config-locked")
    bgp_site.apply(bgp())
    has_more(bgp_site, False)
    bgp_site.is_well()


def test_not_installed(bgp_site: BgpSite) -> None:
    """Neither vtysh nor daemons: said; kernel routes work; installing it is enough."""
    bgp_site.gw.run(f"mv /{VTYSH} /{VTYSH}.away")
    bgp_site.frr.stop()
    try:
        bgp_site.shows("frr-not-installed")
        bgp_site.path_is_true()
    finally:
        bgp_site.gw.run(f"mv /{VTYSH}.away /{VTYSH}")
    bgp_site.frr.start()
    bgp_site.injected()
    bgp_site.learns()
    bgp_site.is_well()


def test_reload_write_memory_and_replacement(bgp_site: BgpSite) -> None:
    """42: a reload takes ours out, a saved configuration holds it, a file of others' replaces it;
    both sides stay right."""
    bgp_site.gw.systemctl("reload", "frr")
    bgp_site.injected()
    bgp_site.learns()
    before = bgp_site.frr.config()
    bgp_site.frr.vtysh("write memory")
    bgp_site.gw.systemctl("reload", "frr")
    bgp_site.is_well()
    bgp_site.learns()
    assert bgp_site.frr.config() == before
    bgp_site.spent()
    said = bgp_site.gw.run(["meshgw", "down"])
    assert "frr.conf" in said.stdout + said.stderr
    assert "CloudflareWARP" not in bgp_site.frr.config()

    # Configuration management writes its own frr.conf; theirs and ours hold.
    said = bgp_site.apply(bgp())
    assert "frr network 100.64.0.0/12" in said, "what apply did to FRR, after down"
    bgp_site.learns()
    bgp_site.gw.write("etc/frr/frr.conf", "ip prefix-list THEIRS seq 5 permit 192.0.2.0/24\n")
    bgp_site.gw.systemctl("reload", "frr")
    bgp_site.injected()
    assert "ip prefix-list THEIRS" in bgp_site.frr.config()
    bgp_site.learns()


def test_either_order_of_start(bgp_site: BgpSite) -> None:
    """Kernel routes and FRR's are both there, the announcement is true, and FRR's death hurts
    nobody who does not need BGP."""
    bgp_site.spent()
    for order in (("frr", "meshgwd"), ("meshgwd", "frr")):
        bgp_site.gw.systemctl("stop", "meshgwd", "frr")
        for unit in order:
            bgp_site.gw.systemctl("start", unit)
        bgp_site.injected(10)
        bgp_site.learns()
        bgp_site.is_well(10)
        for prefix in network.RANGES:
            routes = bgp_site.gw.json(f"ip -j -N {family(prefix)} route show {prefix}")
            protocols = [route["protocol"] for route in routes]
            assert sorted(protocols) == ["107", "196"], (order, prefix)
            assert protocols[0] == "196", (order, prefix)
        bgp_site.frr.stop()
        bgp_site.path_is_true()


def test_kernel_lost_what_frr_reports(bgp_site: BgpSite) -> None:
    """24: the TUN's last IPv4 address goes, and the kernel's routes with it, silently. FRR would
    go on announcing what nobody here routes any more."""
    bgp_site.gw.run(f"ip addr flush dev {bgp_site.warp.ifname}")
    bgp_site.path_is_true()
    for prefix in network.RANGES:
        bgp_site.gw.run(f"ip route del {prefix} proto 196", check=False)
    bgp_site.path_is_true()
    bgp_site.learns()
    bgp_site.warp.link_up()
    bgp_site.is_well(10)


@pytest.mark.client("its interface stays away")
def test_withdrawn_with_the_tunnel(bgp_site: BgpSite) -> None:
    """24: no TUN, no route, no announcement; all of it comes back with the TUN."""
    bgp_site.warp.delete_tun()
    bgp_site.learns([])
    bgp_site.shows("tunnel-interface-missing")
    assert bgp_site.neighbor()["state"] == "Established"
    bgp_site.warp.recreate()
    bgp_site.learns()
    bgp_site.is_well()
    bgp_site.heals()


def test_lan_loses_its_carrier(bgp_site: BgpSite) -> None:
    """20: the session goes with the cable, and comes back with it."""
    port = f"{bgp_site.gw.name}-eth0"
    bgp_site.routing.machine.outside.run(["ip", "-n", network.SWITCH, "link", "set", port, "down"])
    try:
        bgp_site.shows("lan-interface-down", "eth0")
    finally:
        bgp_site.routing.machine.outside.run(["ip", "-n", network.SWITCH, "link", "set", port, "up"])
    bgp_site.learns()
    bgp_site.is_well(10)
    bgp_site.heals()
