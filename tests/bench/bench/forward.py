# SPDX-License-Identifier: Apache-2.0
"""What does the gateway's table cost? Every mode beside a kernel that only forwards.

Each lane is three namespaces of its own, source - gateway - sink, that stand through the whole
run; a round measures them one after the other. "plain" comes twice: what differs between the two
is what this machine cannot tell apart.

Small packets: one core sends, forwards and receives, so its time is the limit, and packets count
per second of that core's time (other work on the machine does not). Sender and wire are in it;
a lane without a gateway shows how much that is, and "gateway alone" is what is left without it.
Each packet belongs to one of many UDP flows. Conntrack is told that they have been answered, as all
but the first packets of real flows have; the allow lists are measured again with flows that nobody
has answered, where they judge every packet.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.daemons import Meshgwd
from bench.report import Report, judge, median
from bench.space import URGENT, BenchError, Netns, Space, note, poll_until

MESH, LAN = "CloudflareWARP", "eth0"
SOURCE, SINK = "100.64.12.189", "10.0.1.50"
GATEWAY_MESH, GATEWAY_LAN = "100.96.0.18", "10.0.1.11"
MTU = 1280
DISCARD, IPERF = 9, 5201
FLOWS = 256
ENTRIES_FEW, ENTRIES_MANY = 10, 10_000

CONFIG = f"""\
lan:
  - interface: {LAN}
    networks: [10.0.1.0/24]
return_path: """

# Base chains without a word in them, and one that asks conntrack for something.
HOOKS = """\
table inet bare {
	chain forward { type filter hook forward priority filter; ct state invalid; }
	chain srcnat { type nat hook postrouting priority srcnat; }
}
"""


# The least that masquerades: what of its price is the kernel's own.
MASQUERADE = """\
table inet bare {
	chain srcnat { type nat hook postrouting priority srcnat; oifname eth0 masquerade; }
}
"""


@dataclass(frozen=True)
class Mode:
    """A lane: who sets the gateway up, and what it is compared with."""

    name: str
    config: str = ""
    ruleset: str = ""
    gateway: bool = True
    baseline: str = ""
    aim: float = 0.0


def _allow(entries: int) -> str:
    """All from workers; the last one is the sink's, and no lookup may depend on that."""
    rows = [
        f"  - {{from: workers, to: 10.0.1.{1 + i % 40}, udp: [{10000 + i // 40}]}}"
        for i in range(entries - 1)
    ]
    rows.append(f"  - {{from: workers, to: {SINK}, udp: [{DISCARD}], tcp: [{IPERF}]}}")
    return "route\nallow:\n" + "\n".join(rows) + "\n"


MODES = [
    Mode("plain", baseline="plain", aim=1.0),
    Mode("plain (again)", baseline="plain"),
    Mode("conntrack + NAT hooks", ruleset=HOOKS),
    Mode("masquerade by hand", ruleset=MASQUERADE, baseline="conntrack + NAT hooks"),
    Mode("route", config="route\n", baseline="plain", aim=0.90),
    Mode(f"route + allow {ENTRIES_FEW}", config=_allow(ENTRIES_FEW),
         baseline="conntrack + NAT hooks", aim=0.90),
    Mode(f"route + allow {ENTRIES_MANY}", config=_allow(ENTRIES_MANY),
         baseline="conntrack + NAT hooks", aim=0.90),
    Mode("masquerade", config="masquerade\n", baseline="conntrack + NAT hooks", aim=0.90),
    Mode("auto", config="auto\n", baseline="conntrack + NAT hooks", aim=0.90),
]  # fmt: skip
WIRE = Mode("wire", gateway=False)
TCP_AIM, ALLOW_AIM = 0.97, 0.97


def options(parser: argparse.ArgumentParser) -> None:
    """Of this bench."""
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")


