# SPDX-License-Identifier: Apache-2.0
"""Who is connected to whom.

    worker ─┐                    ┌─ gw1 ─┐        ┌─ service
    device ─┴─ edge ── uplink ───┴─ gw2 ─┴─ lan ──┴─ router ── site ── remote

The tables say it all; the functions make a node's part of them true. A node is a network namespace
of its name. The cables are veth pairs; lan, site and uplink are bridges in a namespace `switch`,
worker and device are connected to edge directly. What runs in the nodes is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lab.shell import run

SWITCH = "switch"
BRIDGES = ("lan", "site", "uplink")

# Where packets of the mesh come from: the defaults of meshgw.yaml.
RANGES = ("100.64.0.0/12", "100.96.0.0/12", "2606:4700:cf1:5000::/64", "2606:4700:cf1:1000::/64")
WORKER = ("100.64.12.189", "2606:4700:cf1:5000::bd")
DEVICE = ("100.96.0.10", "2606:4700:cf1:1000::10")
MESH = {
    "gw1": ("100.96.0.18", "2606:4700:cf1:1000::18"),
    "gw2": ("100.96.0.19", "2606:4700:cf1:1000::19"),
}
LAN_PREFIXES = ("10.0.1.0/24", "10.0.2.0/24", "2001:db8:1::/64", "2001:db8:2::/64")

FORWARDS = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


@dataclass(frozen=True)
class Port:
    """One end of a cable; the other end is `peer`, a bridge or the interface `name` of a node."""

    name: str
    peer: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What a node has."""

    ports: tuple[Port, ...]
    routes: tuple[str, ...] = ()
    sysctls: tuple[str, ...] = ()


def _gateway(number: int) -> Plan:
    return Plan(
        ports=(
            Port("eth0", "lan", (f"10.0.1.{number}/24", f"2001:db8:1::{number}/64")),
            Port("wan0", "uplink", (f"198.51.100.{number}/24",)),
        ),
        routes=("default via 10.0.1.1", "default via 2001:db8:1::1"),
    )


def _mesh_client(name: str, own: tuple[str, str], *sysctls: str) -> Plan:
    return Plan(
        ports=(Port("eth0", f"edge:{name}", (f"{own[0]}/32", f"{own[1]}/128")),),
        routes=(
            "default via 198.51.100.1 dev eth0 onlink",
            "default via fe80::1 dev eth0 onlink",
        ),
        sysctls=sysctls,
    )


PLANS = {
    "edge": Plan(
        ports=(Port("wan0", "uplink", ("198.51.100.1/24",)),),
        sysctls=FORWARDS,
    ),
    # A dead path is seen after 3 s, not after two minutes.
    "worker": _mesh_client("worker", WORKER, "net.ipv4.tcp_syn_retries=1"),
    "device": _mesh_client("device", DEVICE),
    "gw1": _gateway(11),
    "gw2": _gateway(12),
    "router": Plan(
        ports=(
            Port("eth0", "lan", ("10.0.1.1/24", "2001:db8:1::1/64")),
            Port("eth1", "site", ("10.0.2.1/24", "2001:db8:2::1/64")),
        ),
        sysctls=FORWARDS,
    ),
    "service": Plan(
        ports=(Port("eth0", "lan", ("10.0.1.50/24", "2001:db8:1::50/64")),),
        routes=("default via 10.0.1.1", "default via 2001:db8:1::1"),
    ),
    "remote": Plan(
        ports=(Port("eth0", "site", ("10.0.2.60/24", "2001:db8:2::60/64")),),
        routes=("default via 10.0.2.1", "default via 2001:db8:2::1"),
    ),
}

# What the edge knows of those behind it: (interface, addresses).
BEHIND_EDGE = (("worker", WORKER), ("device", DEVICE))

# A new namespace takes some of these from the host and some from the kernel: say all that matter.
# No redirects: one accepted would change a later test's path. No duplicate address detection: an
# address works at once.
BASE_SYSCTLS = (
    "net.ipv4.ip_forward=0",
    "net.ipv6.conf.all.forwarding=0",
    *(
        f"net.ipv4.conf.{scope}.{key}"
        for scope in ("all", "default")
        for key in ("rp_filter=0", "accept_redirects=0", "send_redirects=0")
    ),
    *(
        f"net.ipv6.conf.{scope}.{key}"
        for scope in ("all", "default")
        for key in ("accept_redirects=0", "accept_dad=0", "dad_transmits=0")
    ),
)


