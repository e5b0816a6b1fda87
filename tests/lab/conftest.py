# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the lab tests. pytest runs inside the lab, as root, with one lab for the session.

    worker ─┐                            ┌─ gw1 10.0.1.11 ─┐       ┌─ service 10.0.1.50
    device ─┴─ edge 198.51.100.1 ─uplink─┤                 ├─ lan ─┤
                                         └─ gw2 10.0.1.12 ─┘       └─ router 10.0.1.1
                                                                      │ site 10.0.2.1
    worker 100.64.12.189, device 100.96.0.10                          └─ remote 10.0.2.60

IPv6 and the rest: lab/network.py. The tunnels' other ends are gw1's and gw2's `CloudflareWARP`;
gw1 is the active replica; the router has static routes for the mesh ranges to gw1. FRR is
installed on gateways and router with its daemons enabled, and does not run.

With `--tunnel masque` the tunnels are the gateways' own: there is none without meshgw, edge is a
booted machine with meshgw in role edge, and lab.warp[…] a lab.connector.Connector, which has only
what can happen to both. Marks
    masque          only over our own tunnel
    both            CI runs it over our own tunnel as well
    lean            it measures memory: over our own tunnel, in the build without the sanitizers
    client("why")   about Cloudflare's client. With `--tunnel masque` these are run in a lab of their
                    own, lab.client.ClientLab: the client, and MASQUE between it and the edge

Nodes
    gw1, gw2, router            booted Debian 13: lab.machine.Machine
    worker device edge service remote     network namespaces: lab.node.Node
    node.run("ip route")        CompletedProcess; check=False, stdin="…", timeout=30. A string is
                                for sh, a list is an argument vector
    node.out(…)  node.json(…)   what it prints, stripped; parsed
    node.popen(…, output=path)  lab.shell.Process: running, text(), wait(), stop(); ended after the
                                test if the test did not
    gw1.outside                 the same network without the machine (tcpdump, ip, nft)
    gw1.write("etc/x", "…")     a file of the machine's
    gw1.systemctl("restart", "meshgwd")   gw1.journal("-u", "meshgwd")   gw1.unit(name, property)

Fixtures
    lab       (session) lab.lab.Lab: nodes by name, lab.warp["gw1"] (warp.Warp: the client),
              lab.deploy(gw1, config=…), lab.reset(gw1, traits=Traits(…)), lab.reboot(gw1),
              lab.activate("gw2"), lab.frr["gw1"] (lab.frr.Frr: start, vtysh, json, configure, kill),
              lab.routing (lab.router.Router): become("bgp"), ways(), learns("gw1"), way(prefix);
              lab.reset(router="bgp")
    pristine  (function) both gateways reset before the test: no meshgw, the client as the wizard
              makes it. It is the lab; use it as `lab`.
    pristine_module             the same, once for a module whose tests build on each other
    warp      gw1's client as it is now (lab.reset() makes a new one: don't keep it)
    site      (function) survival.Site: gw1 with meshgw in mode route, then in mode masquerade; its
              client has no routes for IPv6 of its own, so that both families need ours. Only one
              mode: @pytest.mark.parametrize("mode", ["route"], indirect=True)
    bgp_site  (function) bgpsite.BgpSite: the same in mode route, with FRR and the router as its
              neighbour; made anew (6 s) only after a test that left something
              and not for @pytest.mark.bare, which is for tests that begin with make_with()
    kept      (function) a context manager: with kept(gw1): …  fails if anything that does not carry
              our marks differs afterwards: links, addresses, rules, routes of all tables, nftables,
              net sysctls. kept(gw1, sysctls={"net.ipv4.conf.eth0.forwarding"}) allows these;
              kept(gw1, ours=True) also compares what is ours

A test that changes a gateway takes `pristine` (0.5 s): reset comes before, not after, so that a
failed test leaves its state to be looked at in the report.

Waiting: lab.shell.poll_until(look, seconds, "what"); never a sleep. Flows: lab.flow (fetch,
reaches, tcp, …). When a test fails its report ends with the gateways' routes, rules, nftables and
meshgwd's journal.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator

import pytest

from bgpsite import BgpSite
from lab.kinds import KINDS, WITH_CLIENT
from lab.lab import Lab, Options
from lab.machine import Machine
from lab.node import Node
from lab.shell import CommandError, poll_until
from lab.state import State
from survival import MODES, Site
from warp import Warp

FAMILIES = pytest.mark.parametrize("six", [0, 1], ids=["ipv4", "ipv6"])
EVIDENCE = (
    "meshgw status",
    "ip rule; ip -6 rule",
    "ip -N route show table all | grep -v 'table 255'",
    "ip -N -6 route show table all | grep -v 'table 255'",
    "nft list ruleset",
    "systemctl --no-pager --plain list-units 'meshgw*'",
    "journalctl --no-pager -o short-monotonic -n 60 -u 'meshgw*'",
    "! pidof watchfrr || timeout 5 vtysh -c 'show running-config' -c 'show bgp summary'",
)


