# SPDX-License-Identifier: Apache-2.0
"""OpenSSL's own QUIC as a client, which asks for nothing: its handshake is what aioquic cannot do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stage import Stage
from world import EDGE, TIMEOUT_S, poll

# RFC 8446 4.1.3, SHA-256 of "HelloRetryRequest": the random value of one, as it is told.
RETRY_RANDOM = ("gmt_unix_time=0xCF21AD74", "E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")


class Trace:
    """What s_client has told so far of packets and messages."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8", errors="replace")

    @property
    def complete(self) -> bool:
        """The handshake; and the edge has shown its certificate."""
        return "Verified peername: edge.mesh" in self.text

    @property
    def group(self) -> str:
        """That the last ServerHello chose."""
        return self.text.rpartition("ServerHello, ")[2].partition("NamedGroup: ")[2].partition(" ")[0]

    @property
    def hellos(self) -> list[int]:
        """Lengths of its ClientHellos."""
        return [int(n) for n in re.findall(r"ClientHello, Length=(\d+)", self.text)]

    @property
    def asked_again(self) -> bool:
        """By a HelloRetryRequest."""
        return all(part in self.text for part in RETRY_RANDOM)

    @property
    def retried(self) -> bool:
        """It has shown the token of a Retry."""
        return re.search(r"^  Token: [0-9a-f]+$", self.text, re.MULTILINE) is not None

    @property
    def initials(self) -> list[int]:
        """Those that it sent before the first datagram that came, before the second, and so on."""
        flights = self.text.split("Received Datagram")
        return [len(re.findall(r"Sent Packet\s+Packet Type: Initial", f)) for f in flights]


@contextmanager
def dialed(stage: Stage, groups: str) -> Iterator[Trace]:
    """A connection to the edge, established, until the end of the `with`."""
    own, trace = stage.folder / "gateway.mesh", Trace(stage.folder / f"{groups}.trace")
    command = [
        "openssl", "s_client", "-quic", "-alpn", "h3", "-connect", f"{EDGE}:443", "-groups", groups,
        "-servername", "edge.mesh", "-verify_hostname", "edge.mesh", "-verify_return_error", "-trace",
        "-CAfile", f"{stage.folder}/edge.mesh.crt", "-cert", f"{own}.crt", "-key", f"{own}.key",
    ]  # fmt: skip
    with trace.path.open("wb") as output, stage.gateway.space:
        client = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        poll("handshake", lambda: trace.complete)
        yield trace
        client.communicate(b"Q\n", TIMEOUT_S)
        assert client.returncode == 0
    finally:
        client.kill()
        client.communicate()
