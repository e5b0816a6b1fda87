# SPDX-License-Identifier: Apache-2.0
"""Who a tunnel's end is, and somebody in the place of meshgwd who tells it what to be; the bench uses
them, too."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from gateway import Gateway


class Identity:
    """A self-signed certificate, its key, and the pin of it."""

    def __init__(self, folder: Path, name: str, *validity: str) -> None:
        self.name = name
        key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", *(validity or ("-days", "30")), "-subj", f"/CN={name}", "-addext",
             f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        public = subprocess.run(
            ["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"],
            check=True, capture_output=True,
        ).stdout  # fmt: skip
        self.key, self.certificate = key.read_text("ascii"), certificate.read_text("ascii")
        self.pin = "sha256/" + base64.b64encode(hashlib.sha256(public).digest()).decode()


class Daemon(Gateway):
    """In the place of meshgwd, as far as the tunnel uses it."""

    worker = "Tunnel"

    def __init__(self, path: Path) -> None:
        self.told: tuple[dict[str, Any] | None, int, list[socket.socket]] = (None, -1, [])
        self.proposals: list[dict[str, Any]] = []
        self.refuse: list[dict[str, str]] = []
        self.memory = os.memfd_create("meshgw-tunnel", os.MFD_CLOEXEC)
        os.ftruncate(self.memory, 1 << 16)
        self.wish: dict[str, Any] | None = None
        self.filters = 0
        self.judges = threading.Event()  # what is proposed
        self.judges.set()
        # Of names: addresses, or why there is none; None: the call is not known.
        self.names: dict[str, list[str] | str | None] = {}
        self.resolves = threading.Event()
        self.resolves.set()
        self.asked_for: list[str] = []
        super().__init__(path)

    def tell(self, tunnel: dict[str, Any] | None, tun: int, *sockets: socket.socket) -> None:
        with self.order:
            self.told = (tunnel, tun, list(sockets))
            self.tell_all()

    def filter(self) -> None:
        """This host's packet filter has changed, and nothing else."""
        with self.order:
            self.filters += 1
            self.generation -= 1
            self.tell_all()

    def tell_again(self) -> int:
        """What it is told already, by another generation's number: nothing changes, and it reports so."""
        with self.order:
            self.tell_all()
            return self.generation

    def promote(self, identity: int, node: str, replica: str) -> None:
        """Told with everything else, until there is another wish."""
        self.wish = {"id": identity, "node": node, "replica": replica}
        self.tell(self.told[0], self.told[1], *self.told[2])

    def promoted(self, identity: int) -> list[str]:
        """What came of it, as often as it was said."""
        answers = [r["promoted"] for r in self.reports if "promoted" in r]
        return [a["result"] for a in answers if a["id"] == identity]

    def asked(self, link: socket.socket, method: str, parameters: dict[str, Any]) -> None:
        if method == "TunnelResolve":
            self.resolve(link, parameters["name"])
            return
        assert method == "TunnelPropose", method
        self.proposals.append(parameters)
        self.judges.wait()
        self.say(link, {"addresses": [], "routes": [], "refused": self.refuse})

    def resolve(self, link: socket.socket, name: str) -> None:
        self.asked_for.append(name)
        self.resolves.wait()
        found = self.names.get(name, "no-address")
        if found is None:
            self.refuse_with(link, "org.varlink.service.MethodNotFound")
        elif isinstance(found, str):
            self.say(link, {"addresses": [], "reason": found, "message": f"{name}: {found}"})
        else:
            self.say(link, {"addresses": found})

    def answer(self) -> tuple[dict[str, Any], list[int]]:
        tunnel, tun, sockets = self.told
        addresses = [s.getsockname()[:2] for s in sockets]
        reply: dict[str, Any] = {
            "tunnel": tunnel,
            "tun": 0 if tunnel else None,
            "memory": 1 + len(sockets) if tunnel else None,
            "filters": self.filters,
            "sockets": [
                {"fd": 1 + i, "address": a, "port": p} for i, (a, p) in enumerate(addresses)
            ],
        }
        if self.wish:
            reply["promote"] = self.wish
        return reply, [tun, *(s.fileno() for s in sockets), self.memory] if tunnel else []

    def peers(self) -> list[dict[str, Any]]:
        """Of the last report."""
        return self.reports[-1]["tunnel"]["peers"] if self.reports else []

    def troubles(self) -> list[tuple[str, str]]:
        """Which, and whose; of the last report."""
        told = self.reports[-1]["tunnel"]["troubles"] if self.reports else []
        return [(t["kind"], t["who"]) for t in told]

    def says(self, kind: str) -> str:
        """Of the first trouble of this kind."""
        told = self.reports[-1]["tunnel"]["troubles"] if self.reports else []
        return next((t["text"] for t in told if t["kind"] == kind), "")

    def problem(self) -> dict[str, Any]:
        """Why it does not take what it was told; of the last report."""
        return self.reports[-1]["tunnel"].get("problem", {}) if self.reports else {}

    def nodes(self) -> dict[str, Any]:
        """Of an edge's last report, by their names."""
        nodes = self.reports[-1]["tunnel"]["edge"]["nodes"] if self.reports else []
        return {node["name"]: node for node in nodes}

    def counters(self) -> dict[str, Any]:
        return self.reports[-1]["tunnel"]["counters"] if self.reports else {}
