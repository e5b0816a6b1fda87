# SPDX-License-Identifier: Apache-2.0
"""The lab as a whole: all nodes, what runs in them, from nothing to there and back."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import network
from lab.frr import Frr
from lab.machine import Machine
from lab.node import Node
from lab.restore import restore
from lab.router import Router
from lab.shell import Process, poll_until
from lab.state import State
from warp import SYSCTLS, Traits

HERE = Path("/src/tests/lab")
GATEWAYS = ("gw1", "gw2")
SERVICES = ("service", "remote", "device")
PORTS = {"http": 3000, "tcp": 3001, "udp": 3002}
CONFIG = (HERE / "meshgw.yaml").read_text(encoding="utf-8")
# The HTTP bridge, for any of them: most tests are about packets and do without.
BRIDGE = (HERE / "meshgw-bridge.yaml").read_text(encoding="utf-8")
# With the site router as BGP neighbour.
CONFIG_BGP = (HERE / "meshgw-bgp.yaml").read_text(encoding="utf-8")
CLIENT_SYSCTLS = "etc/sysctl.d/99-zzz-cloudflare-warp-connector.conf"
# Processes, and what is configured or remembered.
TRACES = (
    "pgrep -l '^(meshgw|watchfrr)';"
    " ls -A /etc/meshgw /var/lib/meshgw 2>/dev/null | grep -v ':$'; true"
)
# In this order: what is killed comes back by itself, and starts again what it needs.
REMOVE_MESHGW = (
    "systemctl kill -s KILL 'meshgw*' 2>/dev/null;"
    " systemctl stop meshgw-tunnel meshgw-bridge meshgwd && systemctl stop 'meshgw*' &&"
    " systemctl reset-failed && rm -rf /etc/meshgw/* /var/lib/meshgw/*"
)
# At its end a program with LeakSanitizer traces itself, which the units' filters forbid.
SANITIZED = {
    f"etc/systemd/system/{unit}.service.d/lab.conf": "[Service]\nSystemCallFilter=ptrace\n"
    for unit in ("meshgwd", "meshgw-bridge", "meshgw-tunnel", "meshgw-probe@", "meshgw-trace@")
}
ROUTER_SYSCTLS = "etc/sysctl.d/router.conf"


@dataclass
class Options:
    """What ./lab up takes; the tests begin with the least."""

    router: str = "static"
    # FRR on the gateways from the beginning, as on a node that was made for BGP.
    frr: bool = False
    traits: Traits = field(default_factory=Traits)
    preset: str = os.environ.get("MESHGW_LAB_PRESET") or "dev"


class Lab:
    """start() makes everything but meshgw on the gateways.

    gw1 is the active replica. The nodes are attributes: lab.gw1, lab.router, lab.service, …;
    lab.warp["gw1"] is what carries that gateway's packets, lab.frr["gw1"] its FRR, lab.routing what
    the router knows of the mesh. There are two: lab.relay.RelayLab and lab.masque.MasqueLab.
    """

    # What carries the packets.
    tunnel: str

    def __init__(self, options: Options) -> None:
        self.options = options
        self.edge, self.worker, self.device = self._make_edge(), Node("worker"), Node("device")
        self.service, self.remote = Node("service"), Node("remote")
        self.gw1, self.gw2 = (self._make_gateway(name) for name in GATEWAYS)
        self.router = Machine("router", None)
        for gateway in (self.gw1, self.gw2):
            gateway.files[CLIENT_SYSCTLS] = _lines(SYSCTLS)
            if options.preset == "asan":
                gateway.files.update(SANITIZED)
        self.router.files[ROUTER_SYSCTLS] = _lines(network.FORWARDS)
        self.gateways = (self.gw1, self.gw2)
        ours = (self.gw1, self.gw2, *([self.edge] if isinstance(self.edge, Machine) else ()))
        # Where meshgw runs, and all that boot.
        self.with_meshgw, self.machines = ours, (*ours, self.router)
        self.nodes: dict[str, Node] = {
            node.name: node
            for node in (
                self.edge, self.worker, self.device, *self.gateways, self.router, self.service,
                self.remote,
            )
        }  # fmt: skip
        self.warp = {name: self._client(name, options.traits) for name in GATEWAYS}
        self.frr = {machine.name: Frr(machine) for machine in self.machines}
        self.routing = Router(self.router)
        self._pristine: dict[str, State] = {}

    # What the two differ in.

    def _make_gateway(self, name: str) -> Machine:
        raise NotImplementedError

    def _make_edge(self) -> Node:
        raise NotImplementedError

    def _client(self, name: str, traits: Traits) -> Any:
        """What becomes warp[name], with the interface of warp.Warp: in part, if it is no client."""
        raise NotImplementedError

    def _start_edge(self) -> None:
        """Before the gateways."""

    def connect(self, name: str) -> None:
        """A gateway's client, if it has one, up."""
        raise NotImplementedError

    def activate(self, name: str) -> None:
        """The edge's choice among the replicas: the LAN's prefixes go to this one."""
        raise NotImplementedError

    def edge_learns(self, node: str, *addresses: str) -> None:
        """These addresses are behind the edge, at that node."""
        for address in addresses:
            self.edge.run(["ip", "route", "replace", address, "dev", node])

    def edge_forgets(self, node: str, *addresses: str) -> None:
        """The reverse."""
        for address in addresses:
            self.edge.run(["ip", "route", "del", address, "dev", node])

    # From nothing to there.

    def start(self) -> None:
        """Returns when every node does what it is there for."""
        Path("/etc/hosts").write_text(network.hosts(), encoding="utf-8")
        network.add_switch()
        for name in network.PLANS:
            network.add_node(name)
        self.boot(*self.machines)
        for name in SERVICES:
            self.serve(self.nodes[name])
        self.routing.become(self.options.router)
        self._start_edge()
        for name in GATEWAYS:
            self.connect(name)
        self.activate("gw1")
        for machine in self.gateways:
            self._pristine[machine.name] = State(machine.outside)
        if self.options.frr:
            for machine in self.gateways:
                self.frr[machine.name].start()

    def boot(self, *machines: Machine) -> None:
        """From empty disks, side by side."""
        for machine in machines:
            machine.mount()
        for machine in machines:
            machine.boot()
        for machine in machines:
            machine.wait()

    def serve(self, node: Node) -> Process:
        """The service that answers with the address it sees."""
        log = f"/src/build/lab/log/{node.name}.log"
        ports = [word for name, port in PORTS.items() for word in (f"--{name}", str(port))]
        process = node.popen(["python3", HERE / "echo.py", *ports, "--bind", "::"], output=log)
        poll_until(lambda: "ready" in process.text(), 10, f"{node.name} serves ({log})")
        return process

    def stop(self) -> None:
        """Back to nothing: another lab may follow."""
        for node in self.nodes.values():
            if isinstance(node, Machine):
                node.off()
            node.stop_all()
        for machine in self.machines:
            machine.unmount()
        for name in (*network.PLANS, network.SWITCH):
            network.remove_node(name)

    # meshgw in it.

    def deploy(self, *gateways: Machine, config: str = CONFIG) -> None:
        """The configuration in place and the daemon started, as a package and Ansible would."""
        for gateway in gateways or self.gateways:
            self._begin(gateway, config)
            if BRIDGE in config:
                gateway.systemctl("start", "meshgw-bridge")

    def _begin(self, gateway: Machine, config: str) -> None:
        gateway.write("etc/meshgw/meshgw.yaml", config)
        gateway.systemctl("start", "meshgwd")

    # Between tests.

    def reset(
        self, *gateways: Machine, traits: Traits | None = None, router: str | None = None
    ) -> None:
        """A gateway in place, back to how start() left it; `traits` for another client.

        What a test may have done: started and configured meshgw and FRR, killed them, changed
        links, addresses, routes, rules, nftables, sysctls, the client. Not: broken the system
        itself; reboot(wipe=True) is for that. Raises if the result differs from the first state.
        The site router knows again what it did, or what `router` says; "" leaves it alone.
        """
        if router != "":
            self.routing.rest(router or self.options.router)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in pool.map(lambda g: self._reset(g, traits), gateways or self.gateways):
                assert not done, "\n".join(done)
        self.activate("gw1")

    def _reset(self, gateway: Machine, traits: Traits | None) -> list[str]:
        """What is still different afterwards."""
        name = gateway.name
        pristine = self._pristine[name]
        gateway.stop_processes()
        wanted = traits or self.options.traits
        untouched = wanted == self.warp[name].traits and gateway.out(TRACES) == ""
        if untouched and not pristine.difference(State(gateway.outside)):
            return []
        # Killed, not stopped: it may be in any state, and everything that it holds goes anyway.
        gateway.run(REMOVE_MESHGW)
        self.frr[name].stop()
        self.warp[name].close()
        restore(gateway.outside, pristine.sysctls())
        self.warp[name] = self._client(name, wanted)
        self.connect(name)
        if traits:
            return []
        return [f"{name}: {line}" for line in pristine.difference(State(gateway.outside))]

    def reboot(self, gateway: Machine, *, wipe: bool = False) -> None:
        """Power off and on: processes, /run and the network are new, the disk stays unless wiped."""
        name = gateway.name
        gateway.off()
        self.warp[name].close()
        network.remove_node(name)
        if wipe:
            gateway.unmount()
            gateway.mount()
        network.add_node(name)
        gateway.boot()
        gateway.wait()
        self.connect(name)
        self.activate("gw1")


def _lines(settings: Iterable[str]) -> str:
    return "".join(f"{setting}\n" for setting in settings)
