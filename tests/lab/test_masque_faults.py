# SPDX-License-Identifier: Apache-2.0
"""What the tunnel suffers from others, in the lab: the way goes bad, edges and peers go wild.

    worker, device ── edge mesh0 ══ QUIC over uplink ══ CloudflareWARP gw1 eth0 ── service
                                   └════════════════════ CloudflareWARP gw2

Whatever happens: the flow goes on or comes back, status has the one condition that names the cause,
so has the doctor, and a diagnosis where there is no tunnel; and no process of ours has ever had
more than 64 MiB. That is measured, so these tests are not for a build with the sanitizers, whose
shadow memory is many times the program's: a step of its own runs them with the other build. Each
test adds to what stands and takes it away again, as far as it does not fade with time; the last one
waits for that. gw2 is without UDP from the beginning on, while the others are at it; test_released
ends that, after half a minute at least.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import harm
import rude
from lab import flow, network
from lab.edge import EDGE, EDGE_AT, Identity
from lab.lab import BRIDGE, CONFIG
from lab.machine import Machine
from lab.masque import MasqueLab
from lab.node import Node
from lab.shell import Process, poll_until
from survival import TUNNEL, target
from test_masque import MOVED, RECOVERY_S, connections, gw1_at_edge, moved

pytestmark = [pytest.mark.masque, pytest.mark.lean]
PEAK_KIB = 64 << 10
# Until status knows: what is counted is told every five seconds.
SHOW_S = 15.0
LOOK_S = 0.2
# And until it forgets: what is seen no more for fifteen seconds.
FADE_S = 25.0
BLOCK_S = 30.0
MEBIBYTE = 1 << 20
NARROW = 1300
INITIALS = 10_000  # a second
MEMORY = """\
for pid in $(pgrep ^meshgw); do
    sed -n 's/^Name:[[:space:]]*//p; s/^VmHWM:[[:space:]]*//p' /proc/$pid/status | paste -s -
done"""
ROUTES = b"".join(rude.route(n * 4096, n * 4096) for n in range(1_000_000))
CAPSULES = rude.capsule(0x1234, b"") * 20_000
# More for somebody than anybody takes.
SHOWER = """\
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for _ in range(20):
        try:
            sock.sendto(bytes(1000), (sys.argv[1], 9))
        except OSError:
            pass
    time.sleep(0.01)
