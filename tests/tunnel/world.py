# SPDX-License-Identifier: Apache-2.0
"""What the tests of meshgw-tunnel are made of: network namespaces, and the program itself in each of
them.

A gateway and an edge are joined by a wire. Each has a TUN device `mesh0`; what is sent into one comes
out of the other by way of both programs. The programs run in a namespace without any network, as
their unit has it: all they have are their descriptors.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon import Daemon, Identity
from network import become_root, enter_network
from waiting import TIMEOUT_S, poll

PEAK_KIB = 64 << 10  # of any process, whatever happens to it

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x1, 0x1000, 0x4000

GATEWAY, EDGE = "192.0.2.1", "192.0.2.2"
GATEWAY6, EDGE6 = "2001:db8::1", "2001:db8::2"
MESH_GATEWAY, MESH_EDGE = "100.96.0.18", "100.64.0.1"
MESH6_GATEWAY, MESH6_EDGE = "fd00:96::18", "fd00:64::1"


def enter_private_network() -> None:
    """Before any test; none is run where that, or a TUN device, cannot be had."""
    try:
        if os.getuid() != 0:
            become_root()
        enter_network()
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        pytest.exit(f"skipped: no network namespaces or TUN devices here: {error}", returncode=77)


class Space:
    """A network namespace. `with space:` is there; sockets and children made there stay there."""

    def __init__(self) -> None:
        self.fd = self._new()
        self.back: list[int] = []
        self.run("ip", "link", "set", "lo", "up")

    @staticmethod
    def _here() -> int:
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def _new(self) -> int:
        before = self._here()
        os.unshare(os.CLONE_NEWNET)
        made = self._here()
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)
        return made

    def __enter__(self) -> Space:
        self.back.append(self._here())
        os.setns(self.fd, os.CLONE_NEWNET)
        return self

    def __exit__(self, *_: object) -> None:
        before = self.back.pop()
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)

    def run(self, *command: str, ok: bool = True) -> str:
        with self:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not ok, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def ip(self, *lines: str) -> None:
        """Commands of ip(8), one after the other."""
        text = "".join(f"{line}\n" for line in lines)
        with self:
            done = subprocess.run(["ip", "-batch", "-"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}{done.stdout}{done.stderr}"

    def succeeds(self, *command: str) -> bool:
        with self:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def tun(self, name: str = "mesh0", *, flags: int = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, mtu: int = 1280) -> int:
        with self:
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
            # Who looks for duplicates or routers on a tunnel waits for nobody. Even so an address that is
            # to be looked for is none until a thread of the kernel has seen to it: nodad.
            Path(f"/proc/sys/net/ipv6/conf/{name}/accept_dad").write_text("0", encoding="ascii")
        self.run("ip", "link", "set", name, "up", "mtu", str(mtu))
        return fd

    def udp(self, address: str, port: int) -> socket.socket:
        with self:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:  # as meshgwd opens them: 0.0.0.0 may be bound beside ::
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        return sock

    def close(self) -> None:
        os.close(self.fd)


def join(a: Space, b: Space, mtu: int = 1500) -> None:
    """A wire between two spaces: wire0 here and there."""
    a.ip(f"link add wire0 type veth peer name wire0 netns /proc/{os.getpid()}/fd/{b.fd}")
    for space, host in ((a, 1), (b, 2)):
        space.ip(
            f"address add 192.0.2.{host}/24 dev wire0",
            f"address add 2001:db8::{host}/64 dev wire0 nodad",
            f"link set wire0 up mtu {mtu}",
        )


class Node:
    """The program, with somebody who tells it what to be."""

    def __init__(self, folder: Path, name: str, space: Space) -> None:
        self.folder, self.name, self.space = folder, name, space
        self.daemon = Daemon(folder / f"{name}.socket")
        self.identity = Identity(folder, name)
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.tun = -1
        self.udp: list[socket.socket] = []

    def start(self) -> None:
        nowhere = Space()
        with self.log.open("ab") as log, nowhere:
            self.process = subprocess.Popen(
                [os.environ["MESHGW_TUNNEL"], "--socket", str(self.daemon.path)], stdin=subprocess.DEVNULL, stderr=log
            )
        nowhere.close()

    def tell(self, tunnel: dict[str, Any] | None) -> None:
        self.daemon.tell(tunnel, self.tun, *self.udp)

    def fresh(self) -> Daemon:
        """What is reported from now on: the next regular report is up to 5 s away."""
        generation, reports = self.daemon.tell_again(), self.daemon.reports
        poll("a report", lambda: reports and reports[-1]["generation"] >= generation)
        return self.daemon

    def named(self, kind: str) -> bool:
        """It says so of anybody."""
        return kind in [k for k, _ in self.fresh().troubles()]

    def status(self, key: str) -> int:
        """A number of proc_pid_status(5)."""
        assert self.process
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{key}:"))

    def has_shadow(self) -> bool:
        """A sanitizer's, terabytes of addresses; what that takes is its own affair."""
        return self.status("VmSize") >= 1 << 30

    def check_small(self) -> None:
        """It has never had more memory than it may."""
        if not self.has_shadow():
            assert self.status("VmHWM") <= PEAK_KIB, f"{self.name}: {self.status('VmHWM')} KiB"

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        self.process = None

    def stop(self) -> int:
        """The exit status."""
        assert self.process
        self.process.terminate()
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()

    def close(self) -> None:
        if self.process and self.process.poll() is None:  # what it should not have done keeps it here
            self.kill()
        self.daemon.stop()
        for sock in self.udp:
            sock.close()
        if self.tun >= 0:
            os.close(self.tun)
        self.space.close()


