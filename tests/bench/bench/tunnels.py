# SPDX-License-Identifier: Apache-2.0
"""Two hosts, a wire between them, and tunnels that run on it, one at a time: ours, its peers, and a
plain copy that is the limit of what is possible."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.space import URGENT, BenchError, Netns, Process, Space, poll_until, run

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "process"), str(TESTS / "tunnel")]
from daemon import Daemon, Identity

TICKS = os.sysconf("SC_CLK_TCK")
# Outside, and inside of the tunnel.
WIRE = ["192.0.2.1", "192.0.2.2"]
MESH = ["100.96.0.1", "100.96.0.2"]
DEVICES = ["mesh1", "mesh2", "mesh3"]
PORT = 4433
MTU = 1400
TUNSETIFF = 0x400454CA
TUN_FLAGS = 0x1 | 0x1000 | 0x4000  # IFF_TUN, IFF_NO_PI, IFF_VNET_HDR


def on_core(number: int) -> list[str]:
    """Before a command: there alone. Not first in, first out: an end of the tunnel shares its core
    with who sends through it, and has to get its turn."""
    return [*URGENT, "taskset", "-c", str(number)]


class Place:
    """The hosts; each has a core, for its end of the tunnel and for who uses it."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.ends: list[Netns] = [space.netns("left"), space.netns("right")]
        self.ends[0].ip(f"link add wire0 type veth peer name wire0 netns {self.ends[1].name}")
        for ns, address in zip(self.ends, WIRE, strict=True):
            ns.ip("link set wire0 up", f"address add {address}/24 dev wire0")
        self.identities = [Identity(space.folder, name) for name in ("left.mesh", "right.mesh")]
        self.wire, self.mesh = list(WIRE), list(MESH)
        self.cores = [0, 1]

    def add(self, host: Netns, wire: str, mesh: str, identity: Identity) -> None:
        """Another gateway, on the first one's core."""
        self.ends.append(host)
        self.wire.append(wire)
        self.mesh.append(mesh)
        self.cores.append(0)
        self.identities.append(identity)


class Tunnel:
    """One of them, up until stop()."""

    name = ""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.processes: list[Process] = []
        self.files: list[int] = []
        try:
            for end in (0, 1):
                self.start(end)
            poll_until(self.is_up, 20, f"{self.name} is up")
        except BaseException:
            self.stop()
            raise

    def start(self, end: int) -> None:
        """One end of it."""
        raise NotImplementedError

    def popen(self, end: int, *argv: str | Path, **popen: Any) -> None:
        """A process of that end."""
        command = [*on_core(self.place.cores[end]), *map(str, argv)]
        self.processes.append(self.place.ends[end].popen(command, **popen))

    def address(self, end: int, mtu: int | None = MTU) -> None:
        """Of the device, and the way to the other end's."""
        device, size, mesh = DEVICES[end], f"mtu {mtu}" if mtu else "", self.place.mesh
        others = mesh[:1] + mesh[2:] if end == 1 else mesh[1:2]
        self.place.ends[end].ip(
            f"link set {device} up {size}", f"address add {mesh[end]}/32 dev {device}",
            *(f"route add {other} dev {device}" for other in others),
        )  # fmt: skip

    def has_device(self, end: int) -> bool:
        """Is it there?"""
        names = self.place.ends[end].run(["ip", "-o", "link", "show"])
        return f" {DEVICES[end]}:" in names

    def is_up(self) -> bool:
        """Do packets get through?"""
        for process in self.processes:
            process.alive()
        ping = ["ping", "-n", "-c1", "-W1", MESH[1]]
        return " 0% packet loss" in run(self.place.ends[0].argv(ping), check=False)

    def cpu_s(self) -> float:
        """User and system time of both ends so far."""
        total = 0
        for process in self.processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def stop(self) -> None:
        """Both ends."""
        for process in self.processes:
            process.stop()
        for fd in self.files:
            os.close(fd)
        for end in range(len(self.place.ends)):
            poll_until(lambda e=end: not self.has_device(e), 10, f"{self.name} is gone")