class Lane:
    """Source, gateway and sink of one mode."""

    def __init__(self, space: Space, number: int, mode: Mode) -> None:
        self.space = space
        self.mode = mode
        self.source, self.sink = space.netns(f"src{number}"), space.netns(f"snk{number}")
        self.to: Netns = self.sink
        self.daemon: Meshgwd | None = None
        if mode.gateway:
            self._gateway(space.netns(f"gw{number}"))
        else:
            self.source.ip(f"link add mesh0 type veth peer name lan0 netns {self.sink.name}")
            self._ends()
        # The sink's own work is not what is measured.
        self.sink.nft(
            "table netdev sink { chain in { type filter hook ingress device lan0 priority 0; "
            f"udp dport {DISCARD} drop; }}; }}"
        )

    def _ends(self) -> None:
        self.source.ip(
            "link set mesh0 up",
            f"link set mesh0 mtu {MTU}",
            f"address add {SOURCE}/32 dev mesh0",
            f"route add {GATEWAY_MESH} dev mesh0",
            f"route add default via {GATEWAY_MESH}",
        )
        self.sink.ip(
            "link set lan0 up",
            f"address add {SINK}/24 dev lan0",
            f"route add default via {GATEWAY_LAN}",
        )

    def _gateway(self, gateway: Netns) -> None:
        self.to = gateway
        gateway.ip(
            f"link add {MESH} type veth peer name mesh0 netns {self.source.name}",
            f"link add {LAN} type veth peer name lan0 netns {self.sink.name}",
            f"link set {MESH} mtu {MTU}",
            f"address add {GATEWAY_MESH}/32 dev {MESH}",
            f"address add {GATEWAY_LAN}/24 dev {LAN}",
            f"link set {MESH} up",
            f"link set {LAN} up",
        )
        self._ends()
        if self.mode.config:
            self.daemon = Meshgwd(self.space, gateway, CONFIG + self.mode.config)
        else:
            gateway.sysctl(ipv4__conf__all__forwarding=1)
            gateway.ip(f"route add 100.64.0.0/12 dev {MESH}")
        if self.mode.ruleset:
            gateway.nft(self.mode.ruleset)
        self.source.run(["ping", "-c1", "-W5", SINK] if not self.mode.config else ["true"])

    def answered(self) -> None:
        """Makes the gateway's conntrack, where it looks at all, believe that flows go both ways."""
        self.flood_with(0.02)
        self.to.run(["conntrack", "-U", "-p", "udp", "--dport", str(DISCARD), "-u", "SEEN_REPLY"],
                    check=False)  # fmt: skip

    def _unanswered(self) -> None:
        self.to.run(["conntrack", "-F"], check=False)

    def small(self, seconds: float) -> dict[str, float]:
        """Packets a second of wall clock and of the core's time."""
        if self.mode.gateway:
            self.answered()
        found = self._flood(seconds)
        if "allow" in self.mode.name:
            self._unanswered()
            found["judged_cpu"] = self._flood(seconds)["pps_cpu"]
        return found

    def flood_with(self, seconds: float, *options: str) -> dict[str, float]:
        """What flood(1) of this folder says."""
        answer = self.source.run(
            ["chrt", "--rr", "1", "taskset", "-c", "0", self.space.tool("flood"), "--dev", "mesh0",
             "--mac", self.to.mac(MESH if self.mode.gateway else "lan0"), "--src", SOURCE,
             "--dst", SINK, "--count-netns", self.sink.path, "--count-dev", "lan0",
             "--flows", str(FLOWS), "--seconds", str(seconds), *options],
        )  # fmt: skip
        found: dict[str, float] = json.loads(answer)
        if found["received"] < 0.98 * found["sent"]:
            raise BenchError(f"{self.mode.name}: only {found['received']} of {found['sent']} came")
        return found

    def _flood(self, seconds: float) -> dict[str, float]:
        found = self.flood_with(seconds)
        return {
            "pps": found["received"] / found["seconds"],
            "pps_cpu": found["received"] / found["cpu"],
            "core": found["cpu"] / found["seconds"],
        }

    @contextlib.contextmanager
    def _server(self) -> Iterator[None]:
        server = self.sink.popen([*URGENT, "iperf3", "-s", "-1", "-A", "1"])
        poll_until(
            lambda: server.alive() and str(IPERF) in self.sink.run(["ss", "-Hltn"]),
            10, "iperf3 listens",
        )  # fmt: skip
        try:
            yield
        finally:
            server.stop()
            self.space.processes.remove(server)

    def tcp(self, seconds: float) -> dict[str, float]:
        """Bits a second, both ends on a core of their own; and for a second of core time."""
        with self._server():
            answer = self.source.run(
                [*URGENT, "iperf3", "-c", SINK, "-J", "-A", "0",
                 "-t", str(math.ceil(seconds))],
            )  # fmt: skip
        end = json.loads(answer)["end"]
        cpu = end["cpu_utilization_percent"]
        bits = end["sum_received"]["bits_per_second"]
        return {
            "gbit": bits / 1e9,
            "gbit_cpu": bits / 1e9 / (cpu["host_total"] + cpu["remote_total"]) * 100,
        }


Figures = dict[str, dict[str, list[float]]]


def _measure(lanes: list[Lane], args: argparse.Namespace) -> Figures:
    figures: Figures = {lane.mode.name: {} for lane in lanes}

    def keep(lane: Lane, found: dict[str, float]) -> None:
        for key, value in found.items():
            figures[lane.mode.name].setdefault(key, []).append(value)

    for number in range(args.rounds):
        note(f"forward: round {number + 1} of {args.rounds}")
        # Not always in the same order: whoever follows the same neighbour would share its luck.
        for lane in lanes[number % len(lanes) :] + lanes[: number % len(lanes)]:
            keep(lane, lane.small(args.seconds))
            if lane.mode.gateway:
                keep(lane, lane.tcp(args.seconds))
    return figures


