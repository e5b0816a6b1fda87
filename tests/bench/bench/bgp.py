# SPDX-License-Identifier: Apache-2.0
"""How soon does the site router know the ranges, and how soon is the site whole without it?

In the lab's machines: gw1 runs meshgw, gw2 has FRR written by hand (two static routes a family,
redistribute static through a prefix-list); the router is FRR. One gateway at a time has a tunnel.

announce    from the TUN's appearing to the last of the ranges in the router's kernel
close       the router ends the session; from its route's end to the answer of a flow begun after it
silence     BFD, 3 packets of 100 ms, hears nothing more; from the cut to such an answer

Flows to the service begin every FLOW_MS and ask for an echo.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.report import Report, judge, median, percentile
from bench.space import BenchError, Space, note
from lab import flow, network
from lab.lab import CONFIG_BGP, Options
from lab.node import Node
from lab.relay import RelayLab
from lab.router import BY_HAND, with_bfd
from lab.shell import CommandError, poll_until

OURS, HAND = "gw1", "gw2"
TITLES = {OURS: "meshgw", HAND: "by hand"}
FLOW_MS = 20
FLOWS = Path(__file__).with_name("flows.py")
WHOLE_S = {"close": 3.0, "silence": 1.0}
# How long the hand-written one is watched, how often: it does not recover.
WATCH_S, WATCHES = 5.0, 3
# Only what leads back to routes is made shorter than the defaults.
PROBE = {
    "close": "probe: {interval: 2s, proven_hold: 1s}\n",
    "silence": "probe: {interval: 2s, proven_hold: 1s, timeout: 200ms, after_event: 50ms}\n",
}
BFD = "      bfd: {multiplier: 3, receive: 100ms, transmit: 100ms}\n"
CUT = "table inet cut {\n" + "".join(
    f"chain {hook} {{ type filter hook {hook} priority -300;\n"
    "udp dport { 3784, 3785 } drop; tcp dport 179 drop; tcp sport 179 drop;\n}\n"
    for hook in ("input", "output")
) + "}\n"


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--preset", default="release", help="which build runs in the gateway")


class Lines:
    """What a command prints, line by line, while it runs."""

    def __init__(self, node: Node, command: list[str]) -> None:
        self.lines: list[str] = []
        self.process = node.popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self.process.stdout:
                self.lines.append(line.rstrip())
        except ValueError:
            pass  # closed by stop()

    def stop(self) -> None:
        """Its lines stay."""
        self.process.stop()


class Events(Lines):
    """What a node's kernel tells of links or routes, and when."""

    def __init__(self, node: Node, what: str) -> None:
        super().__init__(node, ["ip", "-ts", "-o", "monitor", what])

    def first(self, pattern: str, after: float, seconds: float) -> float:
        """The time of the first line that matches."""

        def look() -> float:
            for line in list(self.lines):
                found = re.match(r"\[([^]]+)\]\s*(.*)", line)
                if not found or not re.search(pattern, found[2]):
                    continue
                stamp = datetime.datetime.fromisoformat(found[1]).timestamp()
                if stamp >= after:
                    return stamp
            return 0.0

        return poll_until(look, seconds, pattern)


