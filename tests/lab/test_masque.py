# SPDX-License-Identifier: Apache-2.0
"""The gateway's own tunnel in the lab: real units, users and sandboxes at both ends.

    worker, device ── edge mesh0 ══ QUIC over uplink ══ CloudflareWARP gw1 eth0 ── service

Run by `./lab test --tunnel masque`, in a lab whose edge is a machine; see lab/masque.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conftest import FAMILIES
from lab import flow, network
from lab.edge import CONFIG_FILE, Identity, edge_config
from lab.lab import GATEWAYS
from lab.machine import Machine
from lab.masque import MasqueLab, is_connected
from lab.node import Node
from lab.shell import poll_until
from survival import Talk

pytestmark = pytest.mark.masque
# By far less than the time between keep-alives.
RECOVERY_S = 5.0
# The aim, systemd's pause of 100 ms included; of 20 runs with a load of 5 the slowest took half of it.
KILLED_S = 1.0
MOVED = "198.51.100.77"
AS_TUNNEL = "setpriv --reuid meshgw-tunnel --regid meshgw-tunnel --clear-groups"


@pytest.fixture(name="carried", scope="module")
def fixture_carried(lab: MasqueLab) -> MasqueLab:
    """Both gateways connected."""
    lab.deploy()
    return lab


def peers(machine: Machine) -> list[dict]:
    """What is connected, as status says."""
    return machine.json("meshgw status --json")["tunnel"]["peers"]


def ifindex(machine: Machine) -> int:
    """Another number is another interface."""
    (link,) = machine.json("ip -j link show CloudflareWARP")
    return link["ifindex"]


@FAMILIES
def test_worker_reaches_service(carried: MasqueLab, worker: Node, six: int) -> None:
    """The request of the mission, over our own tunnel."""
    assert flow.works_within(5, worker, flow.SERVICE[six])


@FAMILIES
def test_device_reaches_gateway(carried: MasqueLab, device: Node, six: int) -> None:
    """The gateway's Mesh address, which the edge assigned."""
    address = network.MESH["gw1"][six]
    poll_until(
        lambda: device.run(["ping", "-c1", "-W1", address], check=False).returncode == 0,
        5,
        "an echo from gw1's Mesh address",
    )


def test_status(carried: MasqueLab) -> None:
    """Who is there, by name, and how the key was agreed."""
    at_edge = {peer["node"]: peer for peer in peers(carried.edge)}
    assert sorted(at_edge) == ["gw1", "gw2"]
    assert {peer["group"] for peer in at_edge.values()} == {"X25519MLKEM768"}
    (edge,) = peers(carried.gw1)
    assert edge["group"] == "X25519MLKEM768"
    assert carried.gw1.json("meshgw status --json")["tunnel"]["role"] == "connector"


def edge_nodes(edge: Machine) -> dict[str, dict]:
    """What `meshgw edge status` says, by name."""
    return {node["name"]: node for node in edge.json("meshgw edge status --json")["edge"]["nodes"]}


def test_edge_status(carried: MasqueLab, worker: Node) -> None:
    """Each node with its replica, the key that it is known by, and what it has sent."""
    assert flow.works_within(5, worker, flow.SERVICE[0])
    nodes = edge_nodes(carried.edge)
    assert {name: node["active"] for name, node in nodes.items()} == {"gw1": "gw1", "gw2": "gw2"}
    (replica,) = nodes["gw1"]["replicas"]
    assert replica["pins"] == [carried.identities["gw1"].pin]
    assert replica["peer"]["group"] == "X25519MLKEM768"
    poll_until(lambda: edge_nodes(carried.edge)["gw1"]["in"]["packets"], 10, "a report of the packets")
    assert "\ngw1: gw1 is active for " in carried.edge.out("meshgw edge status")
    assert carried.gw1.run("meshgw edge status", check=False).returncode == 1


def resolve(edge: Machine, name: str) -> dict:
    """What meshgwd says to its tunnel, who has no network to ask."""
    method = "/run/meshgw/tunnel io.meshgw.Gateway.TunnelResolve"
    return edge.json(f"{AS_TUNNEL} varlinkctl --json=short call {method} '{json.dumps({'name': name})}'")


