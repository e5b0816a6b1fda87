# SPDX-License-Identifier: Apache-2.0
"""meshgw-tunnel beside wireguard-go, openvpn, and a plain copy with and without AES-GCM.

Two hosts on a wire (and for a flood a third one: shares.py). Each has one core, for its end of the tunnel and for whoever uses it. In each
round every tunnel carries every case, in turns; one at a time runs. Ratios are medians of each round's
own. CPU is that of both ends of the tunnel, without what the kernel does for the senders' sockets.
"""

from __future__ import annotations

import argparse
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import shares
from bench.report import Report, judge, median, percentile
from bench.space import BenchError, Space, note, poll_until
from bench.tunnels import MESH, TUNNELS, Meshgw, Place, Tunnel, check_programs, on_core, running

Found = dict[str, float]
Figures = dict[str, dict[str, list[Found]]]
OURS = Meshgw.name
Recoveries = dict[str, list[float]]
Kept = dict[str, shares.Rates]
IPERF_PORT = 5201
HTTP_PORT = 8080
# Of datagrams, for the highest rate at which fewer than one in a thousand is lost.
STEPS = 7
LOSS = 0.001
# A reset of who was connected for less than a second is not followed at once (redial.c).
QUIET_S = 1.5
# What is to be left of the rate, at least.
KEPT = {"1/1000 lost": 0.35, "another floods": 0.40}


@dataclass(frozen=True)
class Case:
    """What iperf3 is asked for."""

    name: str
    options: tuple[str, ...]


CASES = [
    Case("1 flow", ()),
    Case("8 flows", ("-P", "8")),
    Case("1 flow back", ("-R",)),
    Case("8 flows back", ("-P", "8", "-R")),
    Case("both ways", ("--bidir",)),
    Case("8 both ways", ("-P", "8", "--bidir")),
]
SIZES = [64, 1200]


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--only", default="", help="names of tunnels, with commas")
    parser.add_argument("--no-datagrams", action="store_true", help="without the rates of UDP")
    parser.add_argument("--no-shares", action="store_true", help="without a flood and a bad wire")


def _iperf(place: Place, seconds: float, *more: str) -> dict[str, Any]:
    """What it found, and perhaps an error. The server has one test at a time, and notices late that
    the last one is over if its client has gone without a word."""
    command = [*on_core(0), "iperf3", "-J", "-c", MESH[1], "-t", f"{max(seconds, 1):.0f}", *more]
    found: dict[str, Any] = {}

    def asked() -> bool:
        nonlocal found
        found = json.loads(place.ends[0].run(command, check=False) or "{}")
        return "busy" not in found.get("error", "")

    poll_until(asked, 30, "the server of iperf3 has time")
    return {"error": found.get("error"), **found.get("end", {})}


def _carry(place: Place, tunnel: Tunnel, case: Case, seconds: float) -> Found:
    for _ in range(2):
        cpu, begin = tunnel.cpu_s(), time.monotonic()
        end = _iperf(place, seconds, *case.options)
        if "sum_received" in end:
            break
        what = f"{tunnel.name}, {case.name}: iperf3: {end['error'] or 'no answer'}"
        note(f"tunnel: once more: {what}")
    else:
        raise BenchError(what)
    bits = end["sum_received"]["bits_per_second"]
    if "--bidir" in case.options:
        bits += end["sum_received_bidir_reverse"]["bits_per_second"]
    cpu = tunnel.cpu_s() - cpu
    gigabits = bits * end["sum_received"]["seconds"] / 1e9
    return {"gbit": bits / 1e9, "cpu": cpu / max(gigabits, 1e-9),
            "busy": cpu / (time.monotonic() - begin) / 2}  # fmt: skip


def _is_lossless(place: Place, size: int, rate: float, seconds: float) -> bool:
    """At so many datagrams a second."""
    bits = rate * size * 8
    end = _iperf(place, seconds, "-u", "-l", str(size), "-b", f"{bits:.0f}")
    received = end.get("sum_received")
    if not received:
        return False  # not even its own words got through
    asked_for = end["sum_sent"]["packets"] / max(end["sum_sent"]["seconds"], 0.1) >= rate * 0.95
    return asked_for and received["lost_percent"] <= LOSS * 100