class Bench:
    """The lab and what is done with it."""

    def __init__(self, preset: str) -> None:
        self.lab = RelayLab(Options(router="bgp", frr=True, preset=preset))
        self.lab.start()
        self.samples: dict[tuple[str, str], list[float]] = {}

    def add(self, what: str, who: str, seconds: float) -> None:
        """One measurement."""
        self.samples.setdefault((what, who), []).append(seconds)

    def begin(self, probe: str = "", bfd: bool = False) -> None:
        """Both gateways anew, and the router."""
        lab = self.lab
        lab.reset(router="bgp")
        hand = BY_HAND
        if bfd:
            lab.routing.become("bgp", with_bfd(100))
            remote = " neighbor 10.0.1.1 remote-as 65001\n"
            profile = "bfd\n profile lab\n  receive-interval 100\n  transmit-interval 100\n exit\nexit\n"
            hand = profile + hand.replace(
                remote, f"{remote} neighbor 10.0.1.1 bfd\n neighbor 10.0.1.1 bfd profile lab\n"
            )
        lab.frr[HAND].start(hand)
        lab.frr[OURS].start()
        config = CONFIG_BGP + BFD * bfd + probe
        lab.gw1.run("meshgw check -", stdin=config)
        lab.deploy(lab.gw1, config=config)

    # Announcing.

    def announce(self, rounds: int) -> None:
        """The gateways take turns."""
        self.begin()
        for name in (OURS, HAND):
            self.lab.warp[name].disconnect()
        self.lab.routing.learns("")
        for number in range(rounds):
            note(f"bgp: announce, round {number + 1} of {rounds}")
            for name in (OURS, HAND) if number % 2 else (HAND, OURS):
                self.add("announce", name, self._announce_one(name))

    def _announce_one(self, name: str) -> float:
        warp, router = self.lab.warp[name], self.lab.router.outside
        links, routes = Events(self.lab.nodes[name], "link"), Events(router, "route")
        begin = time.time()
        warp.connect()
        appeared = links.first(f"^\\d+: {warp.ifname}:", begin, 10)
        known = max(routes.first(f"^{re.escape(p)} ", begin, 30) for p in network.RANGES)
        for lines in (links, routes):
            lines.stop()
        warp.disconnect()
        self.lab.routing.learns("")
        return known - appeared

    # Losing the session.

    def lose(self, what: str, name: str) -> None:
        """Once, and back."""
        self._whole(name)
        routes = Events(self.lab.router.outside, "route")
        flows = Lines(
            self.lab.worker,
            [sys.executable, str(FLOWS), flow.SERVICE[0], str(flow.TCP), str(FLOW_MS)],
        )
        poll_until(lambda: len(flows.lines) > 10, 10, "flows are answered")
        begin = time.time()
        cut, mend = self._breaks(what, name)
        cut()
        lost = routes.first(f"^Deleted {re.escape(network.RANGES[0])} ", begin, 10)
        answered = self._answer(flows, lost, WATCH_S * (1 if name == HAND else 4))
        for lines in (flows, routes):
            lines.stop()
        mend()
        if answered:
            self.add(what, name, answered - (lost if what == "close" else begin))

    def _breaks(self, what: str, name: str) -> tuple[Callable[[], object], Callable[[], object]]:
        router = self.lab.routing.frr
        neighbor = network.PLANS[name].ports[0].addresses[0].partition("/")[0]
        if what == "close":
            return (
                lambda: router.configure(f"router bgp 65001\nneighbor {neighbor} shutdown"),
                lambda: router.configure(f"router bgp 65001\nno neighbor {neighbor} shutdown"),
            )
        outside = self.lab.router.outside
        return (
            lambda: outside.run("nft -f -", stdin=CUT),
            lambda: outside.run("nft delete table inet cut"),
        )

    def _answer(self, flows: Lines, after: float, seconds: float) -> float:
        """When the first flow was answered that began then; 0 if none is."""

        def look() -> float:
            for line in list(flows.lines):
                begun, done = map(float, line.split())
                if begun > after:
                    return done
            return 0.0

        try:
            return poll_until(look, seconds, "an answer")
        except AssertionError:
            return 0.0

    def _whole(self, name: str) -> None:
        """Its routes are in use."""
        self.lab.routing.learns(name)
        poll_until(
            lambda: flow.fetch(self.lab.worker, flow.SERVICE[0], timeout=1) == flow.WORKER[0],
            90, f"{name} shows the Worker's source",
        )  # fmt: skip

    def losses(self, what: str, rounds: int) -> None:
        """First the one, then the other: only one has a tunnel, and so the router's route."""
        self.begin(PROBE[what], bfd=what == "silence")
        for name, other, count in ((OURS, HAND, rounds), (HAND, OURS, min(WATCHES, rounds))):
            self.lab.warp[other].disconnect()
            self.lab.connect(name)
            self.lab.activate(name)
            for number in range(count):
                note(f"bgp: {what}, {TITLES[name]}, round {number + 1} of {count}")
                self.lose(what, name)
                self.samples.setdefault((what, name), [])


def _row(bench: Bench, what: str, rounds: int) -> dict[str, Any]:
    ours, hand = bench.samples[what, OURS], bench.samples[what, HAND]
    if len(ours) < rounds:
        raise BenchError(f"{what}: {rounds - len(ours)} of {rounds} rounds were not whole again")
    row: dict[str, Any] = {
        "what": what, "n": len(ours), "median_ms": median(ours) * 1e3,
        "max_ms": max(ours) * 1e3, "p90_ms": percentile(ours, 90) * 1e3,
    }  # fmt: skip
    if hand:
        row["hand_median_ms"] = median(hand) * 1e3
        row["hand_max_ms"] = max(hand) * 1e3
    if what == "announce":
        row["ratio"] = row["hand_median_ms"] / row["median_ms"]
        row["verdict"] = judge(row["ratio"], 1.0)
    else:
        row["verdict"] = "met" if median(ours) <= WHOLE_S[what] else "MISSED"
    return row


def _cells(row: dict[str, Any]) -> list[str]:
    hand = f"{row['hand_median_ms']:,.0f}" if "hand_median_ms" in row else "never"
    aim = "<= by hand" if row["what"] == "announce" else f"<= {WHOLE_S[row['what']] * 1e3:,.0f}"
    return [
        row["what"], str(row["n"]), f"{row['median_ms']:,.0f}", f"{row['p90_ms']:,.0f}",
        f"{row['max_ms']:,.0f}", hand, aim, row["verdict"],
    ]  # fmt: skip


def run(_space: Space, args: argparse.Namespace) -> Report:
    """All three."""
    try:
        bench = Bench(args.preset)
        bench.announce(args.rounds)
        for what in ("close", "silence"):
            bench.losses(what, args.rounds)
    except (AssertionError, CommandError) as error:
        raise BenchError(str(error)) from error
    rows = [_row(bench, what, args.rounds) for what in ("announce", "close", "silence")]
    report = Report({"bench": "bgp", "rows": rows})
    report.say(
        "bgp: milliseconds, meshgw on gw1 beside FRR by hand on gw2 (router: FRR, the lab's machines).",
        f"A hand-written gateway is watched for {WATCH_S:g} s after a loss, {WATCHES} times.",
    )
    report.table(
        ["what", "n", "median", "p90", "max", "by hand", "aim", ""], [_cells(row) for row in rows]
    )
    return report