def _ratio(figures: Figures, key: str, mode: str, baseline: str) -> float:
    """The median of the rounds' own ratios."""
    pairs = zip(figures[mode][key], figures[baseline][key], strict=True)
    return median([ours / theirs for ours, theirs in pairs])


def _ratio_alone(figures: Figures, mode: str, baseline: str) -> float:
    """The same for the time that is left of a packet's without sender and wire."""
    ratios = []
    for ours, theirs, wire in zip(
        *(figures[name]["pps_cpu"] for name in (mode, baseline, WIRE.name)), strict=True
    ):
        ratios.append((1 / theirs - 1 / wire) / (1 / ours - 1 / wire))
    return median(ratios)


def _row(figures: Figures, mode: Mode) -> dict[str, Any]:
    row: dict[str, Any] = {"mode": mode.name, "figures": figures[mode.name]}
    row |= {key: median(values) for key, values in figures[mode.name].items()}
    if mode.baseline:
        row["baseline"] = mode.baseline
        row["small_ratio"] = _ratio(figures, "pps_cpu", mode.name, mode.baseline)
        row["small_ratio_alone"] = _ratio_alone(figures, mode.name, mode.baseline)
    row["tcp_ratio"] = _ratio(figures, "gbit", mode.name, "plain")
    row["tcp_cpu_ratio"] = _ratio(figures, "gbit_cpu", mode.name, "plain")
    if mode.config:
        row["small_aim"], row["tcp_aim"] = mode.aim, TCP_AIM
        row["small_verdict"] = judge(row["small_ratio"], mode.aim)
        row["tcp_verdict"] = judge(row["tcp_ratio"], TCP_AIM)
    return row


def _small_cells(row: dict[str, Any]) -> list[str]:
    baseline = row.get("baseline", "")
    return [
        row["mode"], f"{row['pps'] / 1e3:.0f}", f"{row['pps_cpu'] / 1e3:.0f}",
        baseline or "-",
        f"{row['small_ratio']:.3f}" if baseline else "-",
        f"{row['small_ratio_alone']:.3f}" if baseline else "-",
        f"{row['small_aim']:.2f} {row['small_verdict']}" if "small_aim" in row else "-",
    ]  # fmt: skip


def _tcp_cells(row: dict[str, Any]) -> list[str]:
    return [
        row["mode"], f"{row['gbit']:.2f}", f"{row['gbit_cpu']:.2f}", f"{row['tcp_ratio']:.3f}",
        f"{row['tcp_cpu_ratio']:.3f}",
        f"{row['tcp_aim']:.2f} {row['tcp_verdict']}" if "tcp_aim" in row else "-",
    ]  # fmt: skip


def run(space: Space, args: argparse.Namespace) -> Report:
    """All lanes, in turns."""
    note("forward: setting up")
    lanes = [Lane(space, i, mode) for i, mode in enumerate([*MODES, WIRE])]
    figures = _measure(lanes, args)
    rows = [_row(figures, mode) for mode in MODES]
    few, many = f"route + allow {ENTRIES_FEW}", f"route + allow {ENTRIES_MANY}"
    allow = _ratio(figures, "pps_cpu", many, few)
    judged = _ratio(figures, "judged_cpu", many, few)
    core = median(figures["plain"]["core"])
    data = {"bench": "forward", "rounds": args.rounds, "rows": rows, "wire": figures[WIRE.name],
            "allow_ratio": allow, "judged_ratio": judged}  # fmt: skip
    report = Report(data)
    report.say(
        f"forward: medians of {args.rounds} interleaved rounds; ratios are medians of each "
        "round's own.",
        "64-byte packets, thousands a second: by the clock, and for a second of the core's time "
        f"(the sender got {core:.0%} of its core).",
        "The limit is that core: it sends, forwards and receives. Without a gateway it does "
        f"{median(figures[WIRE.name]['pps_cpu']) / 1e3:.0f};",
        '"gateway alone" is the ratio without that part.',
    )
    report.table(
        ["mode", "clock", "core", "compared with", "ratio", "gateway alone", "aim"],
        [_small_cells(row) for row in rows],
    )
    report.say(
        f"{ENTRIES_MANY} allow entries against {ENTRIES_FEW}: {allow:.3f}, "
        f"aim {ALLOW_AIM:.2f} {judge(allow, ALLOW_AIM)}; where every packet is judged: "
        f"{judged:.3f} {judge(judged, ALLOW_AIM)}"
    )
    report.say("One TCP flow, Gbit/s, source to sink; compared with plain:")
    report.table(
        ["mode", "Gbit/s", "per core", "ratio", "ratio per core", "aim"],
        [_tcp_cells(row) for row in rows],
    )
    return report
