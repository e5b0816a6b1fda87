# SPDX-License-Identifier: Apache-2.0
"""The mode differs from host to host, and is switched by `meshgw apply` while flows live.

    worker, device ── edge ══ CloudflareWARP gw1 eth0 ── service

New requests take the new way at once. What becomes of a flow that lives depends on who knows it:
with routes gw1 does not, so that a switch to masquerading gives it another address; when nothing is
masqueraded any more, nothing translates what was. While something still is, flows stay as they
are. Flows that the LAN began are never translated.
"""

from __future__ import annotations

import pytest

from conftest import Kept
from lab import flow
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from survival import MODES, Site, Talk, config

CONFIG_FILE = "etc/meshgw/meshgw.yaml"
MIXED = """\
lan:
  - interface: eth0
    networks:
      - {{prefix: 10.0.1.0/24, return_path: {mode}}}
      - {{prefix: "2001:db8:1::/64", return_path: {mode}}}
      - 10.0.2.0/24
return_path: masquerade
"""


def switch(site: Site, mode: str, text: str) -> None:
    """From now on new requests take the other way."""
    site.gw.write(CONFIG_FILE, text)
    site.gw.run("meshgw apply")
    site.mode = mode
    site.heals(seconds=0.5)
    site.is_well()


@pytest.mark.both
def test_all_of_it(site: Site, kept: Kept, service: Node) -> None:
    """Flows from the mesh end, for their clients to see; flows from the LAN go on."""
    other = MODES[site.mode == MODES[0]]
    first = site.mode
    with kept(site.gw, ours=True):
        for mode in (other, first):
            ours = [Talk(site.worker, address) for address in flow.SERVICE]
            theirs = [Talk(service, address) for address in flow.DEVICE]
            switch(site, mode, config(mode))
            for talk in ours:
                with pytest.raises(AssertionError, match="the connection ended"):
                    talk.goes_on()
            for talk in theirs:
                talk.goes_on()


@pytest.mark.parametrize("mode", ["masquerade"], indirect=True)
def test_one_network_of_several(site: Site, kept: Kept) -> None:
    """From masquerading to routes a flow lives on, as long as another network is masqueraded."""
    switch(site, "masquerade", MIXED.format(mode="masquerade"))
    with kept(site.gw):
        talks = [Talk(site.worker, address) for address in flow.SERVICE]
        switch(site, "route", MIXED.format(mode="route"))
        for talk in talks:
            talk.goes_on()
    site.spent()


@pytest.mark.usefixtures("pristine")
def test_single_hosts_depart_from_their_network(lab: Lab, gw1: Machine, worker: Node) -> None:
    """In both directions of the exception."""
    lab.deploy(
        gw1,
        config="""\
lan:
  - interface: eth0
    networks:
      - prefix: 10.0.1.0/24
        return_path: route
        hosts: [{address: 10.0.1.50, return_path: masquerade}]
      - prefix: 10.0.2.0/24
        return_path: masquerade
        hosts: [{address: 10.0.2.60, return_path: route}]
      - "2001:db8:1::/64"
return_path: route
""",
    )
    assert flow.fetch(worker, flow.SERVICE[0]) == flow.GW1[0]
    assert flow.fetch(worker, flow.REMOTE[0]) == flow.WORKER[0]
    assert flow.fetch(worker, flow.SERVICE[1]) == flow.WORKER[1]
