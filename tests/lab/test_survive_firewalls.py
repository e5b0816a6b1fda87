# SPDX-License-Identifier: Apache-2.0
"""Other programs' filters on the gateway come, reload and go; firewalld and ufw are the real ones.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

Nothing of ours can overrule a drop, so the flow fails meanwhile: the verdict names who drops, and
by which rule, and its remedy, in that program's own way, lets the flow through.
"""

from __future__ import annotations

import pytest

from conftest import Kept
from lab import flow
from survival import HEALTHY, Site, target

pytestmark = pytest.mark.parametrize("mode", ["route"], indirect=True)

UFW_CLEAN = """\
ufw --force reset >/dev/null
rm -f /etc/ufw/*.rules.2*
nft destroy table ip filter
nft destroy table ip6 filter
"""
# What Docker makes at each start; FORWARD drops where it was Docker that switched forwarding on.
DOCKER = """\
*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
:DOCKER-FORWARD - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-FORWARD -i docker0 -j ACCEPT
COMMIT
"""
DOCKER_AGAIN = """\
{0} -D FORWARD -j DOCKER-USER
{0} -D FORWARD -j DOCKER-FORWARD
{0} -I FORWARD -j DOCKER-FORWARD
{0} -I FORWARD -j DOCKER-USER
"""
# A routed network of libvirt's on eth0: it refuses what nobody asked for.
LIBVIRT = """\
*filter
:FORWARD ACCEPT [0:0]
:LIBVIRT_FWI - [0:0]
-A FORWARD -j LIBVIRT_FWI
-A LIBVIRT_FWI -o eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A LIBVIRT_FWI -o eth0 -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""
# A network of podman's inside the mesh ranges, whose packets get an address that is not there.
PODMAN = """\
table ip netavark {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat
		ip saddr 100.64.0.0/10 ip daddr != 100.64.0.0/10 snat to 10.89.0.1
	}
}
"""
# kube-proxy translates what is marked, which here is all.
KUBE = """\
*nat
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-POSTROUTING -j MASQUERADE
COMMIT
"""


def test_firewalld(site: Site) -> None:
    """Event 14: firewalld starts, reloads (with FlushAllOnReload), and ends."""
    site.spent()
    handles = site.gw.out("nft -a list table inet meshgw | grep handle")
    site.gw.systemctl("start", "firewalld")
    try:
        assert "FlushAllOnReload=yes" in site.gw.out("cat /etc/firewalld/firewalld.conf")
        for six in (1, 0):
            assert site.fails(flow.SERVICE[six])
            remedy = site.finds("filter-reject-forward", flow.SERVICE[six], by="firewalld",
                                table="inet firewalld", chain="filter_FORWARD_POLICIES",
                                rule="reject with icmpx admin-prohibited")  # fmt: skip
            site.gw.run("firewall-cmd --reload")
        site.does(remedy)
        site.heals(flow.SERVICE[0])
        assert site.gw.out("nft -a list table inet meshgw | grep handle") == handles
    finally:
        site.gw.systemctl("stop", "firewalld")
        site.gw.run("rm -rf /etc/firewalld/policies/* /etc/firewalld/zones/*")
    site.is_healthy()
    site.is_well()


def test_ufw(site: Site) -> None:
    """Event 14: ufw is enabled, with its FORWARD of policy drop, and disabled."""
    site.spent()
    site.gw.run("ufw --force enable")
    try:
        # Connection tracking begins now, and to it what comes is no answer before something went.
        assert flow.ping(site.gw, flow.DEVICE[0])
        for address, table in zip(flow.SERVICE, ("ip filter", "ip6 filter"), strict=True):
            assert site.fails(address)
            verdict = site.diagnose(target(address))
            assert verdict["code"] == "filter-drop-forward"
            assert verdict["attributes"]["by"] == "ufw", verdict["attributes"]
            assert verdict["attributes"]["table"] == table
            assert "policy drop" in str(verdict["evidence"])
            site.does(verdict["remedy"]["commands"])
            site.heals(address)
        site.gw.run("ufw disable")
    finally:
        site.gw.run(UFW_CLEAN)
    site.is_healthy()
    site.is_well()


def test_docker(site: Site, kept: Kept) -> None:
    """Event 15: Docker starts, and starts again: its jumps come first then."""
    with kept(site.gw):
        for six, tool in enumerate(("iptables", "ip6tables")):
            address = flow.SERVICE[six]
            site.gw.run(f"{tool}-restore -n", stdin=DOCKER)
            assert site.fails(address)
            site.does(site.finds("filter-drop-forward", address, by="docker", chain="FORWARD"))
            site.heals(address)
            site.gw.run(DOCKER_AGAIN.format(tool))
        site.is_healthy()
        site.gw.run("nft 'delete table ip filter; delete table ip6 filter'")
        site.is_well()


def test_libvirt(site: Site, kept: Kept) -> None:
    """Event 16: libvirt's rules for a network of its own on the LAN's interface."""
    with kept(site.gw):
        site.gw.run("iptables-restore -n", stdin=LIBVIRT)
        assert site.fails(flow.SERVICE[0])
        remedy = site.finds(
            "filter-reject-forward", flow.SERVICE[0], by="libvirt", chain="LIBVIRT_FWI"
        )
        site.does(remedy)
        site.heals()
        site.gw.run("nft delete table ip filter")
        site.is_healthy()


def test_podman(site: Site, kept: Kept) -> None:
    """Event 16: podman gives the mesh's packets an address nobody has."""
    with kept(site.gw):
        site.gw.run("nft -f -", stdin=PODMAN)
        assert site.fails(flow.SERVICE[0])
        site.finds("nat-unexpected-owner", flow.SERVICE[0], by="podman")
        site.gw.run("nft delete table ip netavark")
        site.is_healthy()


def test_kube(site: Site, kept: Kept) -> None:
    """Event 16: kube-proxy's masquerading harms no flow; the doctor knows who hides the sources."""
    with kept(site.gw):
        site.gw.run("iptables-restore -n", stdin=KUBE)
        flow.works_within(1, site.worker, flow.SERVICE[0], flow.GW1[0])
        site.finds("healthy", flow.SERVICE[0], HEALTHY)
        told = site.gw.out("meshgw doctor", check=False)
        assert "ip nat POSTROUTING of kube may translate flows of the mesh" in told, told
        site.gw.run("nft delete table ip nat")
        site.is_healthy()