def _lab(command: Iterable[str], stdin: str | None = None) -> None:
    run("lab", (), list(command), stdin=stdin)


def _batch(node: str, lines: Iterable[str]) -> None:
    """iproute2 commands in a node, one a line, stopping at the first that fails."""
    text = "".join(f"{line}\n" for line in lines)
    if text:
        _lab(("ip", "-n", node, "-batch", "-"), text)


def add_switch() -> None:
    """The bridges."""
    _lab(("ip", "netns", "add", SWITCH))
    # Frames are to be switched, not filtered or answered.
    _lab(("ip", "netns", "exec", SWITCH, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"))
    _batch(
        SWITCH,
        (
            line
            for bridge in BRIDGES
            for line in (
                f"link add {bridge} type bridge mcast_snooping 0",
                f"link set {bridge} up",
            )
        ),
    )


def add_node(name: str) -> None:
    """A node's namespace, cables, addresses and routes; edge goes before worker and device."""
    _lab(("ip", "netns", "add", name))
    set_sysctls(name)
    _batch(name, ["link set lo up"])
    for port in PLANS[name].ports:
        plug(name, port)
    configure(name)


def set_sysctls(name: str) -> None:
    """The common ones, then the node's."""
    settings = (*BASE_SYSCTLS, *PLANS[name].sysctls)
    _lab(("ip", "netns", "exec", name, "sysctl", "-qw", *settings))


def _cable(name: str, port: Port, far: str) -> str:
    """A veth pair. The node's end keeps its address over a reboot, as a network card does: the
    neighbours would go on sending to the old one for a while."""
    mac = f"02:00:00:00:{list(PLANS).index(name):02x}:{PLANS[name].ports.index(port):02x}"
    return f"link add {far} type veth peer name {port.name} address {mac} netns {name}"


def link_local(name: str) -> str:
    """The address that the kernel makes of the first cable's."""
    return f"fe80::ff:fe00:{list(PLANS).index(name) << 8:x}"


def plug(name: str, port: Port) -> None:
    """Makes the cable and switches its far end on."""
    where, _, far = port.peer.partition(":")
    if far:
        _batch(where, [_cable(name, port, far)])
        _batch(where, [f"link set {far} up", f"addr replace fe80::1/64 dev {far} nodad"])
        for ifname, addresses in BEHIND_EDGE:
            if ifname == far:
                _batch(where, [f"route replace {a} dev {far}" for a in addresses])
    else:
        far = f"{name}-{port.name}"
        _batch(
            SWITCH,
            [_cable(name, port, far), f"link set {far} master {where} up"],
        )


def configure(name: str) -> None:
    """Links up, addresses, routes; from whatever state these were in."""
    plan = PLANS[name]
    lines = []
    for port in plan.ports:
        lines.append(f"link set {port.name} up")
        for address in port.addresses:
            lines.append(f"addr replace {address} dev {port.name}" + _nodad(address))
    lines += [f"route replace {route}" for route in plan.routes]
    _batch(name, lines)


def _nodad(address: str) -> str:
    return " nodad" if ":" in address else ""


def remove_node(name: str) -> None:
    """Its cables and the namespace. The kernel takes a namespace apart when it has time, and until
    then the cables' other ends have the names that the next ones are to have."""
    for port in PLANS[name].ports if name in PLANS else ():  # the switch has none of its own
        where, _, far = port.peer.partition(":")
        if not far:
            where, far = SWITCH, f"{name}-{port.name}"
        run("lab", (), ["ip", "-n", where, "link", "del", far], check=False)
    _lab(("ip", "netns", "del", name))


def router_routes(gateway: str) -> list[str]:
    """A site router's hand-made routes for the mesh by one gateway, for `ip route`."""
    via = {":" in a: a.partition("/")[0] for a in PLANS[gateway].ports[0].addresses}
    return [f"{prefix} via {via[':' in prefix]}" for prefix in RANGES]


def hosts() -> str:
    """/etc/hosts for everybody."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for name, plan in PLANS.items():
        for address in plan.ports[0].addresses:
            lines.append(f"{address.partition('/')[0]} {name}")
    return "".join(f"{line}\n" for line in lines)
