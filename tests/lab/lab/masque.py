# SPDX-License-Identifier: Apache-2.0
"""The lab with the gateway's own tunnel: `edge` is a machine with meshgw in role edge, and the
gateways dial it. Cloudflare's client is not there.

    worker ─┐             ══ CloudflareWARP gw1 ─┐
    device ─┴─ edge mesh0 ══ CloudflareWARP gw2 ─┴─ lan

Addresses, names and services are those of the other lab, so that a test can be run in both. The
edge stands all the time; what makes a gateway's end is the section `tunnel` that each meshgw.yaml
gets which is written to a gateway.
"""

from __future__ import annotations

from pathlib import Path

from lab import build
from lab.connector import Connector
from lab.edge import CONFIG_FILE, EDGE_AT, MTU, Identity, Plan, connector_config, edge_config
from lab.lab import CONFIG, GATEWAYS, SANITIZED, Lab, Options
from lab.machine import Machine
from lab.node import Node
from lab.shell import poll_until
from warp import Traits

CONNECT_S = 10.0
WANTED = "etc/systemd/system/multi-user.target.wants/meshgw-tunnel.service"


def is_connected(gateway: Machine) -> bool:
    """As the gateway's own status says."""
    tunnel = gateway.json("meshgw --json status", check=False).get("tunnel") or {}
    return any(peer["state"] != "connecting" for peer in tunnel.get("peers", []))


class Gateway(Machine):
    """Whose meshgw.yaml has a section `tunnel`, whoever writes it."""

    def __init__(self, name: str, stage: Path, edge: Identity) -> None:
        super().__init__(name, stage)
        self._edge = edge
        self._text = ""
        self.tunnel_mtu = MTU
        self.tunnel_edges: tuple[str, ...] = (EDGE_AT,)

    def write(self, path: str, text: str) -> None:
        if path.lstrip("/") == CONFIG_FILE:
            self._text = text
            text += connector_config(self._edge, self.tunnel_mtu, self.tunnel_edges)
        super().write(path, text)

    def set_mtu(self, mtu: int) -> None:
        """In force at once."""
        self.tunnel_mtu = mtu
        self._apply()

    def set_edges(self, *edges: str) -> None:
        """The same of those that are dialled, one after the other."""
        self.tunnel_edges = edges
        self._apply()

    def _apply(self) -> None:
        self.write(CONFIG_FILE, self._text)
        self.run("meshgw apply")


class EdgeLab(Lab):
    """Whose edge is a machine with meshgw in role edge; it stands all the time."""

    def __init__(self, options: Options) -> None:
        self.identities = {name: Identity.make(name) for name in ("edge", *GATEWAYS)}
        self.plan = Plan()
        self._told = ""
        super().__init__(options)

    def _make_edge(self) -> Node:
        edge = Machine("edge", build.stage(self.options.preset))
        if self.options.preset == "asan":
            edge.files.update(SANITIZED)
        return edge

    def _start_edge(self) -> None:
        assert isinstance(self.edge, Machine)
        self.identities["edge"].install(self.edge)
        self._told = self._edge_text()
        self.edge.write(CONFIG_FILE, self._told)
        self.edge.systemctl("start", "meshgwd", "meshgw-tunnel")

    def _edge_text(self) -> str:
        return edge_config(self.plan, {name: self.identities[name] for name in self.plan.addresses})

    def tell_edge(self) -> None:
        """Another plan, or the same; whose addresses it has is a node with an identity of that name."""
        text = self._edge_text()
        if text == self._told:
            return
        assert isinstance(self.edge, Machine)
        self._told = text
        self.edge.write(CONFIG_FILE, text)
        self.edge.run("meshgw apply")

    def activate(self, name: str) -> None:
        """The edge's first plan, with this gateway's LAN."""
        self.plan.rest(name)
        self.tell_edge()

    def edge_learns(self, node: str, *addresses: str) -> None:
        super().edge_learns(node, *addresses)
        self.plan.behind[node] += addresses
        self.tell_edge()

    def edge_forgets(self, node: str, *addresses: str) -> None:
        self.plan.behind[node] = tuple(a for a in self.plan.behind[node] if a not in addresses)
        self.tell_edge()
        super().edge_forgets(node, *addresses)


class MasqueLab(EdgeLab):
    """start() makes everything but meshgw on the gateways, and so without a tunnel; deploy()
    brings both."""

    tunnel = "masque"

    def _make_gateway(self, name: str) -> Machine:
        return Gateway(name, build.stage(self.options.preset), self.identities["edge"])

    def _client(self, name: str, traits: Traits) -> Connector:
        gateway = self.nodes[name]
        assert isinstance(gateway, Gateway)
        gateway.tunnel_mtu, gateway.tunnel_edges = MTU, (EDGE_AT,)
        return Connector(gateway, traits, self.plan, self.tell_edge, gateway.set_mtu)

    def connect(self, name: str) -> None:
        """Nobody's client is there to be connected."""

    def _begin(self, gateway: Machine, config: str) -> None:
        self.identities[gateway.name].install(gateway)
        super()._begin(gateway, config)
        # After a reboot as well: whether meshgwd is enabled the tests decide.
        if not (gateway.root / WANTED).is_symlink():
            gateway.systemctl("enable", "meshgw-tunnel")
        gateway.systemctl("start", "meshgw-tunnel")

    def deploy(self, *gateways: Machine, config: str = CONFIG) -> None:
        """Returns when the tunnels carry."""
        super().deploy(*gateways, config=config)
        for gateway in gateways or self.gateways:
            poll_until(
                lambda gateway=gateway: is_connected(gateway),
                CONNECT_S, f"{gateway.name} is connected", interval=0.1,
            )  # fmt: skip