"""
Cause = tuple[str, str]  # code and subject


class Scene:
    """The lab with both gateways connected, and what its three ends have said before a test."""

    def __init__(self, lab: MasqueLab) -> None:
        assert isinstance(lab.edge, Machine)
        self.lab = lab
        self.gw1, self.gw2, self.edge = lab.gw1, lab.gw2, lab.edge
        self.worker, self.device = lab.worker, lab.device
        self.ends = (self.gw1, self.gw2, self.edge)
        self._before: dict[str, set[Cause]] = {}
        self._blocked = 0.0
        self._pings: list[Process] = []

    # What stands.

    def begin(self) -> None:
        """Of a test."""
        self._before = {end.name: set(self.causes(end)) for end in self.ends}

    @staticmethod
    def status(end: Machine) -> dict[str, Any]:
        """Whatever its exit status says of it."""
        said: dict[str, Any] = end.json("meshgw --json status", check=False)
        return said

    def causes(self, end: Machine) -> dict[Cause, dict[str, Any]]:
        """Conditions that want something done and follow from no other; what is said of gw2 is that
        test's business."""
        return {
            (c["code"], c["subject"]): c
            for c in self.status(end)["conditions"]
            if c["severity"] != "info" and "dependsOn" not in c and c["subject"] != "gw2/gw2"
        }

    def shows(self, end: Machine, *expected: Cause, seconds: float = SHOW_S) -> None:
        """These have come and nothing else has, each with what was seen and what is to be done."""

        def look() -> dict[Cause, dict[str, Any]]:
            now = self.causes(end)
            assert set(expected) <= set(now), f"{end.name} shows {sorted(now)}"
            return now

        now = poll_until(look, seconds, f"{end.name} shows {expected}", interval=LOOK_S)
        assert set(now) - self._before[end.name] <= set(expected), now
        for cause in expected:
            assert now[cause]["message"] and now[cause]["remedy"], now[cause]

    def shows_nothing(self, end: Machine) -> None:
        """Nothing has come since the test began."""
        now = self.causes(end)
        assert set(now) <= self._before[end.name], now

    def forgets(self, end: Machine, *expected: Cause, seconds: float = SHOW_S) -> None:
        """These are gone."""

        def look() -> bool:
            now = self.causes(end)
            assert not set(expected) & set(now), f"{end.name} shows {sorted(now)}"
            return True

        poll_until(look, seconds, f"{end.name} forgets {expected}", interval=LOOK_S)

    def doctor_names(self, end: Machine, subject: str) -> None:
        """One of its checks does, and says what to do."""
        checks = end.json("meshgw --json doctor", check=False)["checks"]
        (check,) = [c for c in checks if c["reason"].startswith(f"{subject}: ")]
        assert check["result"] in ("warn", "fail") and check["remedy"], check

    def diagnosis_names(self, end: Machine, code: str, subject: str) -> None:
        """Asking itself as well as only watching."""
        for how in ((), ("--passive",)):
            ask = ["meshgw", "--json", "diagnose", "--limit", "1000", *how, target(flow.SERVICE[0])]
            done = end.run(ask, check=False)
            verdict = json.loads(done.stdout)
            assert (verdict["code"], done.returncode) == (code, TUNNEL), verdict
            assert verdict["attributes"]["subject"] == subject, verdict
            assert verdict["evidence"] and verdict["remedy"]["text"], verdict

    def told(self, end: Machine) -> int:
        """Packets that the last report counts of whoever is not gw2."""
        peers = self.status(end)["tunnel"]["peers"]
        return sum(p["packetsIn"] for p in peers if p.get("node") != "gw2")

    # What goes on.

    def works(self, seconds: float = RECOVERY_S) -> None:
        """The request of the mission, in both families."""
        for address in flow.SERVICE:
            flow.works_within(seconds, self.worker, address)

    def carries(self, size: int = MEBIBYTE) -> None:
        """One connection, every byte. Where a fifth is lost the first may not come about: the worker
        asks for it twice."""

        def carry() -> bool:
            flow.carry(self.worker, flow.SERVICE[0], size)
            return True

        poll_until(carry, 30, f"{size} bytes")

    def small(self) -> None:
        """Every process of ours, since it began."""
        for end in self.ends:
            peaks = [line.split("\t") for line in end.out(MEMORY).splitlines() if "\t" in line]
            assert {"meshgwd", "meshgw-tunnel"} <= {name for name, _ in peaks}, peaks
            assert all(int(peak.split()[0]) <= PEAK_KIB for _, peak in peaks), (end.name, peaks)

    @contextmanager
    def dialling(self, *edges: str) -> Iterator[None]:
        """gw1 goes to these meanwhile, each by address and port."""
        self.gw1.set_edges(*edges)
        try:
            yield
        finally:
            self.gw1.set_edges(EDGE_AT)

    # gw2's half minute.

    def block_gw2(self) -> None:
        """From now on, with packets there and back all the time: else silence is normal."""
        for node, to in ((self.device, network.MESH["gw2"][0]), (self.gw2, flow.DEVICE[0])):
            self._pings.append(node.popen(["ping", "-nqi0.2", to]))
        harm.spoil("gw2", "")
        self._blocked = time.monotonic()

    def release_gw2(self) -> None:
        """When it has been as long as that, or longer."""
        left = self._blocked + BLOCK_S - time.monotonic()
        poll_until(lambda: time.monotonic() >= self._blocked + BLOCK_S, left + 1, "half a minute")
        harm.mend("gw2")
        self._blocked = 0.0

    def end(self) -> None:
        """Nothing is left of it, whatever failed."""
        for pings in self._pings:
            pings.stop()
        if self._blocked:
            harm.mend("gw2")


