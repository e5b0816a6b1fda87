# SPDX-License-Identifier: Apache-2.0
"""The lab as a whole: all nodes, what runs in them, from nothing to there and back."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lab import build, network
from lab.frr import Frr
from lab.machine import Machine
from lab.node import Node
from lab.restore import restore
from lab.router import Router
from lab.shell import LOG, Process, poll_until
from lab.state import State
from warp import SYSCTLS, Traits, Warp

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
REMOVE_MESHGW = (
    "systemctl kill -s KILL 'meshgw*' 2>/dev/null; systemctl stop 'meshgw*' &&"
    " systemctl reset-failed && rm -rf /etc/meshgw/* /var/lib/meshgw/*"
)
# At its end a program with LeakSanitizer traces itself, which the units' filters forbid.
SANITIZED = {
    f"etc/systemd/system/{unit}.service.d/lab.conf": "[Service]\nSystemCallFilter=ptrace\n"
    for unit in ("meshgwd", "meshgw-bridge", "meshgw-probe@", "meshgw-trace@")
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
    """start() makes everything, as Cloudflare's client leaves it: without meshgw.

    gw1 is the active replica. The nodes are attributes: lab.gw1, lab.router, lab.service, …;
    lab.warp["gw1"] is that gateway's client, lab.frr["gw1"] its FRR, lab.routing what the router
    knows of the mesh.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        stage = build.stage(options.preset)
        self.edge, self.worker, self.device = Node("edge"), Node("worker"), Node("device")
        self.service, self.remote = Node("service"), Node("remote")
        self.gw1, self.gw2 = Machine("gw1", stage), Machine("gw2", stage)
        self.router = Machine("router", None)
        for gateway in (self.gw1, self.gw2):
            gateway.files[CLIENT_SYSCTLS] = _lines(SYSCTLS)
            if options.preset == "asan":
                gateway.files.update(SANITIZED)
        self.router.files[ROUTER_SYSCTLS] = _lines(network.FORWARDS)
        self.gateways = (self.gw1, self.gw2)
        self.machines = (self.gw1, self.gw2, self.router)
        self.nodes = {
            node.name: node
            for node in (
                self.edge, self.worker, self.device, *self.machines, self.service, self.remote,
            )
        }  # fmt: skip
        self.warp = {name: self._client(name, options.traits) for name in GATEWAYS}
        self.frr = {machine.name: Frr(machine) for machine in self.machines}
        self.routing = Router(self.router)
        self._pristine: dict[str, State] = {}

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

    def connect(self, name: str) -> None:
        """A gateway's client, up; the edge knows its Mesh address."""
        warp = self.warp[name]
        warp.connect()
        warp.attract((f"{warp.address4}/32", f"{warp.address6}/128"))

    def activate(self, name: str) -> None:
        """Cloudflare's choice among the replicas: the LAN's prefixes go to this one."""
        self.warp[name].attract(network.LAN_PREFIXES)

    def stop(self) -> None:
        """Back to nothing: another lab may follow."""
        for node in self.nodes.values():
            if isinstance(node, Machine):
                node.off()
            node.stop_all()
        for warp in self.warp.values():
            warp.relay.stop()
        for machine in self.machines:
            machine.unmount()
        for name in (*network.PLANS, network.SWITCH):
            network.remove_node(name)

    # meshgw in it.

    def deploy(self, *gateways: Machine, config: str = CONFIG) -> None:
        """The configuration in place and the daemon started, as a package and Ansible would."""
        for gateway in gateways or self.gateways:
            gateway.write("etc/meshgw/meshgw.yaml", config)
            gateway.systemctl("start", "meshgwd")
            if BRIDGE in config:
                gateway.systemctl("start", "meshgw-bridge")

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