def test_names(carried: MasqueLab) -> None:
    """RFC 9484 section 4.1: names of requests are resolved, by meshgw-probe."""
    hosts = [a.partition("/")[0] for a in network.PLANS["service"].ports[0].addresses]
    assert sorted(resolve(carried.edge, "service")["addresses"]) == sorted(hosts)
    none = resolve(carried.edge, "nobody.invalid")
    assert not none["addresses"]
    assert none["reason"] in ("no-address", "failed"), none


def promote(edge: Machine, replica: str) -> dict:
    """Of node gw1; the answer, or the failure."""
    done = edge.run(f"meshgw edge promote gw1 {replica} --json", check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == ("error" in answer)
    return answer


def tell_edge(lab: MasqueLab, *, joined: bool) -> None:
    ends = {name: lab.identities[name] for name in GATEWAYS}
    lab.edge.write(CONFIG_FILE, edge_config(lab.plan, ends, joined=joined))
    lab.edge.run("meshgw apply")


@contextmanager
def stopped(lab: MasqueLab, gateway: str) -> Iterator[None]:
    """Its tunnel does not answer, and has not said good-bye; then it dies."""
    machine = next(g for g in lab.gateways if g.name == gateway)
    machine.systemctl("kill", "-s", "STOP", "meshgw-tunnel")
    try:
        yield
    finally:
        machine.systemctl("kill", "-s", "KILL", "meshgw-tunnel")


def test_promote(carried: MasqueLab, worker: Node) -> None:
    """Both gateways carry one node, one at a time: the one that the operator chooses; and when that
    one does not answer, the other one."""
    edge = carried.edge
    tell_edge(carried, joined=True)
    states = ["active", "standby"]
    poll_until(
        lambda: sorted(r["state"] for r in edge_nodes(edge)["gw1"]["replicas"]) == states,
        10,
        "the second replica stands by",
    )
    active = edge_nodes(edge)["gw1"]["active"]
    other = "gw2" if active == "gw1" else "gw1"
    assert promote(edge, active)["parameters"]["reason"] == "active"
    assert promote(edge, "gw3")["parameters"]["reason"] == "unknown-replica"
    assert promote(edge, other) == {"active": other, "before": active}
    assert edge_nodes(edge)["gw1"]["active"] == other
    assert flow.works_within(5, worker, flow.SERVICE[0])
    with stopped(carried, other):
        assert flow.works_within(10, worker, flow.SERVICE[0])

        def relieved() -> bool:
            node = edge_nodes(edge)["gw1"]
            return (node["active"], node["why"]) == (active, "silent")

        poll_until(relieved, 10, "the edge says so")
    tell_edge(carried, joined=False)
    for gateway in carried.gateways:
        poll_until(lambda g=gateway: is_connected(g), 10, f"{gateway.name} is back")
    assert flow.works_within(5, worker, flow.SERVICE[0])


def test_no_privileges(carried: MasqueLab) -> None:
    """The process that parses what strangers send has no capability and no network."""
    for machine in (carried.gw1, carried.edge):
        pid = machine.unit("meshgw-tunnel", "MainPID")
        status = machine.out(f"cat /proc/{pid}/status")
        assert "CapEff:\t0000000000000000" in status
        assert "CapPrm:\t0000000000000000" in status
        assert machine.out(f"stat -c %U /proc/{pid}") == "meshgw-tunnel"
        links = machine.out(f"cat /proc/{pid}/net/dev").splitlines()[2:]
        assert [line.split(":")[0].strip() for line in links] == ["lo"]


def killed_edge(lab: MasqueLab, worker: Node) -> float:
    """Seconds from its end to the answer of the first request. Who has only just connected is called
    back like anybody else, and waits before it dials again."""
    for gateway in lab.gateways:
        poll_until(
            lambda g=gateway: [p["seconds"] >= 2 for p in peers(g)] == [True],
            15,
            f"{gateway.name} has been connected for a while",
        )
    lab.edge.systemctl("kill", "-s", "KILL", "meshgw-tunnel")
    begin = time.monotonic()
    assert flow.fetch(worker, flow.SERVICE[0], timeout=RECOVERY_S)
    return time.monotonic() - begin


def test_edge_killed(carried: MasqueLab, worker: Node) -> None:
    """The edge's process dies; the next one calls the gateways back, and does not wait until one of
    them has something to say. The worker's first packets wait for that. A machine that is busy with
    something else just then has two more tries."""
    took = [killed_edge(carried, worker)]
    while min(took) > KILLED_S and len(took) < 3:
        took.append(killed_edge(carried, worker))
    assert min(took) <= KILLED_S, took


def gw1_at_edge(lab: MasqueLab) -> str:
    """Where the edge sees it; "" when it is not connected."""
    at = [str(peer["address"]) for peer in peers(lab.edge) if peer["node"] == "gw1"]
    return at[0].rpartition(":")[0] if at else ""


def connections(lab: MasqueLab) -> int:
    """How many gw1 has made, that the edge has told of."""
    log = lab.edge.out("journalctl -u meshgw-tunnel -o cat")
    return log.count("established node=gw1 ")


@contextmanager
def moved(gateway: Machine, before: str, after: str) -> Iterator[None]:
    """Another address on the uplink."""
    change = "ip address del {}/24 dev wan0 && ip address add {}/24 dev wan0"
    gateway.run(change.format(before, after))
    try:
        yield
    finally:
        gateway.run(change.format(after, before))


def test_address_changes(carried: MasqueLab, worker: Node) -> None:
    """The connection moves to another address of the uplink (RFC 9000 section 9): it is the same one,
    and gw1 has nothing to say when it happens."""
    before, made = gw1_at_edge(carried), connections(carried)
    with moved(carried.gw1, before, MOVED):
        assert flow.works_within(RECOVERY_S, worker, flow.SERVICE[0])
        poll_until(lambda: gw1_at_edge(carried) == MOVED, 10, "the edge knows the new address")
        assert connections(carried) == made
    assert flow.works_within(RECOVERY_S, worker, flow.SERVICE[0])
    poll_until(lambda: gw1_at_edge(carried) == before, 10, "it is as before")


def tell_pins(lab: MasqueLab, *pins: str) -> None:
    """To the edge, those of gw1."""
    ends = {name: lab.identities[name] for name in GATEWAYS}
    before = f'pins: ["{ends["gw1"].pin}"]'
    text = edge_config(lab.plan, ends)
    assert before in text
    lab.edge.write(CONFIG_FILE, text.replace(before, f"pins: {json.dumps(pins)}"))
    lab.edge.run("meshgw apply")


def test_key_rotated(carried: MasqueLab, device: Node) -> None:
    """As an operator does it: the edge is told the next key, too, then certificate and key lie on the
    gateway's disk and are applied. A flow that lives notices nothing, what is connected next has the
    new key, and the old one may be forgotten."""
    gw1, old, new = carried.gw1, carried.identities["gw1"], Identity.make("gw1-next")
    # Nothing but the files is to change: another mode would end the flow.
    gw1.run("meshgw apply")
    tell_pins(carried, old.pin, new.pin)
    made, talk = connections(carried), Talk(device, flow.SERVICE[0])
    try:
        new.install(gw1)
        gw1.run("meshgw apply")
        talk.goes_on()
        assert connections(carried) == made
        # The old key is nobody's: who shows that one is closed.
        tell_pins(carried, new.pin)
        poll_until(lambda: connections(carried) > made, 10, "gw1 with its new key")
        talk.goes_on()
        assert connections(carried) == made + 1
    finally:
        talk.end()
        tell_pins(carried, old.pin, new.pin)
        old.install(gw1)
        gw1.run("meshgw apply")
        made = connections(carried)
        tell_edge(carried, joined=False)
        poll_until(lambda: connections(carried) > made, 10, "gw1 with its first key")
    assert flow.works_within(RECOVERY_S, device, flow.SERVICE[0])


def test_daemons_killed(carried: MasqueLab, worker: Node) -> None:
    """meshgwd is no part of the path, and its next life takes interface and sockets over."""
    before = ifindex(carried.gw1)
    carried.gw1.systemctl("kill", "-s", "KILL", "meshgwd")
    assert flow.works_within(1, worker, flow.SERVICE[0])
    poll_until(lambda: is_connected(carried.gw1), 10, "meshgwd is back")
    assert ifindex(carried.gw1) == before
    assert flow.works_within(1, worker, flow.SERVICE[0])


def test_down(carried: MasqueLab) -> None:
    """Nothing is left, and the next apply brings it back."""
    carried.gw1.run("meshgw down")
    poll_until(
        lambda: carried.gw1.run("ip link show CloudflareWARP", check=False).returncode != 0,
        5,
        "the interface is gone",
    )
    assert carried.gw1.out("ss -Hlun 'sport = :443'") == ""
    carried.gw1.run("meshgw apply /etc/meshgw/meshgw.yaml")
    poll_until(lambda: is_connected(carried.gw1), 10, "gw1 is connected")