LABS = {**KINDS, "client": WITH_CLIENT["masque"]}
# With what carries the packets: our own tunnel comes back a moment after `meshgw apply` returns.
SETTLE_S = {"relay": 0, "client": 0, "masque": 5}
TUNNEL = os.environ.get("MESHGW_LAB_TUNNEL") or "relay"
PRESET = Options().preset


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked first or last go there; those of a client that is not there are skipped."""
    for item in items:
        if item.get_closest_marker("lean") and PRESET == "asan":
            item.add_marker(pytest.mark.skip(reason="a sanitizer's shadow is no memory of ours"))
        mark = item.get_closest_marker("client")
        if mark and TUNNEL == "masque":
            reason = f"Cloudflare's client only: {mark.args[0]}"
            item.add_marker(pytest.mark.skip(reason=reason))

    def place(item: pytest.Item) -> int:
        return bool(item.get_closest_marker("last")) - bool(item.get_closest_marker("first"))

    items.sort(key=place)


@pytest.fixture(scope="session", name="lab")
def fixture_lab() -> Iterator[Lab]:
    """All of it."""
    lab = LABS[TUNNEL](Options())
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture
def pristine(lab: Lab) -> Lab:
    """Gateways as at the beginning."""
    lab.reset()
    return lab


@pytest.fixture(scope="module")
def pristine_module(lab: Lab) -> Lab:
    """Gateways as at the beginning, before the module's first test."""
    lab.reset()
    return lab


def _node_fixture(name: str) -> Callable[[Lab], Node]:
    @pytest.fixture(name=name, scope="session")
    def node(lab: Lab) -> Node:
        return lab.nodes[name]

    return node


worker = _node_fixture("worker")
device = _node_fixture("device")
edge = _node_fixture("edge")
service = _node_fixture("service")
remote = _node_fixture("remote")
gw1 = _node_fixture("gw1")
gw2 = _node_fixture("gw2")
router = _node_fixture("router")


@pytest.fixture
def warp(lab: Lab) -> Warp:
    """gw1's client."""
    return lab.warp["gw1"]


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Of a module's tests first all with the one, then all with the other."""
    return str(request.param)


@pytest.fixture(scope="module")
def site_of_module(lab: Lab, mode: str) -> Site:
    """The object; what it stands for comes with `site`."""
    return Site(lab, mode)


@pytest.fixture
def site(site_of_module: Site) -> Iterator[Site]:
    """See the module."""
    site_of_module.begin()
    yield site_of_module
    site_of_module.end()


@pytest.fixture(scope="module")
def bgp_site_of_module(lab: Lab) -> Iterator[BgpSite]:
    """The object; what it stands for comes with `bgp_site`."""
    site = BgpSite(lab)
    yield site
    lab.reset()


@pytest.fixture
def bgp_site(bgp_site_of_module: BgpSite, request: pytest.FixtureRequest) -> Iterator[BgpSite]:
    """See the module."""
    if request.node.get_closest_marker("bare"):
        bgp_site_of_module.defects()
    else:
        bgp_site_of_module.begin()
    yield bgp_site_of_module
    bgp_site_of_module.end()


Kept = Callable[..., contextlib.AbstractContextManager[None]]


@pytest.fixture
def kept() -> Kept:
    """See the module."""

    @contextlib.contextmanager
    def compare(
        machine: Machine, *, ours: bool = False, sysctls: Collection[str] = ()
    ) -> Iterator[None]:
        before = State(machine.outside)
        yield

        def look() -> bool:
            difference = before.difference(State(machine.outside), ours=ours, sysctls=sysctls)
            assert not difference, f"{machine.name}:\n" + "\n".join(difference)
            return True

        poll_until(look, SETTLE_S[TUNNEL], f"{machine.name} is as it was")

    return compare


@pytest.fixture(autouse=True)
def _clean_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ends what a test's popen() started, and fails the test if a sanitizer found something.

    Processes of wider fixtures stay.
    """
    if "lab" not in request.fixturenames:
        yield
        return
    lab: Lab = request.getfixturevalue("lab")
    nodes = [*lab.nodes.values(), *(machine.outside for machine in lab.machines)]
    before = {id(process) for node in nodes for process in node.processes}
    reports = _sanitizer_reports(lab)
    yield
    for node in nodes:
        for process in [p for p in node.processes if id(p) not in before]:
            process.stop()
            node.processes.remove(process)
    news = _sanitizer_reports(lab)[len(reports) :]
    assert not news, "\n".join(news)


def _sanitizer_reports(lab: Lab) -> list[str]:
    if lab.options.preset != "asan":
        return []
    return [line for machine in lab.with_meshgw for line in machine.sanitizer_reports()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    """A failure comes with what there is to see on the gateways."""
    report = yield
    funcargs = getattr(item, "funcargs", {})
    lab = next((value for value in funcargs.values() if isinstance(value, Lab)), None)
    if call.when != "teardown" and report.failed and isinstance(lab, Lab):
        for machine in lab.with_meshgw:
            report.sections.append((machine.name, _evidence(machine)))
    return report


def _evidence(machine: Machine) -> str:
    text = []
    for command in EVIDENCE:
        try:
            text.append(f"# {command}\n{machine.out(command, check=False)}\n")
        except CommandError as error:
            text.append(f"# {command}\n{error}\n")
    return "\n".join(text)
