# SPDX-License-Identifier: Apache-2.0
"""What is left of our tunnel's rate by others: by a second peer that floods, and by a wire that loses.

The second gateway shares the first one's core, and its flood is UDP as fast as its sender can. Where a
gateway is flooded the sender is on the edge's core; what it costs by itself is shown by the same
sender sending past the tunnel. A wire loses single datagrams: the kernel cuts runs before them, in
the rounds without loss, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.space import BenchError
from bench.tunnels import MESH, WIRE, Identity, Meshgw, Place, on_core, running

FLOODER, LEFT, EDGE = 2, 0, 1
SECOND_WIRE = ["192.0.3.1", "192.0.3.2"]
SECOND = "100.96.0.3"
FLOOD_PORT = 5202
FLOOD_BYTES = 1200
LOSE = """
table netdev bench {
	chain lose {
		type filter hook ingress device "wire0" priority 0
		meta l4proto udp numgen random mod 1000 < 1 drop
	}
}
"""
Rates = dict[str, list[float]]


class Both(Meshgw):
    """One edge, two gateways."""

    name = "meshgw-tunnel, two gateways"

    def start(self, end: int) -> None:
        super().start(end)
        if end == EDGE:
            super().start(FLOODER)

    def is_up(self) -> bool:
        """Both of them."""
        ping = ["ping", "-n", "-c1", "-W1", MESH[EDGE]]
        other = self.place.ends[FLOODER].run(ping, check=False)
        return super().is_up() and " 0% packet loss" in other


def second_host(place: Place) -> None:
    """Another gateway's, on a wire of its own to the edge."""
    edge = place.ends[EDGE]
    host = place.space.netns("second")
    host.ip(f"link add wire0 type veth peer name wire1 netns {edge.name}")
    for ns, device, address in zip((host, edge), ("wire0", "wire1"), SECOND_WIRE, strict=True):
        ns.ip(f"link set {device} up", f"address add {address}/24 dev {device}")
    host.ip(f"route add {WIRE[EDGE]} via {SECOND_WIRE[1]}")
    place.add(host, SECOND_WIRE[0], SECOND, Identity(place.space.folder, "second.mesh"))


def _tcp(place: Place, back: bool, seconds: float) -> float:
    """Bits a second of one flow between the first gateway and the edge."""
    command = [*on_core(LEFT), "iperf3", "-J", "-c", MESH[EDGE], "-t", f"{max(seconds, 1):.0f}"]
    found: dict[str, Any] = json.loads(
        place.ends[LEFT].run([*command, *(["-R"] if back else [])], check=False) or "{}"
    )
    if "end" not in found:
        raise BenchError(f"iperf3: {found.get('error', 'no answer')}")
    return float(found["end"]["sum_received"]["bits_per_second"])


@contextmanager
def _flood(place: Place, back: bool, edge: str = MESH[EDGE]) -> Iterator[None]:
    """Of the second gateway, or for it."""
    flood = place.ends[FLOODER].popen(
        [*on_core(LEFT), "iperf3", "-c", edge, "-p", str(FLOOD_PORT), "-t", "60", "-u", "-b", "0",
         "-l", str(FLOOD_BYTES), *(["-R"] if back else [])],
    )  # fmt: skip
    try:
        yield
        flood.alive()
    finally:
        flood.stop()


def fairness(place: Place, rounds: int, seconds: float) -> Rates:
    """What one flow keeps of its rate while the other gateway floods."""
    server = [*on_core(EDGE), "iperf3", "-s", "-p", str(FLOOD_PORT)]
    place.ends[EDGE].popen(server)
    kept: Rates = {"up": [], "down": [], "down, sender past the tunnel": []}
    for _ in range(rounds):
        with running(Both, place):
            alone = _tcp(place, False, seconds)
            with _flood(place, False):
                kept["up"].append(_tcp(place, False, seconds) / alone)
            alone = _tcp(place, True, seconds)
            with _flood(place, True, WIRE[EDGE]):
                beside = _tcp(place, True, seconds)
            with _flood(place, True):
                flooded = _tcp(place, True, seconds)
            kept["down"].append(flooded / alone)
            kept["down, sender past the tunnel"].append(flooded / beside)
    return kept


@contextmanager
def _losing(place: Place) -> Iterator[None]:
    for ns in (place.ends[LEFT], place.ends[EDGE]):
        ns.nft(LOSE)
    try:
        yield
    finally:
        for ns in (place.ends[LEFT], place.ends[EDGE]):
            ns.run(["nft", "delete", "table", "netdev", "bench"])


def loss(place: Place, rounds: int, seconds: float) -> Rates:
    """What one flow keeps when the wire loses one datagram in a thousand, each way."""
    kept: Rates = {"up": [], "down": []}
    for end in (LEFT, EDGE):
        place.ends[end].run(["ethtool", "-K", "wire0", "tx-udp-segmentation", "off"])
    for _ in range(rounds):
        with running(Meshgw, place):
            for way, found in kept.items():
                alone = _tcp(place, way == "down", seconds)
                with _losing(place):
                    found.append(_tcp(place, way == "down", seconds) / alone)
    for end in (LEFT, EDGE):
        place.ends[end].run(["ethtool", "-K", "wire0", "tx-udp-segmentation", "on"])
    return kept