def _datagrams(place: Place, size: int) -> Found:
    """The highest rate without loss, by halving."""
    low, high = 0.0, 240_000.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _is_lossless(place, size, middle, 1):
            low = middle
        else:
            high = middle
    return {"rate": low}


def _ask(place: Place, seconds: float) -> Found:
    """One connection, one small question after the other."""
    answer = place.ends[0].run(
        [*on_core(0), place.space.tool("load"), "--to", MESH[1], "--port", HTTP_PORT, "--path",
         "/64", "--connections", 1, "--seconds", seconds],
    )  # fmt: skip
    found = json.loads(answer.strip().splitlines()[-1])
    return {"rate": found["requests"] / found["us"] * 1e6, "p99_us": found["p99"]}


def _servers(space: Space, place: Place) -> None:
    """They listen on every address: tunnels come and go."""
    right = place.ends[1]
    right.popen([*on_core(1), "iperf3", "-s", "-p", str(IPERF_PORT)])
    right.popen([*on_core(1), str(space.tool("origin")), "0.0.0.0", str(HTTP_PORT)])
    poll_until(lambda: right.run(["ss", "-Hltn"]).count("LISTEN") == 2, 20, "servers listen")


def _round(place: Place, kinds: list[type[Tunnel]], args: argparse.Namespace, out: Figures) -> None:
    for kind in kinds:
        with running(kind, place) as tunnel:
            found = out[kind.name]
            for case in CASES:
                found[case.name].append(_carry(place, tunnel, case, args.seconds))
            found["ask"].append(_ask(place, args.seconds))
            for size in [] if args.no_datagrams else SIZES:
                found[f"{size} bytes"].append(_datagrams(place, size))


# From SIGKILL of the edge to the first answer.


def _echo(sock: socket.socket) -> None:
    try:
        while True:
            data, sender = sock.recvfrom(64)
            sock.sendto(data, sender)
    except OSError:
        pass


def _wait_quiet(place: Place) -> None:
    """Nothing is under way: no answer that is missing tells the gateway that its edge is gone."""
    seen, since = "", time.monotonic()

    def quiet() -> bool:
        nonlocal seen, since
        now = place.ends[0].run(["grep", "wire0", "/proc/net/dev"])
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > QUIET_S

    poll_until(quiet, 20, "silence")


def _recover(place: Place, tunnel: Meshgw, end: int) -> float:
    """Seconds, by a datagram every 2 ms from one end."""
    _wait_quiet(place)
    with place.ends[end].entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(0.002)
    begin = time.monotonic()
    tunnel.kill_edge()
    killed = time.monotonic()
    while time.monotonic() < begin + 20:
        client.sendto(b"%f" % time.monotonic(), (MESH[1 - end], 7))
        try:
            if float(client.recv(64)) > killed:
                return time.monotonic() - begin
        except TimeoutError:
            pass
    raise BenchError("the tunnel does not come back")


@contextmanager
def _echoing(place: Place, end: int) -> Iterator[None]:
    with place.ends[end].entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 7))
    threading.Thread(target=_echo, args=(server,), daemon=True).start()
    yield
    server.close()


def _recoveries(place: Place, rounds: int) -> Recoveries:
    """By who begins: the gateway, or somebody behind the edge while the gateway is silent."""
    found: Recoveries = {"gateway": [], "edge": []}
    with running(Meshgw, place) as tunnel, _echoing(place, 0), _echoing(place, 1):
        assert isinstance(tunnel, Meshgw)
        for _ in range(rounds):
            for end, who in enumerate(found):
                poll_until(tunnel.is_up, 20, "up again")
                found[who].append(_recover(place, tunnel, end))
    return found


# The report.


def _middle(found: list[Found], key: str) -> float:
    return median([f[key] for f in found])


def _ratio(figures: Figures, peer: str, case: str, key: str) -> float:
    pairs = zip(figures[OURS][case], figures[peer][case], strict=True)
    return median([a[key] / max(b[key], 1e-9) for a, b in pairs])