@contextmanager
def running(node: Node, *commands: list[str]) -> Iterator[None]:
    """These run there meanwhile, and no longer."""
    processes = [node.popen(command) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.stop()


@pytest.fixture(name="scene_of_module", scope="module")
def fixture_scene_of_module(lab: MasqueLab) -> Iterator[Scene]:
    """From a fresh start."""
    lab.reset()
    lab.deploy(config=CONFIG + BRIDGE)
    with harm.whole_packets("gw1", "gw2", "edge"):
        made = Scene(lab)
        made.works()
        made.block_gw2()
        yield made
        made.end()
    lab.reset()


@pytest.fixture
def scene(scene_of_module: Scene) -> Iterator[Scene]:
    """As the test before has left it."""
    scene_of_module.begin()
    yield scene_of_module
    scene_of_module.small()


# The way, and the edge.


def test_address_change(scene: Scene) -> None:
    """Is no fault: the connection moves, and nobody has anything to say."""
    before, made = gw1_at_edge(scene.lab), connections(scene.lab)
    with moved(scene.gw1, before, MOVED):
        scene.works()
        poll_until(lambda: gw1_at_edge(scene.lab) == MOVED, 10, "the edge knows", interval=LOOK_S)
    scene.works()
    assert connections(scene.lab) == made
    for end in (scene.gw1, scene.edge):
        scene.shows_nothing(end)


def test_reordering(scene: Scene) -> None:
    """Is no loss: packets that come late are not called lost."""
    with harm.disordered() as relay, scene.dialling("{}:{}".format(*harm.RELAY)):
        scene.works()
        told = {end.name: scene.told(end) for end in (scene.gw1, scene.edge)}
        scene.carries(MEBIBYTE // 2)
        assert relay.overtaken > relay.passed // 4
        for end in (scene.gw1, scene.edge):
            poll_until(
                lambda e=end: scene.told(e) > told[e.name] + 200,
                SHOW_S, "it is reported", interval=LOOK_S,
            )  # fmt: skip
            scene.shows_nothing(end)
    scene.works()


def test_blocked(scene: Scene) -> None:
    """Who is without UDP and the edge say what is the matter, while others go on."""
    scene.shows(scene.gw2, ("tunnel-edge-unreached", EDGE_AT))
    scene.doctor_names(scene.gw2, EDGE_AT)
    scene.diagnosis_names(scene.gw2, "tunnel-edge-unreached", EDGE_AT)
    silent = {"code": "tunnel-peer-silent", "subject": "gw2/gw2"}.items()
    poll_until(
        lambda: any(silent <= c.items() for c in scene.status(scene.edge)["conditions"]),
        SHOW_S, "the edge shows it", interval=LOOK_S,
    )  # fmt: skip
    scene.works()


def test_edge_killed(scene: Scene) -> None:
    """And not started again at once, so that there is something to see."""
    cause = ("tunnel-edge-unreached", EDGE_AT)
    scene.edge.run("systemctl kill -s KILL meshgw-tunnel && systemctl stop meshgw-tunnel")
    try:
        with running(scene.gw1, ["ping", "-nqi0.2", flow.WORKER[0]]):
            scene.shows(scene.gw1, cause)
            scene.doctor_names(scene.gw1, EDGE_AT)
    finally:
        scene.edge.systemctl("start", "meshgw-tunnel")
    scene.works()
    scene.forgets(scene.gw1, cause)


def test_narrow(scene: Scene) -> None:
    """RFC 9484 section 7.2: where 1280 bytes do not get through, a tunnel with IPv6 is ended, and
    dialled again until they do."""
    cause = ("tunnel-path-narrow", EDGE_AT)
    # Small ones get through, as they do among large ones of real traffic.
    ping = ["ping", "-nqi0.05", "-Mprobe", flow.SERVICE[0]]
    pings = running(scene.worker, [*ping, "-s56"], [*ping, "-s1252"])
    with harm.dropped("gw1", f"ip length > {NARROW}"), pings:
        scene.shows(scene.gw1, cause)
        scene.doctor_names(scene.gw1, EDGE_AT)
    scene.works(10)
    scene.forgets(scene.gw1, cause)
    scene.forgets(scene.edge, ("tunnel-path-narrow", "gw1/gw1"))


@pytest.mark.parametrize("percent", [1, 5, 20])
def test_loss(scene: Scene, percent: int) -> None:
    """Each end sees it on its own way."""
    seen = {scene.gw1: ("tunnel-path-lossy", EDGE_AT), scene.edge: ("tunnel-path-lossy", "gw1/gw1")}
    with harm.dropped("gw1", f"numgen random mod 100 < {percent}"):
        scene.carries(MEBIBYTE // percent)

        def look() -> bool:
            scene.worker.run(["ping", "-nqfc500", "-W1", flow.SERVICE[0]], check=False)
            return all(cause in scene.causes(end) for end, cause in seen.items())

        poll_until(look, SHOW_S, "both ends see it")
        for end, cause in seen.items():
            scene.shows(end, cause)
        scene.doctor_names(scene.gw1, EDGE_AT)
    scene.works()


# Others.


def test_strangers(scene: Scene) -> None:
    """Ten thousand a second that begin no connection; who has a key gets in."""
    cause = ("tunnel-flooded", "mesh0")
    with harm.bad_initials(INITIALS):
        scene.works()
        scene.gw1.systemctl("restart", "meshgw-tunnel")
        scene.works(10)
        scene.shows(scene.edge, cause)
        scene.doctor_names(scene.edge, "mesh0")
    scene.works()


NODES = {
    "flooder": ("tunnel-peer-breach", "100.96.0.91"),
    "announcer": ("tunnel-peer-excess", "100.96.0.92"),
    "liar": ("tunnel-peer-spoofed", "100.96.0.93"),
    "deaf": ("tunnel-peer-deaf", "100.96.0.94"),
}


def lie(peer: harm.Rude, own: str, to: str, *sources: str) -> None:
    """A packet of its own behind hundreds from others' addresses."""
    for source in sources:
        peer.packets(*[rude.inner(source, to, b"lies")] * 100)
    peer.packets(rude.inner(own, to, b"truth"))


def test_rude_nodes(scene: Scene) -> None:
    """Four at once, each with a key that the edge knows."""
    lab, own = scene.lab, {name: address for name, (_, address) in NODES.items()}
    for name, address in own.items():
        lab.identities[name] = Identity.make(name)
        lab.plan.addresses[name], lab.plan.routes[name] = (address,), ()
    lab.tell_edge()
    with harm.Crowd() as crowd, flow.Capture(scene.device, "udp port 9") as capture:
        crowd.node("flooder").send(CAPSULES)
        announcer = crowd.node("announcer")
        announcer.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, ROUTES))
        lies = (network.MESH["gw1"][0], flow.WORKER[0], flow.SERVICE[0])
        lie(crowd.node("liar"), own["liar"], flow.DEVICE[0], *lies)
        crowd.node("deaf", acknowledges=False, talks=True)
        with running(scene.device, ["python3", "-c", SHOWER, own["deaf"]]):
            scene.works()
            scene.carries()
            poll_until(lambda: announcer.waiting() == 0, 20, "all routes are told")
            poll_until(lambda: capture.lines(having=own["liar"]), 5, "the truth")
            assert not any(capture.lines(having=f"{source}.9 ") for source in lies)
            causes = [(code, f"{name}/{name}") for name, (code, _) in NODES.items()]
            scene.shows(scene.edge, *causes)
            scene.doctor_names(scene.edge, "flooder/flooder")
    lab.activate("gw1")
    scene.forgets(scene.edge, *causes)
    scene.works()


def test_rude_edges(scene: Scene) -> None:
    """Each is left for the next one; the last is ours. Who is not asked any more is forgotten."""
    address, welcome = network.MESH["gw1"][0], rude.route(0x64400000, 0x644FFFFF)
    with harm.Crowd() as crowd:
        breach, excess, spoofed, deaf = (crowd.edge(port) for port in (444, 445, 446, 447))
        deaf.manners = {"acknowledges": False, "talks": True}

        def greet(peer: harm.Rude) -> None:
            mine = rude.address(4, socket.inet_aton(address), 32)
            peer.send(rude.capsule(rude.ADDRESS_ASSIGN, mine))
            peer.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, welcome))

        breach.on_open = lambda: breach.send(CAPSULES)
        excess.on_open = lambda: excess.send(rude.capsule(rude.ROUTE_ADVERTISEMENT, ROUTES))
        spoofed.on_open = lambda: greet(spoofed)
        deaf.on_open = lambda: greet(deaf)
        causes = {
            f"{EDGE}:444": (breach, "tunnel-peer-breach"),
            f"{EDGE}:445": (excess, "tunnel-peer-excess"),
            f"{EDGE}:446": (spoofed, "tunnel-peer-spoofed"),
            f"{EDGE}:447": (deaf, "tunnel-peer-deaf"),
        }
        for peer, _ in causes.values():
            peer.serve()
        pings = running(scene.gw1, ["ping", "-nqi0.2", flow.WORKER[0]])
        with pings, scene.dialling(*causes, EDGE_AT):
            excess.opened()
            poll_until(lambda: excess.waiting() == 0, 20, "all routes are told")
            excess.leave()
            spoofed.opened()
            lie(spoofed, flow.WORKER[0], flow.SERVICE[0], address, "10.0.1.1", "203.0.113.9")
            lies = ("tunnel-peer-spoofed", f"{EDGE}:446")
            poll_until(lambda: lies in scene.causes(scene.gw1), SHOW_S, "lies", interval=LOOK_S)
            spoofed.leave()
            scene.works(20)
            scene.shows(scene.gw1, *((code, who) for who, (_, code) in causes.items()))
    scene.forgets(scene.gw1, *((code, who) for who, (_, code) in causes.items()))
    scene.works()


# Afterwards.


def test_released(scene: Scene) -> None:
    """gw2 is back as soon as its UDP is, however long it was away."""
    scene.release_gw2()
    poll_until(
        lambda: flow.ping(scene.device, network.MESH["gw2"][0]), RECOVERY_S, "an echo of gw2"
    )
    poll_until(lambda: not scene.causes(scene.gw2), SHOW_S, "gw2 is content", interval=LOOK_S)


def test_forgotten(scene: Scene) -> None:
    """Of all that happened nothing is left."""
    for end in scene.ends:
        poll_until(
            lambda e=end: not scene.causes(e), FADE_S, f"{end.name} is content", interval=LOOK_S
        )
    scene.works()