def check_ended_well(node: Node) -> None:
    """The program ends when it is told to, or it has not been running."""
    if node.process:
        if node.process.poll() is None:
            node.check_small()
        status = node.process.poll() or node.stop()
        assert status == 0, node.log.read_text(encoding="utf-8")[-4000:]


class Pair:
    """A gateway and its edge."""

    def __init__(self, folder: Path, *, tun_flags: int = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR) -> None:
        self.gateway = Node(folder, "gateway.mesh", Space())
        self.edge = Node(folder, "edge.mesh", Space())
        join(self.gateway.space, self.edge.space)
        for node in (self.gateway, self.edge):
            node.tun = node.space.tun(flags=tun_flags)
        self._address(self.gateway.space, MESH_GATEWAY, MESH6_GATEWAY, "100.64.0.0/12", "fd00:64::/32")
        self._address(self.edge.space, MESH_EDGE, MESH6_EDGE, "100.96.0.0/12", "fd00:96::/32")
        self.gateway.udp = [self.gateway.space.udp("0.0.0.0", 0)]
        self.edge.udp = [self.edge.space.udp("0.0.0.0", 443)]

    @staticmethod
    def _address(space: Space, v4: str, v6: str, *routes: str) -> None:
        space.ip(
            f"address add {v4}/32 dev mesh0",
            f"address add {v6}/128 dev mesh0 nodad",
            *(f"route add {route} dev mesh0" for route in routes),
        )

    def connector(self, **other: Any) -> dict[str, Any]:
        """What the gateway is told."""
        return {
            **self.common(self.gateway),
            "role": "connector",
            "pins": [self.edge.identity.pin],
            "connector": {
                "edges": [{"address": EDGE, "port": 443}],
                "serverName": "edge.mesh",
                "authority": "edge.mesh",
                "template": "https://edge.mesh/.well-known/masque/ip/{target}/{ipproto}/",
                "accept": {
                    "addresses": ["100.96.0.0/12", "fd00:96::/32"],
                    "routes": ["100.64.0.0/12", "fd00:64::/32"],
                    "maxRoutes": 256,
                },
                "advertise": ["10.0.1.0/24"],
                **other,
            },
        }

    def node(self, *replicas: Identity, **other: Any) -> dict[str, Any]:
        """One node of the edge's list."""
        return {
            "name": "site1",
            "replicas": [{"name": f"gw{i}", "pins": [r.pin]} for i, r in enumerate(replicas, 1)],
            "addresses": [f"{MESH_GATEWAY}/32", f"{MESH6_GATEWAY}/128"],
            "routes": ["10.0.1.0/24"],
            "promote": "automatic",
            **other,
        }

    def server(self, *nodes: dict[str, Any], **other: Any) -> dict[str, Any]:
        """What the edge is told."""
        return {
            **self.common(self.edge),
            "role": "edge",
            "edge": {
                "template": "/.well-known/masque/ip/{target}/{ipproto}/",
                "nodes": list(nodes) or [self.node(self.gateway.identity)],
                "advertise": ["100.64.0.0/12", "fd00:64::/32"],
                **other,
            },
        }

    @staticmethod
    def common(node: Node) -> dict[str, Any]:
        """What both are told."""
        return {
            "mtu": 1280,
            "keepaliveMs": 15000,
            "idleMs": 60000,
            "certificate": node.identity.certificate,
            "key": node.identity.key,
        }

    def start(self) -> None:
        """Both, and until the gateway has its request answered."""
        self.edge.tell(self.server())
        self.gateway.tell(self.connector())
        self.edge.start()
        self.gateway.start()
        self.wait_open()

    def wait_open(self) -> None:
        poll("open", lambda: any(p["open"] for p in self.gateway.daemon.peers()))

    def ping(self, address: str = MESH_EDGE, size: int = 56) -> bool:
        return self.gateway.space.succeeds("ping", "-n", "-c1", "-W1", f"-s{size}", address)

    def end(self) -> None:
        """As it should."""
        for node in (self.gateway, self.edge):
            check_ended_well(node)

    def close(self) -> None:
        for node in (self.gateway, self.edge):
            node.close()


