# SPDX-License-Identifier: Apache-2.0
"""What does watching cost? Forwarding while ten thousand connections a second are refused.

Three gateways that masquerade: one that does not watch, the same again (what differs between the
two is what this machine cannot tell apart), and one that does. A core sends small packets and, evenly
beside them, connections to a port that nobody listens on: each is a flow that begins, is refused
and is to be explained. Packets count per second of that core's time, which includes what the kernel
does to tell of the flows; meshgwd runs on another core, and its share of that one is shown.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from bench.forward import SINK, Lane, Mode
from bench.report import Report, judge, median
from bench.space import BenchError, Space, note

PEER, WATCHING = "not watching", "watching"
MODES = [
    Mode(PEER, config="masquerade\nwatch: false\n"),
    Mode(f"{PEER} (again)", config="masquerade\nwatch: false\n"),
    Mode(WATCHING, config="masquerade\nwatch: true\n"),
]
AIM = 0.98
CLOSED = f"tcp {SINK}:1"


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rate", type=float, default=10_000, help="connections begun a second")


def _explained(lane: Lane) -> int:
    """Failures that the daemon has found a cause for."""
    assert lane.daemon
    rows = lane.daemon.status().get("flows", [])
    return sum(row["count"] for row in rows if row["target"] == CLOSED)


def _round(lane: Lane, args: argparse.Namespace) -> dict[str, float]:
    assert lane.daemon
    lane.answered()
    cpu = lane.daemon.cpu_s()
    found = lane.flood_with(args.seconds, "--begin", str(args.rate))
    return {
        "pps_cpu": (found["received"] - found["begun"]) / found["cpu"],
        "begun_rate": found["begun"] / found["seconds"],
        "begun": found["begun_all"],
        "daemon_core": (lane.daemon.cpu_s() - cpu) / found["seconds"],
    }


def _ratio(figures: dict[str, list[dict[str, float]]], name: str) -> float:
    pairs = zip(figures[name], figures[PEER], strict=True)
    return median([ours["pps_cpu"] / theirs["pps_cpu"] for ours, theirs in pairs])


def run(space: Space, args: argparse.Namespace) -> Report:
    """All lanes, in turns."""
    note("watch: setting up")
    lanes = [Lane(space, i, mode) for i, mode in enumerate(MODES)]
    figures: dict[str, list[dict[str, float]]] = {mode.name: [] for mode in MODES}
    for number in range(args.rounds):
        note(f"watch: round {number + 1} of {args.rounds}")
        for lane in lanes[number % len(lanes) :] + lanes[: number % len(lanes)]:
            figures[lane.mode.name].append(_round(lane, args))
    explained = _explained(lanes[-1])
    begun = sum(found["begun"] for found in figures[WATCHING])
    if begun == 0:
        raise BenchError("no connection was begun")
    return _report(figures, explained / begun, args)


def _report(
    figures: dict[str, list[dict[str, float]]], explained: float, args: argparse.Namespace
) -> Report:
    rows: list[dict[str, Any]] = [
        {"mode": name, "ratio": _ratio(figures, name)}
        | {key: median([found[key] for found in rounds]) for key in rounds[0]}
        for name, rounds in figures.items()
    ]
    verdict = judge(rows[-1]["ratio"], AIM)
    report = Report({"bench": "watch", "rounds": args.rounds, "rows": rows, "figures": figures,
                     "explained": explained, "verdict": verdict})  # fmt: skip
    report.say(
        f"watch: medians of {args.rounds} interleaved rounds; ratios are medians of each round's "
        "own.",
        "64-byte packets, thousands for a second of the core's time that sends, forwards and "
        "receives them.",
    )
    report.table(
        ["gateway", "packets", "ratio", "connections/s", "meshgwd's share of a core"],
        [
            [row["mode"], f"{row['pps_cpu'] / 1e3:.0f}", f"{row['ratio']:.3f}",
             f"{row['begun_rate']:,.0f}", f"{row['daemon_core']:.1%}"]
            for row in rows
        ],
    )  # fmt: skip
    report.say(
        f"Aim {AIM:.2f} {verdict}; {explained:.1%} of the refused connections are in a row with "
        "their cause."
    )
    return report
