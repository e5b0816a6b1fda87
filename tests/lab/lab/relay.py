# SPDX-License-Identifier: Apache-2.0
"""The lab with Cloudflare's client on the gateways, emulated: warp.Warp makes what it makes, and a
relay carries the packets between its TUN and one at the edge. Nothing is encrypted, so it is fast.
"""

from __future__ import annotations

from lab import build, network
from lab.lab import Lab
from lab.machine import Machine
from lab.node import Node
from lab.shell import LOG
from warp import Traits, Warp


class RelayLab(Lab):
    """See the module."""

    tunnel = "relay"

    def _make_gateway(self, name: str) -> Machine:
        return Machine(name, build.stage(self.options.preset))

    def _make_edge(self) -> Node:
        return Node("edge")

    def _client(self, name: str, traits: Traits) -> Warp:
        address4, address6 = network.MESH[name]
        return Warp(
            name=name,
            netns=name,
            edge_netns="edge",
            address4=address4,
            address6=address6,
            relay=build.relay(),
            traits=traits,
            control_dir="/run/lab",
            log=lambda line: LOG.info("client of %s: %s", name, line),
        )

    def connect(self, name: str) -> None:
        """A gateway's client, up; the edge knows its Mesh address."""
        warp = self.warp[name]
        warp.connect()
        warp.attract((f"{warp.address4}/32", f"{warp.address6}/128"))

    def activate(self, name: str) -> None:
        """Cloudflare's choice among the replicas: the LAN's prefixes go to this one."""
        self.warp[name].attract(network.LAN_PREFIXES)

    def stop(self) -> None:
        for warp in self.warp.values():
            warp.relay.stop()
        super().stop()