@contextmanager
def ending_well[P: Pair](made: P) -> Iterator[P]:
    """For a test, which has failed unless the programs do; nothing is left of them."""
    try:
        yield made
        made.end()
    finally:
        made.close()


def drop(pair: Pair, rule: str) -> None:
    """What comes in to either end and matches."""
    for node in (pair.gateway, pair.edge):
        # A rule is to see packets, and not what is to be cut into packets later.
        node.space.run("ip", "link", "set", "wire0", "gso_max_segs", "1")
        node.space.run("nft", "add table inet path")
        node.space.run("nft", "add chain inet path in { type filter hook prerouting priority -300; }")
        node.space.run("nft", f"add rule inet path in iifname wire0 {rule} drop")


def mend(pair: Pair) -> None:
    for node in (pair.gateway, pair.edge):
        node.space.run("nft", "delete table inet path")


@contextmanager
def listening(space: Space, address: str, port: int = 7) -> Iterator[socket.socket]:
    """A TCP server's socket in a space."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with space:
        sock = socket.create_server((address, port), family=family)
    sock.settimeout(TIMEOUT_S)
    with sock:
        yield sock


@contextmanager
def listening_udp(space: Space, at: tuple[str, int]) -> Iterator[socket.socket]:
    with space.udp(*at) as sock:
        sock.settimeout(TIMEOUT_S)
        yield sock


def transfer(to: Space, address: str, source: Space, size: int, seconds: float = TIMEOUT_S) -> None:
    """So many bytes by TCP, byte for byte, each step within so many seconds."""
    data = hashlib.shake_256(address.encode()).digest(size)
    got = bytearray()
    with listening(to, address) as server:
        server.settimeout(seconds)
        with source:
            client = socket.socket(server.family, socket.SOCK_STREAM)
        client.settimeout(seconds)
        client.connect((address, 7))
        peer = server.accept()[0]
        peer.settimeout(seconds)
        sender = threading.Thread(target=lambda: (client.sendall(data), client.close()))
        sender.start()
        while piece := peer.recv(1 << 20):
            got += piece
        sender.join()
        peer.close()
    assert got == data
