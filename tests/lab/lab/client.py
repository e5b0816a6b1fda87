# SPDX-License-Identifier: Apache-2.0
"""The lab with Cloudflare's client, emulated, and what the real one has between it and the edge:
MASQUE (RFC 9484). The edge is a machine with meshgw in role edge; the client's packets are carried
by a meshgw-tunnel that no meshgwd knows of.

    worker ─┐             ══ CloudflareWARP gw1 ─┐
    device ─┴─ edge mesh0 ══ CloudflareWARP gw2 ─┴─ lan

All that the client makes on a gateway is warp.Warp's; a gateway has no tunnel of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from lab import build, network
from lab.edge import EDGE, MTU, Identity, Plan
from lab.machine import Machine
from lab.masque import EdgeLab
from lab.node import Node
from lab.shell import LOG, poll_until
from warp import INTERFACE, Traits, Warp

sys.path += [str(build.SRC / "tests/process"), str(build.SRC / "tests/tunnel")]
from daemon import Daemon  # noqa: E402  pylint: disable=wrong-import-position

CONNECT_S = 10.0
TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
TUN_FLAGS = 0x1 | 0x1000 | 0x4000  # IFF_TUN, IFF_NO_PI, IFF_VNET_HDR


@contextlib.contextmanager
def there(netns: str) -> Iterator[None]:
    """What is opened meanwhile belongs to that namespace."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{netns}", "rb") as away:
        os.setns(away.fileno(), os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(home.fileno(), os.CLONE_NEWNET)


def told(own: Identity, edge: Identity) -> dict[str, Any]:
    """What meshgwd would tell the program."""
    return {
        "role": "connector",
        "mtu": MTU,
        "keepaliveMs": 15000,
        "idleMs": 60000,
        "certificate": own.certificate,
        "key": own.key,
        "pins": [edge.pin],
        "connector": {
            "edges": [{"address": EDGE, "port": 443}],
            "serverName": EDGE,
            "authority": EDGE,
            "template": f"https://{EDGE}/.well-known/masque/ip/{{target}}/{{ipproto}}/",
            "accept": {"addresses": network.RANGES, "routes": network.RANGES, "maxRoutes": 256},
            "advertise": network.LAN_PREFIXES,
        },
    }


class Carrier:
    """With the words of warp.Relay, as far as Warp uses them."""

    def __init__(self, netns: str, tunnel: dict[str, Any]) -> None:
        self._netns = netns
        self._tunnel = tunnel
        self._path = Path(f"/run/lab/tunnel-{netns}")
        self._daemon: Daemon | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._tun = -1
        self._persists = False
        self._socket: socket.socket | None = None

    def running(self) -> bool:
        """Whether the program is there."""
        return self._process is not None

    def start(self) -> None:
        """The interface exists afterwards."""
        if self._process:
            return
        self._path.unlink(missing_ok=True)
        self._daemon = Daemon(self._path)
        with there(self._netns):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("0.0.0.0", 0))
        program = build.tree(build.RELAY_PRESET) / "gateway/tunnel/meshgw-tunnel"
        with (build.LOGS / f"tunnel-{self._netns}.log").open("wb") as log:
            # Without a network, as its unit has it.
            command = ["unshare", "--net", program, "--socket", self._path]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        self.command("open-gw")

    def stop(self) -> None:
        """The interface goes with it."""
        if not self._process or not self._daemon or not self._socket:
            return
        self._process.kill()
        self._process.wait()
        self._daemon.stop()
        self._close()
        self._socket.close()
        self._process = None

    def _close(self) -> None:
        if self._tun >= 0:
            os.close(self._tun)
        self._tun = -1

    def command(self, line: str) -> str:
        """To open the interface, to close it, to let it stay."""
        word, _, value = line.partition(" ")
        if word == "open-gw":
            self._open()
        elif word == "close-gw":
            self._leave()
        elif word == "reopen-gw":
            if self._tun >= 0:
                self._leave()
            self._open()
        elif word == "persist":
            fcntl.ioctl(self._tun, TUNSETPERSIST, value == "on")
            self._persists = value == "on"
        else:
            raise NotImplementedError(line)
        return "ok"

    def _open(self) -> None:
        with there(self._netns):
            self._tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            request = struct.pack("16sH22x", INTERFACE.encode(), TUN_FLAGS)
            fcntl.ioctl(self._tun, TUNSETIFF, request)
        self._tell()

    def _tell(self) -> None:
        assert self._daemon and self._socket
        self._daemon.tell(self._tunnel, self._tun, self._socket)

    def _leave(self) -> None:
        """Returns when nobody has the interface any more, here or in the program."""
        assert self._daemon
        self._daemon.tell(None, -1)
        self._close()
        poll_until(self._is_left, CONNECT_S, f"nobody in {self._netns} has {INTERFACE}")

    def _is_left(self) -> bool:
        shown = Node(self._netns).out(["ip", "link", "show", "dev", INTERFACE], check=False)
        return "NO-CARRIER" in shown if self._persists else not shown

    def set_mtu(self, mtu: int) -> None:
        """What the tunnel carries."""
        self._tunnel["mtu"] = mtu
        self._tell()

    def stats(self) -> dict[str, Any]:
        """Whether the interface is open."""
        return {"gw": {"open": self._tun >= 0}}

    def is_connected(self) -> bool:
        """As the program says."""
        return self._daemon is not None and any(peer["open"] for peer in self._daemon.peers())


class Client(Warp):
    """Whose other end is an edge that decides by itself what comes to it: by the plan, which
    `tell_edge` puts in force."""

    def __init__(
        self,
        name: str,
        traits: Traits,
        carrier: Carrier,
        plan: Plan,
        tell_edge: Callable[[], None],
    ) -> None:
        address4, address6 = network.MESH[name]
        super().__init__(
            name, name, "edge", address4, address6, "", traits,
            log=lambda line: LOG.info("client of %s: %s", name, line),
        )  # fmt: skip
        self.relay: Any = carrier
        self.underlay = (f"{EDGE}/32",)
        self._plan = plan
        self._tell_edge = tell_edge

    def start(self) -> None:
        if self.traits.sysctls:
            self.install_sysctls()
        self.relay.start()

    def set_mtu(self, mtu: int) -> None:
        self.traits = dataclasses.replace(self.traits, mtu=mtu)
        self._plan.mtu = max(mtu, MTU)
        self._tell_edge()
        self.relay.set_mtu(self._plan.mtu)
        self._configure()

    def set_address(self, address4: str, order: str = "del-first") -> None:
        self._plan.addresses[self.name] = (address4, self.address6)
        self._tell_edge()
        super().set_address(address4, order)

    def attract(self, prefixes: Iterable[str]) -> None:
        have = self._plan.routes[self.name]
        self._plan.routes[self.name] = (*have, *(p for p in prefixes if p not in have))
        self._tell_edge()


class ClientLab(EdgeLab):
    """See the module."""

    tunnel = "client"

    def _make_gateway(self, name: str) -> Machine:
        return Machine(name, build.stage(self.options.preset))

    def _client(self, name: str, traits: Traits) -> Client:
        ends = told(self.identities[name], self.identities["edge"])
        return Client(name, traits, Carrier(name, ends), self.plan, self.tell_edge)

    def connect(self, name: str) -> None:
        """Up, and it carries."""
        warp = self.warp[name]
        warp.connect()
        poll_until(warp.relay.is_connected, CONNECT_S, f"{name}'s client is connected")

    def stop(self) -> None:
        for warp in self.warp.values():
            warp.relay.stop()
        super().stop()
