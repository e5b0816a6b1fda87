# SPDX-License-Identifier: Apache-2.0
"""Flows between nodes, in one line each: what a test proves, breaks, and proves again."""

from __future__ import annotations

from lab.node import Node
from lab.shell import Process, poll_until

# First the IPv4 address, then the IPv6 one.
WORKER = ("100.64.12.189", "2606:4700:cf1:5000::bd")
DEVICE = ("100.96.0.10", "2606:4700:cf1:1000::10")
SERVICE = ("10.0.1.50", "2001:db8:1::50")
REMOTE = ("10.0.2.60", "2001:db8:2::60")
GW1 = ("10.0.1.11", "2001:db8:1::11")
HTTP, TCP, UDP = 3000, 3001, 3002
# A connected datagram socket hears of the ICMP error that answers it.
UDP_REFUSED = """\
import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(2)
sock.connect((sys.argv[1], 9))
sock.send(b"x")
try:
    sock.recv(1)
except ConnectionRefusedError:
    print("refused")
"""


def url(address: str, path: str = "/", port: int = HTTP) -> str:
    """Brackets where IPv6 needs them."""
    return f"http://[{address}]:{port}{path}" if ":" in address else f"http://{address}:{port}{path}"


def fetch(
    node: Node, address: str, path: str = "/", timeout: float = 3, source: str = ""
) -> str:
    """A new connection and one request; the answer's body, CommandError if there is none."""
    options = ["--interface", source] if source else []
    return node.out(
        ["curl", "-sS", "--fail", "--max-time", str(timeout), *options, url(address, path)],
        timeout=timeout + 5,
    )


def reaches(node: Node, address: str, timeout: float = 1) -> bool:
    """Whether a request is answered in time."""
    done = node.run(
        ["curl", "-sS", "-o", "/dev/null", "--max-time", str(timeout), url(address)], check=False
    )
    return done.returncode == 0


def works_within(
    seconds: float, node: Node, address: str, seen: str = "", *, source: str = ""
) -> str:
    """The answer of the first request that works again, with the address that the service saw."""

    def ask() -> str:
        body = fetch(node, address, timeout=0.5, source=source)
        assert not seen or body == seen, f"{address} saw {body}"
        return body

    return poll_until(ask, seconds, f"{node.name} reaches {address}" + (seen and f" as {seen}"))


def udp(node: Node, address: str, timeout: float = 1) -> str:
    """One datagram, and the answer: the address that the service saw."""
    family = "-6" if ":" in address else "-4"
    return node.out(
        f"echo hello | nc {family} -u -W 1 -w {int(timeout)} {address} {UDP}", timeout=timeout + 5
    )


def ping(node: Node, address: str, size: int = 56, *options: str) -> bool:
    """One echo request answered within a second."""
    return (
        node.run(
            ["ping", "-n", "-c", "1", "-W", "1", "-s", str(size), *options, address], check=False
        ).returncode
        == 0
    )


def is_refused(node: Node, address: str) -> bool:
    """Whether a datagram to a port where nobody listens is answered with the ICMP error."""
    return node.out(["python3", "-c", UDP_REFUSED, address]) == "refused"


def carry(node: Node, address: str, count: int) -> None:
    """One connection, every byte."""
    target = url(address, f"/bytes/{count}")
    got = node.out(
        ["curl", "-sS", "--fail", "--max-time", "60", "-o", "/dev/null",
         "-w", "%{size_download}", target], timeout=70,
    )  # fmt: skip
    assert int(got) == count


class Capture:
    """tcpdump on all of a node's interfaces while the `with` lasts; lines() is what it saw.

    Every packet is there once for each interface that it passes, with the interface's name and the
    direction (In, Out): "CloudflareWARP In  IP 100.64.12.189.40000 > 10.0.1.50.3000: Flags [S], …".
    """

    def __init__(self, node: Node, pcap_filter: str) -> None:
        self._node = node
        # Headers only: in immediate mode the ring holds as many packets as fit at full length.
        self._command = [
            "tcpdump", "-n", "-l", "-s", "128", "--immediate-mode", "-i", "any", pcap_filter,
        ]  # fmt: skip
        self._file = f"/run/lab/capture-{node.name}-{id(self)}"
        self._process: Process | None = None

    def __enter__(self) -> Capture:
        self._process = self._node.popen(self._command, output=self._file)
        poll_until(lambda: "listening on" in self._text(), 10, "tcpdump listens")
        return self

    def __exit__(self, *_args: object) -> None:
        assert self._process
        self._process.stop()
        self._node.processes.remove(self._process)

    def _text(self) -> str:
        assert self._process
        return self._process.text()

    def lines(self, interface: str = "", direction: str = "", having: str = "") -> list[str]:
        """So far, without the time."""
        found = []
        for line in self._text().splitlines():
            fields = line.split(None, 3)
            if len(fields) != 4 or not fields[3].startswith("IP"):
                continue
            if (interface or fields[1]) == fields[1] and (direction or fields[2]) == fields[2]:
                if having in fields[3]:
                    found.append(" ".join(fields[1:]))
        return found