def _tables(report: Report, figures: Figures, datagrams: bool) -> None:
    head = ["tunnel", *(f"{c.name} Gbit/s" for c in CASES), "CPU s/Gbit", "busy %", "ask /s", "p99 µs"]
    rows = []
    for name, cases in figures.items():
        row = [name, *(f"{_middle(cases[c.name], 'gbit'):.2f}" for c in CASES)]
        row += [f"{_middle(cases['1 flow'], 'cpu'):.2f}",
                f"{_middle(cases['1 flow'], 'busy') * 100:.0f}",
                f"{_middle(cases['ask'], 'rate'):,.0f}", f"{_middle(cases['ask'], 'p99_us'):,.0f}"]  # fmt: skip
        if datagrams:
            row += [f"{_middle(cases[f'{size} bytes'], 'rate') / 1000:.0f}" for size in SIZES]
        rows.append(row)
    more = [f"{size} bytes kpkt/s" for size in SIZES] if datagrams else []
    report.table([*head, *more], rows)


def _kept(place: Place, args: argparse.Namespace) -> Kept:
    """What our rate comes down to, by what; the flood last, as it needs another host."""
    kept: Kept = {"1/1000 lost": shares.loss(place, args.rounds, args.seconds)}
    shares.second_host(place)
    kept["another floods"] = shares.fairness(place, args.rounds, args.seconds)
    return kept


def _aims(
    figures: Figures, datagrams: bool, back: Recoveries, kept: Kept
) -> list[dict[str, Any]]:
    wanted = [
        ("1 flow, Gbit/s", "wireguard-go", "1 flow", "gbit", 1.1),
        ("1 flow, Gbit/s", "copy + AES-GCM", "1 flow", "gbit", 0.75),
        ("1 flow, CPU", "wireguard-go", "1 flow", "cpu", 0.9),
        ("questions", "copy + AES-GCM", "ask", "rate", 0.9),
    ]
    if datagrams:
        wanted += [(f"{s} bytes without loss", "openvpn", f"{s} bytes", "rate", 1.0) for s in SIZES]
    aims = []
    for what, peer, case, key, aim in wanted:
        if peer not in figures or OURS not in figures:
            continue
        ratio = _ratio(figures, peer, case, key)
        verdict = judge(1 / ratio, 1 / aim) if key == "cpu" else judge(ratio, aim)
        aims.append({"what": what, "beside": peer, "ratio": ratio, "aim": aim, "verdict": verdict})
    for who, seconds in back.items():
        aims.append({"what": f"edge killed, {who} begins, seconds", "beside": "",
                     "ratio": median(seconds), "aim": 1.0,
                     "verdict": judge(1 / median(seconds), 1.0)})  # fmt: skip
    for what, ways in kept.items():
        for way, found in ways.items():
            aims.append({"what": f"{what}, 1 flow {way}", "beside": "itself", "ratio": median(found),
                         "aim": KEPT[what], "verdict": judge(median(found), KEPT[what])})  # fmt: skip
    return aims


def run(space: Space, args: argparse.Namespace) -> Report:
    """All tunnels, in turns."""
    check_programs()
    Meshgw.program = space.meshgwd.parents[2] / "gateway/tunnel/meshgw-tunnel"
    place = Place(space)
    _servers(space, place)
    chosen = [k for k in TUNNELS if not args.only or k.name in args.only.split(",")]
    cases = [*(c.name for c in CASES), "ask", *(f"{size} bytes" for size in SIZES)]
    figures: Figures = {kind.name: {case: [] for case in cases} for kind in chosen}
    for number in range(args.rounds):
        note(f"tunnel: round {number + 1} of {args.rounds}")
        turn = number % len(chosen)
        _round(place, chosen[turn:] + chosen[:turn], args, figures)
    back = _recoveries(place, args.rounds) if OURS in figures else {}
    kept = _kept(place, args) if OURS in figures and not args.no_shares else {}
    report = Report({"bench": "tunnel", "rounds": args.rounds, "figures": figures, "back_s": back,
                     "kept": kept})  # fmt: skip
    report.say(f"tunnel: medians of {args.rounds} rounds of {args.seconds:g} s; a core for each end.")
    _tables(report, figures, not args.no_datagrams)
    for who, seconds in back.items():
        report.say(f"From SIGKILL of the edge to the first answer, the {who} begins: "
                   f"{median(seconds):.2f} s, the longest {percentile(seconds, 100):.2f} s.")  # fmt: skip
    report.data["aims"] = aims = _aims(figures, not args.no_datagrams, back, kept)
    report.table(
        ["what", "beside", "ratio", "aim", "verdict"],
        [[a["what"], a["beside"], f"{a['ratio']:.2f}", f"{a['aim']:.2f}", a["verdict"]]
         for a in aims],
    )  # fmt: skip
    return report
