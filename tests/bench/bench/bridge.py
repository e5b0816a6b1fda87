# SPDX-License-Identifier: Apache-2.0
"""meshgw-bridge beside nginx, haproxy (with its own buffers, and large ones) and the stock h2o server.

client - gateway - origin, three namespaces. The proxy has one thread and a core of its own; load and
origin share the other. In each round every proxy serves every case, in turns; all of them listen on
the same port, so one at a time runs. Ratios are medians of each round's own.
"""

from __future__ import annotations

import argparse
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.proxies import (
    DESCRIPTORS, ORIGIN, ORIGIN_PORT, PORT, PROXY, H2o, Haproxy, HaproxyBig, Meshgw, Nginx, Origin, Proxy, on_core, raise_limit,
)  # fmt: skip
from bench.report import Report, judge, median
from bench.space import BenchError, Space, note

OURS = Meshgw.name
# Descriptors that a proxy needs for itself.
RESERVE = 600
WARM_S = 1
PROXIES: list[type[Proxy]] = [Meshgw, Nginx, Haproxy, HaproxyBig, H2o]
Found = dict[str, float]


@dataclass(frozen=True)
class Case:
    """What is asked for, and the aim of the ratio to the peers named."""

    name: str
    path: str
    connections: int
    close: bool = False


CASES = [
    Case("1 KiB", "/1024", 64),
    Case("64 KiB", "/65536", 64),
    Case("1 MiB", "/1048576", 16),
    Case("new connections", "/1024", 64, close=True),
]


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--idle", type=int, default=0, help="idle connections that are held; 0 = as many as the limits allow")