class Meshgw(Tunnel):
    """Ours: left is the connector, right the edge."""

    name = "meshgw-tunnel"
    program = Path()

    def __init__(self, place: Place) -> None:
        self.daemons: list[Daemon] = []
        self.sockets: list[socket.socket] = []
        super().__init__(place)

    def _open(self, end: int) -> int:
        with self.place.ends[end].entered():
            tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", DEVICES[end].encode(), TUN_FLAGS))
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((self.place.wire[end], PORT))
        self.files.append(tun)
        self.sockets.append(udp)
        return tun

    def _config(self, end: int) -> dict[str, Any]:
        identities, mesh = self.place.identities, self.place.mesh
        identity, edge = identities[end], identities[1]
        common = {
            "mtu": MTU, "keepaliveMs": 15000, "idleMs": 60000, "key": identity.key,
            "certificate": identity.certificate,
        }  # fmt: skip
        if end != 1:
            connector = {
                "edges": [{"address": WIRE[1], "port": PORT}], "serverName": "right.mesh",
                "authority": "right.mesh", "addresses": [f"{mesh[end]}/32"],
                "template": "https://right.mesh/.well-known/masque/ip/{target}/{ipproto}/",
                "accept": {"routes": ["100.64.0.0/10"]},
            }  # fmt: skip
            return {**common, "pins": [edge.pin], "role": "connector", "connector": connector}
        gateways = [i for i in range(len(mesh)) if i != 1]
        nodes = [
            {"name": f"node{i}", "addresses": [f"{mesh[i]}/32"],
             "replicas": [{"name": "one", "pins": [identities[i].pin]}]}
            for i in gateways
        ]  # fmt: skip
        told = {
            "template": "/.well-known/masque/ip/{target}/{ipproto}/", "nodes": nodes,
            "advertise": [f"{mesh[1]}/32"],
        }  # fmt: skip
        pins = [identities[i].pin for i in gateways]
        return {**common, "pins": pins, "role": "edge", "edge": told}

    def start(self, end: int) -> None:
        tun = self._open(end)
        self.address(end)
        daemon = Daemon(self.place.space.folder / f"tunnel{end}")
        self.daemons.append(daemon)
        daemon.tell(self._config(end), tun, self.sockets[end])
        self.popen(end, self.program, "--socket", daemon.path)

    def kill_edge(self) -> None:
        """As systemd has it: at once there is another one."""
        edge = self.processes.pop()  # started last
        edge.popen.kill()
        edge.popen.wait()
        self.popen(1, self.program, "--socket", self.daemons[1].path)

    def stop(self) -> None:
        for process in self.processes:
            process.stop()
        for daemon in self.daemons:
            daemon.stop()
            # What it told holds the descriptors, too.
            daemon.told = (None, -1, [])
        for sock in self.sockets:
            sock.close()
        super().stop()


class Copy(Tunnel):
    """Every offload, and nothing else."""

    name = "copy"
    options: list[str] = []

    def start(self, end: int) -> None:
        self.popen(
            end, self.place.space.tool("copy"), "--tun", DEVICES[end], "--local",
            f"{WIRE[end]}:{PORT}", "--remote", f"{WIRE[1 - end]}:{PORT}", *self.options,
        )  # fmt: skip
        poll_until(lambda: self.has_device(end), 10, f"{DEVICES[end]}")
        self.address(end)


class CopyAes(Copy):
    """The limit of a tunnel that encrypts."""

    name = "copy + AES-GCM"
    options = ["--aes"]


class WireguardGo(Tunnel):
    """As Debian packages it, with the MTU that it sets itself."""

    name = "wireguard-go"

    def __init__(self, place: Place) -> None:
        self.keys = [run(["wg", "genkey"]).strip() for _ in (0, 1)]
        self.public = [run(["wg", "pubkey"], stdin=key).strip() for key in self.keys]
        super().__init__(place)

    def start(self, end: int) -> None:
        device, key = DEVICES[end], self.place.space.folder / f"wg{end}.key"
        key.write_text(self.keys[end])
        self.popen(end, "env", "LOG_LEVEL=error", "wireguard-go", "-f", device)
        control = Path("/run/wireguard") / f"{device}.sock"
        poll_until(lambda: self.has_device(end) and control.exists(), 10, device)
        self.place.ends[end].run(
            ["wg", "set", device, "listen-port", PORT, "private-key", key, "peer",
             self.public[1 - end], "allowed-ips", "100.96.0.0/12", "endpoint",
             f"{WIRE[1 - end]}:{PORT}"],
        )  # fmt: skip
        self.address(end, mtu=None)


class Openvpn(Tunnel):
    """In user space, with AES-128-GCM."""

    name = "openvpn"

    def start(self, end: int) -> None:
        folder = self.place.space.folder
        names = ["left.mesh", "right.mesh"]
        mine, other = folder / names[end], folder / names[1 - end]
        prints = run(["openssl", "x509", "-in", f"{other}.crt", "-noout", "-fingerprint", "-sha256"])
        role = ["--tls-client", "--remote", WIRE[1]] if end == 0 else ["--tls-server", "--dh", "none"]
        self.popen(
            end, "openvpn", "--dev", DEVICES[end], "--dev-type", "tun", "--proto", "udp", "--local",
            WIRE[end], "--port", str(PORT), "--cert", f"{mine}.crt", "--key", f"{mine}.key",
            "--peer-fingerprint", prints.strip().partition("=")[2], "--data-ciphers",
            "AES-128-GCM", "--disable-dco", "--ifconfig", MESH[end], MESH[1 - end], *role,
        )  # fmt: skip


TUNNELS: list[type[Tunnel]] = [Meshgw, WireguardGo, CopyAes, Copy, Openvpn]


@contextmanager
def running(kind: type[Tunnel], place: Place) -> Iterator[Tunnel]:
    """Up in here."""
    tunnel = kind(place)
    try:
        yield tunnel
    finally:
        tunnel.stop()


def check_programs() -> None:
    """The peers are Debian's."""
    for name in ("wireguard-go", "wg", "openvpn", "iperf3", "openssl"):
        if not shutil.which(name):
            raise BenchError(f"{name} is not installed")
    if not Path("/dev/net/tun").exists():
        raise BenchError("there is no /dev/net/tun")
    subprocess.run(["iperf3", "--version"], check=True, capture_output=True)
