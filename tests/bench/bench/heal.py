# SPDX-License-Identifier: Apache-2.0
"""How fast is a fault repaired? meshgwd beside zebra, then again with a full routing table.

A round makes every fault once in each place (routes take turns), first zebra's, then meshgwd's. It
takes at least ROUND_S, so that no object is undone so often that meshgwd takes it for a fight.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

from bench.daemons import Meshgwd, Zebra
from bench.place import CONFIG, FOUR, LAN, MESH, SIX, Place, Repair
from bench.report import Report, median, percentile
from bench.space import Space, note, poll_until

ROUND_S = 1.0
PAUSE_S = 0.03
MEDIAN_US, P99_US, TIMES = 1000.0, 5000.0, 10.0


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument(
        "--foreign", type=int, default=200_000, help="routes of others, in each family"
    )


@dataclass
class Fault:
    """A row of the table."""

    name: str
    commands: list[str]
    at: str
    peer: bool


FAULTS = [
    Fault("IPv4 route deleted", [f"route {p}" for p in FOUR], "meshgwd", True),
    Fault("IPv6 route deleted", [f"route {p}" for p in SIX], "meshgwd", True),
    Fault("TUN deleted and re-created", ["tun"], "meshgwd", True),
    Fault("the same, forwarding off by default", ["tun"], "unowned", False),
    Fault(f"forwarding of {LAN} off", [f"forwarding 4 {LAN}"], "meshgwd", False),
    Fault("IPv6 forwarding off", ["forwarding 6 all"], "meshgwd", False),
    Fault("nft flushed, table without owner", ["flush"], "unowned", False),
]

Samples = dict[tuple[str, str], list[Repair | None]]


def _round(places: dict[str, Place], number: int, samples: Samples) -> None:
    begin = time.monotonic()
    for fault in FAULTS:
        for at in ("zebra",) * fault.peer + (fault.at,):
            who = "zebra" if at == "zebra" else "meshgwd"
            command = fault.commands[number % len(fault.commands)]
            samples.setdefault((fault.name, who), []).append(places[at].ask(command))
            time.sleep(PAUSE_S)
    places["meshgwd"].ask("flush-owned")
    time.sleep(max(0.0, ROUND_S - (time.monotonic() - begin)))


def _measure(places: dict[str, Place], rounds: int) -> Samples:
    samples: Samples = {}
    for place in places.values():
        poll_until(place.is_whole, 60, f"{place.ns.name} has its routes")
    for number in range(rounds):
        if number % 10 == 0:
            note(f"heal: round {number + 1} of {rounds}")
        _round(places, number, samples)
    return samples


def _figures(repairs: list[Repair | None]) -> dict[str, Any]:
    mended = [r.us for r in repairs if r]
    found: dict[str, Any] = {"n": len(repairs), "not_mended": len(repairs) - len(mended)}
    if mended:
        found |= {"median_us": median(mended), "p99_us": percentile(mended, 99)}
        found["max_us"] = max(mended)
        found["fault_us"] = median([r.fault_us for r in repairs if r])
    return found


def _verdict(ours: dict[str, Any], ratio: float | None) -> str:
    missed = []
    if ours["not_mended"]:
        missed.append("not mended")
    elif ours["median_us"] > MEDIAN_US:
        missed.append("median")
    elif ours["p99_us"] > P99_US:
        missed.append("p99")
    if ratio is not None and ratio < TIMES:
        missed.append("ratio")
    return f"MISSED ({', '.join(missed)})" if missed else "met"


def _rows(samples: Samples, foreign: int) -> list[dict[str, Any]]:
    rows = []
    for fault in FAULTS:
        ours = _figures(samples[fault.name, "meshgwd"])
        row: dict[str, Any] = {"fault": fault.name, "foreign_routes": foreign, "meshgwd": ours}
        ratio = None
        if fault.peer:
            row["zebra"] = _figures(samples[fault.name, "zebra"])
            if "median_us" in ours and "median_us" in row["zebra"]:
                ratio = row["ratio"] = row["zebra"]["median_us"] / ours["median_us"]
        row["verdict"] = _verdict(ours, ratio)
        rows.append(row)
    return rows


def _cells(row: dict[str, Any]) -> list[str]:
    def us(who: str, key: str) -> str:
        return f"{row[who][key]:,.0f}" if who in row and key in row[who] else "-"

    return [
        row["fault"], f"{row['foreign_routes']:,}", str(row["meshgwd"]["n"]),
        us("meshgwd", "fault_us"), us("meshgwd", "median_us"), us("meshgwd", "p99_us"),
        us("zebra", "median_us"), us("zebra", "p99_us"),
        f"{row['ratio']:.1f}" if "ratio" in row else "-", row["verdict"],
    ]  # fmt: skip


def make_places(space: Space, foreign: int) -> dict[str, Place]:
    """The tables are full before the daemons start: zebra would lose notifications of so many."""
    places = {name: Place(space, name) for name in ("meshgwd", "unowned", "zebra")}
    for name, place in places.items():
        if foreign:
            place.fill(foreign)
        if name != "unowned":
            # As Cloudflare's guide wants it; without, meshgwd has to switch on a new device.
            place.ns.sysctl(ipv4__ip_forward=1)
    ours, unowned, zebra = places.values()
    ours.daemon = Meshgwd(space, ours.ns, CONFIG)
    unowned.daemon = Meshgwd(space, unowned.ns, CONFIG, preload=space.tool("oldkernel.so"))
    zebra.daemon = Zebra(zebra.ns, MESH, FOUR + SIX)
    for place in places.values():
        place.daemon.settle(quiet_s=1.5 if foreign else 0.3)
    return places


def run(space: Space, args: argparse.Namespace) -> Report:
    """Twice: with an empty table and with a full one."""
    rows = []
    for foreign in sorted({0, args.foreign}):
        note(f"heal: {args.rounds} rounds with {foreign:,} routes of others in each family")
        rows += _rows(_measure(make_places(space, foreign), args.rounds), foreign)
        space.clear()
    report = Report({"bench": "heal", "rounds": args.rounds, "rows": rows})
    report.say(
        "heal: microseconds from before the fault's system call to the repaired state, as an",
        'independent listener sees it announced; "fault" is the part until that call was done.',
        f"TUN: from setting the new device up to the last of {len(FOUR + SIX)} routes.",
        f"aims: median <= {MEDIAN_US:,.0f}, p99 <= {P99_US:,.0f}, "
        f">= {TIMES:g} x faster than zebra on the same event",
    )
    report.table(
        ["fault", "foreign routes", "n", "fault", "median", "p99", "zebra median", "zebra p99", "ratio",
         "aim"],
        [_cells(row) for row in rows],
    )  # fmt: skip
    report.say(
        f"nft flush ruleset against the table that meshgwd owns: {args.rounds} times in each part, "
        "the table was never touched.",
        "An owned table cannot be flushed, so that row runs a meshgwd whose kernel refuses owner "
        "flags (oldkernel.c).",
    )
    return report
