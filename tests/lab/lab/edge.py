# SPDX-License-Identifier: Apache-2.0
"""What the ends of the gateway's own tunnel are told in meshgw.yaml, and who they are.

A Plan is all that the edge knows; it changes as somebody's account at a mesh provider does, and
edge_config() makes the file of it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from lab import network
from lab.machine import Machine
from lab.shell import run

KEYS = Path("/run/lab/keys")
EDGE = "198.51.100.1"
EDGE_AT = f"{EDGE}:443"
CONFIG_FILE = "etc/meshgw/meshgw.yaml"
CERTIFICATE, KEY = "etc/meshgw/tunnel.crt", "etc/meshgw/tunnel.key"
# The least that carries IPv6, as with Cloudflare's client.
MTU = 1280


@dataclass(frozen=True)
class Identity:
    """Who an end of the tunnel is: a key of its own and a certificate that nobody signed."""

    certificate: str
    key: str
    pin: str

    @classmethod
    def make(cls, name: str) -> Identity:
        """With the words that the manual page has for operators."""
        KEYS.mkdir(parents=True, exist_ok=True)
        crt, key = KEYS / f"{name}.crt", KEYS / f"{name}.key"
        run("lab", (), [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-noenc", "-days", "30", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(crt),
        ])  # fmt: skip
        spki = KEYS / f"{name}.spki"
        script = (
            f"openssl x509 -in {crt} -noout -pubkey |"
            f" openssl pkey -pubin -outform der | openssl dgst -sha256 -binary >{spki}"
        )
        run("lab", (), ["sh", "-c", script])
        pin = base64.b64encode(spki.read_bytes()).decode("ascii")
        return cls(crt.read_text("ascii"), key.read_text("ascii"), f"sha256/{pin}")

    def install(self, machine: Machine) -> None:
        """Readable by meshgwd and by nobody else, as it demands."""
        machine.write(CERTIFICATE, self.certificate)
        machine.write(KEY, self.key)
        machine.run(f"chgrp meshgw /{KEY} && chmod 640 /{KEY}")


class Plan:
    """What the edge knows: of each gateway its Mesh addresses and the networks behind it, and who
    is behind the edge itself, by the interface."""

    addresses: dict[str, tuple[str, ...]]
    routes: dict[str, tuple[str, ...]]
    behind: dict[str, tuple[str, ...]]
    mtu: int

    def __init__(self) -> None:
        self.rest("gw1")

    def rest(self, active: str) -> None:
        """As at the beginning, with the LAN behind one of the gateways."""
        self.addresses = dict(network.MESH)
        self.routes = {name: network.LAN_PREFIXES * (name == active) for name in network.MESH}
        self.behind = dict(network.BEHIND_EDGE)
        self.mtu = MTU


def _quoted(items: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


def _hosts(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{a}/{128 if ':' in a else 32}" for a in addresses)


def edge_config(plan: Plan, gateways: dict[str, Identity], *, joined: bool = False) -> str:
    """What lies in the mesh is seen from the other side here: the Workers are its LAN. Joined: all
    are replicas of the first one."""
    own = _hosts(sum(plan.addresses.values(), ()))
    sites = sum(plan.routes.values(), ())
    lines = [
        "mesh:",
        "  interface: mesh0",
        f"  ranges: {{workers: [], devices: {_quoted(own)}, sites: {_quoted(sites)}}}",
        "lan:",
        *(
            f"  - {{interface: {name}, networks: {_quoted(_hosts(addresses))}}}"
            for name, addresses in plan.behind.items()
        ),
        "return_path: route",
        "tunnel:",
        f"  certificate_file: /{CERTIFICATE}",
        f"  key_file: /{KEY}",
        f"  mtu: {plan.mtu}",
        "  edge:",
        f'    listen: ["{EDGE_AT}"]',
        "    nodes:",
    ]
    replicas = [f'{{name: {name}, pins: ["{who.pin}"]}}' for name, who in gateways.items()]
    for name, replica in zip(gateways, [", ".join(replicas)] if joined else replicas):
        lines += [
            f"      - name: {name}",
            f"        replicas: [{replica}]",
            f"        addresses: {_quoted(plan.addresses[name])}",
            f"        routes: {_quoted(plan.routes[name])}",
        ]
    return "\n".join(lines) + "\n"


def connector_config(
    edge: Identity, mtu: int = MTU, edges: tuple[str, ...] = (EDGE_AT,)
) -> str:
    """What a gateway's configuration has besides."""
    return (
        "tunnel:\n"
        f"  certificate_file: /{CERTIFICATE}\n"
        f"  key_file: /{KEY}\n"
        f"  mtu: {mtu}\n"
        "  connector:\n"
        f"    edges: {_quoted(edges)}\n"
        f'    peer: {{pins: ["{edge.pin}"]}}\n'
    )