class Place:
    """The three namespaces and the origin."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.client, self.gateway, self.service = map(space.netns, ("client", "gateway", "service"))
        self.client.ip(f"link add mesh0 type veth peer name mesh0 netns {self.gateway.name}")
        self.gateway.ip(f"link add lan0 type veth peer name lan0 netns {self.service.name}")
        self.client.ip("link set mesh0 up", "address add 100.64.12.189/12 dev mesh0",
                       f"route add {PROXY} dev mesh0", f"route add default via {PROXY}")  # fmt: skip
        self.gateway.ip("link set mesh0 up", "link set lan0 up", f"address add {PROXY}/32 dev mesh0",
                        "route add 100.64.0.0/12 dev mesh0", "address add 10.0.1.11/24 dev lan0")  # fmt: skip
        self.service.ip("link set lan0 up", f"address add {ORIGIN}/24 dev lan0",
                        "route add default via 10.0.1.11")  # fmt: skip
        for ns in (self.client, self.gateway, self.service):
            ns.sysctl(core__somaxconn=4096, ipv4__ip_local_port_range="1024 65000",
                      ipv4__tcp_tw_reuse=1)  # fmt: skip
        self.gateway.sysctl(ipv4__conf__all__forwarding=1)
        self._set_congestion_control()
        self.origin = Origin(space, self.service)

    def _set_congestion_control(self) -> None:
        """Debian's own, by route: a host may have made BBR the default, whose pacing timers would be
        measured, too, and a namespace may not choose what its host does not allow everybody."""
        known = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
        if "cubic" not in known:
            return
        with_cubic = "congctl cubic"
        self.client.ip(f"route replace {PROXY} dev mesh0 {with_cubic}")
        self.gateway.ip(f"route replace 100.64.0.0/12 dev mesh0 {with_cubic}",
                        f"route replace 10.0.1.0/24 dev lan0 src 10.0.1.11 {with_cubic}")  # fmt: skip
        self.service.ip(f"route replace 10.0.1.0/24 dev lan0 src {ORIGIN} {with_cubic}")

    def load(self, address: str, port: int, case: Case, seconds: float) -> Found:
        """From the client, on core 0."""
        answer = self.client.run(
            [*on_core(0), self.space.tool("load"), "--to", address, "--port", port,
             "--path", case.path, "--connections", case.connections, "--seconds", seconds,
             *(["--close"] if case.close else [])],
        )  # fmt: skip
        found: Found = json.loads(answer.strip().splitlines()[-1])
        if not found["requests"] or found["errors"] > found["requests"] / 1000:
            raise BenchError(f"{address}:{port}{case.path}: {found}")
        return found


def _serve(place: Place, proxy: Proxy, case: Case, seconds: float) -> Found:
    place.load(PROXY, PORT, case, WARM_S)
    cpu = proxy.cpu_s()
    found = place.load(PROXY, PORT, case, seconds)
    return {
        "rate": found["requests"] / found["us"] * 1e6,
        "p99_us": found["p99"],
        "cpu_us": (proxy.cpu_s() - cpu) * 1e6 / found["requests"],
    }


def _ask_and_wait(place: Place, proxy: Proxy, count: int) -> list[socket.socket]:
    """Connections that have asked once."""
    with place.client.entered():
        held = [socket.create_connection((PROXY, PORT), timeout=10) for _ in range(count)]
    for sock in held:
        sock.sendall(f"GET /1024 HTTP/1.1\r\nHost: {PROXY}\r\n\r\n".encode())
        need = 1024
        while need > 0:
            got = sock.recv(65536)
            if not got:
                raise BenchError(f"{proxy.name}: an idle connection was closed")
            need -= len(got)
    return held


def _idle(place: Place, proxy: Proxy, count: int) -> float:
    """Bytes for each connection of the second half: the first ones find room that was free in the
    heap, as much as the proxy happened to have left."""
    raise_limit()
    half = count // 2
    held = _ask_and_wait(place, proxy, half)
    try:
        before = proxy.memory_bytes()
        held += _ask_and_wait(place, proxy, half)
        return (proxy.memory_bytes() - before) / half
    finally:
        for sock in held:
            sock.close()


Figures = dict[str, dict[str, list[Found]]]


def _round(place: Place, peers: list[type[Proxy]], args: argparse.Namespace, out: Figures) -> None:
    for kind in peers:
        proxy = kind(place.space, place.gateway)
        try:
            for case in CASES:
                out[kind.name][case.name].append(_serve(place, proxy, case, args.seconds))
        finally:
            proxy.stop()


def _held(place: Place, peers: list[type[Proxy]], count: int) -> dict[str, float]:
    """By a process of its own each, which has served nothing else."""
    found = {}
    for kind in peers:
        note(f"bridge: {count} idle connections, {kind.name}")
        proxy = kind(place.space, place.gateway)
        try:
            place.load(PROXY, PORT, CASES[0], WARM_S)
            found[kind.name] = _idle(place, proxy, count)
        finally:
            proxy.stop()
    return found


def _direct(place: Place, seconds: float) -> dict[str, Found]:
    out = {}
    for case in CASES:
        found = place.load(ORIGIN, ORIGIN_PORT, case, seconds)
        out[case.name] = {"rate": found["requests"] / found["us"] * 1e6, "p99_us": found["p99"]}
    return out


def _ratios(figures: Figures, ours: str, peer: str, case: str, key: str) -> float:
    pairs = zip(figures[ours][case], figures[peer][case], strict=True)
    return median([a[key] / b[key] for a, b in pairs])


def _table(report: Report, figures: Figures, direct: dict[str, Found]) -> None:
    head = ["proxy"] + [f"{case.name} {what}" for case in CASES for what in ("req/s", "p99 µs")]
    rows = [["direct"] + [f"{direct[c.name][k]:,.0f}" for c in CASES for k in ("rate", "p99_us")]]
    for name, cases in figures.items():
        rows.append([name] + [
            f"{median([found[key] for found in cases[case.name]]):,.0f}"
            for case in CASES for key in ("rate", "p99_us")
        ])  # fmt: skip
    report.table(head, rows)
    report.table(
        ["proxy"] + [f"{case.name} {what}" for case in CASES for what in ("CPU µs", "busy %")],
        [
            [name] + [
                cell for c in CASES for cell in (
                    f"{median([f['cpu_us'] for f in cases[c.name]]):.1f}",
                    f"{median([f['cpu_us'] * f['rate'] / 1e4 for f in cases[c.name]]):.0f}",
                )
            ]
            for name, cases in figures.items()
        ],
    )  # fmt: skip
    report.say("A core that is not busy waits for the load, for the origin, or for other work on the "
               "machine: its rate says less than the proxy can do.")  # fmt: skip


def _aims(figures: Figures, held: dict[str, float], ours: str) -> list[dict[str, Any]]:
    """As ratios of which more is better, against whoever is best."""
    peers = [name for name in figures if name != ours]

    def against(who: list[str], case: str, key: str, aim: float, what: str) -> dict[str, Any]:
        less = key != "rate"
        ratios = {name: _ratios(figures, ours, name, case, key) for name in who}
        worst = max(ratios, key=lambda n: ratios[n]) if less else min(ratios, key=lambda n: ratios[n])
        ratio = ratios[worst]
        verdict = judge(1 / ratio, 1 / aim) if less else judge(ratio, aim)
        return {"what": what, "beside": worst, "ratio": ratio, "aim": aim, "verdict": verdict}

    found = [
        against(peers, "1 KiB", "rate", 1.2, "1 KiB, requests"),
        against(peers, "64 KiB", "rate", 1.2, "64 KiB, requests"),
        against(["nginx"], "1 MiB", "rate", 1.0, "1 MiB, requests"),
        against(peers, "new connections", "cpu_us", 0.9, "new connections, CPU"),
    ]
    found += [
        against(["nginx"], case.name, "p99_us", 1.0, f"{case.name}, p99") for case in CASES
    ]
    memory = held[ours] / held["nginx"]
    found.append({"what": "memory of an idle connection", "beside": "nginx", "ratio": memory,
                  "aim": 1.0, "verdict": judge(1 / memory, 1.0)})  # fmt: skip
    return found


def run(space: Space, args: argparse.Namespace) -> Report:
    """All proxies, in turns."""
    note("bridge: setting up")
    Meshgw.program = space.meshgwd.parents[2] / "httpbridge/meshgw-bridge"
    place = Place(space)
    direct = _direct(place, args.seconds)
    args.idle = args.idle or DESCRIPTORS // 2 - RESERVE
    held = _held(place, PROXIES, args.idle)
    figures: Figures = {kind.name: {case.name: [] for case in CASES} for kind in PROXIES}
    for number in range(args.rounds):
        note(f"bridge: round {number + 1} of {args.rounds}")
        turn = number % len(PROXIES)
        _round(place, PROXIES[turn:] + PROXIES[:turn], args, figures)
    report = Report({"bench": "bridge", "rounds": args.rounds, "figures": figures,
                     "direct": direct, "idle_bytes": held})  # fmt: skip
    report.say(f"bridge: medians of {args.rounds} rounds of {args.seconds:g} s; one core for the "
               "proxy, another for load and origin.")  # fmt: skip
    _table(report, figures, direct)
    report.say(f"Bytes of memory for each of {args.idle} idle connections:")
    report.table(["proxy", "bytes"], [[name, f"{value:,.0f}"] for name, value in held.items()])
    report.data["aims"] = aims = _aims(figures, held, OURS)
    report.table(
        ["what", "beside", "ratio", "aim", "verdict"],
        [[a["what"], a["beside"], f"{a['ratio']:.2f}", f"{a['aim']:.2f}", a["verdict"]]
         for a in aims],
    )  # fmt: skip
    return report
