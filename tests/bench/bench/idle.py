# SPDX-License-Identifier: Apache-2.0
"""What does it cost when nothing happens to it? A full table in which others change routes.

Three gateways at the same time: meshgwd with an empty and quiet table, meshgwd with a full and busy
one, and zebra with another such. Each window is as long as the aim's. The default windows together
are as long as the time from one of meshgwd's full dumps to the next, so that exactly one is in them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from bench.daemons import Meshgwd, Zebra
from bench.place import CONFIG, FOUR, LAN, MESH, SIX, VIA, Place
from bench.report import Report, median
from bench.space import Process, Space, note

CORE_AIM, MEMORY_AIM_MIB = 0.005, 16.0


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each window")
    parser.add_argument(
        "--foreign", type=int, default=100_000, help="routes of others, in each family"
    )
    parser.add_argument("--rate", type=float, default=100.0, help="changes of them a second")


def _make_places(space: Space, foreign: int) -> dict[str, Place]:
    """The tables are full before the daemons start: zebra would lose notifications of so many."""
    places = {
        "meshgwd, empty table": Place(space, "quiet"),
        "meshgwd": Place(space, "meshgwd"),
        "zebra": Place(space, "zebra"),
    }
    quiet, ours, zebra = places.values()
    ours.fill(foreign)
    zebra.fill(foreign)
    for place in (quiet, ours):
        place.daemon = Meshgwd(space, place.ns, CONFIG)
    zebra.daemon = Zebra(zebra.ns, MESH, FOUR + SIX)
    for place in places.values():
        place.daemon.settle()
    return places


def _churn(places: Sequence[Place], args: argparse.Namespace) -> list[Process]:
    """Both families change, each at half of the rate, until the last window is over."""
    seconds = args.windows * args.seconds + 60
    return [
        place.ns.popen(
            [place.space.tool("routes"), "churn", args.foreign, "--dev", LAN, "--via", via,
             "--rate", args.rate / len(VIA), "--seconds", seconds],
        )
        for place in places
        for via in VIA
    ]  # fmt: skip


def _measure(places: dict[str, Place], args: argparse.Namespace) -> dict[str, list[float]]:
    """The share of a core in each window."""
    shares: dict[str, list[float]] = {who: [] for who in places}
    changes = _churn(list(places.values())[1:], args)
    for number in range(args.windows):
        note(f"idle: window {number + 1} of {args.windows}, {args.seconds:g} s")
        begin = time.monotonic()
        before = {who: place.daemon.cpu_s() for who, place in places.items()}
        time.sleep(args.seconds)
        elapsed = time.monotonic() - begin
        for who, place in places.items():
            place.daemon.process.alive()
            shares[who].append((place.daemon.cpu_s() - before[who]) / elapsed)
        for process in changes:
            process.alive()
    return shares


def _row(who: str, place: Place, shares: list[float], busy: bool) -> dict[str, Any]:
    row = {
        "who": who,
        "busy": busy,
        "core_shares": shares,
        "core": median(shares),
        "core_max": max(shares),
        "rss_mib": place.daemon.memory_mib(),
        "peak_mib": place.daemon.memory_mib("VmHWM"),
    }
    if isinstance(place.daemon, Meshgwd):
        missed = []
        if row["core_max"] > CORE_AIM:
            missed.append("core")
        if row["peak_mib"] > MEMORY_AIM_MIB:
            missed.append("memory")
        row["verdict"] = f"MISSED ({', '.join(missed)})" if missed else "met"
    return row


def _cells(row: dict[str, Any], args: argparse.Namespace) -> list[str]:
    return [
        row["who"], f"{2 * args.foreign:,}" if row["busy"] else "0",
        f"{args.rate:g}" if row["busy"] else "0", f"{row['core']:.2%}", f"{row['core_max']:.2%}",
        f"{row['rss_mib']:.1f}", f"{row['peak_mib']:.1f}", row.get("verdict", "-"),
    ]  # fmt: skip


def run(space: Space, args: argparse.Namespace) -> Report:
    """All three at once: each process's own time counts, not the clock."""
    note(f"idle: setting up, {args.foreign:,} routes of others in each family")
    places = _make_places(space, args.foreign)
    shares = _measure(places, args)
    rows = [
        _row(who, place, shares[who], "empty" not in who) for who, place in places.items()
    ]
    report = Report({"bench": "idle", "windows": args.windows, "seconds": args.seconds,
                     "foreign_routes": 2 * args.foreign, "rate": args.rate, "rows": rows})  # fmt: skip
    report.say(
        f"idle: share of a core in {args.windows} windows of {args.seconds:g} s (median, worst), "
        "and memory in MiB.",
        f"aims: every window <= {CORE_AIM:.1%} of a core, peak <= {MEMORY_AIM_MIB:g} MiB",
    )
    report.table(
        ["daemon", "foreign routes", "changes/s", "core", "worst", "RSS", "peak", "aim"],
        [_cells(row, args) for row in rows],
    )
    return report
