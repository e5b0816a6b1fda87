# SPDX-License-Identifier: Apache-2.0
"""A node's network, back to how network.add_node() made it, whatever happened to it since."""

from __future__ import annotations

from collections.abc import Mapping

from lab import network
from lab.node import Node
from lab.state import State

# The kernel's own, but for the one of table local.
RULES = ("-4 rule add pref 32766 lookup main", "-4 rule add pref 32767 lookup default",
         "-6 rule add pref 32766 lookup main")  # fmt: skip


def restore(node: Node, sysctls: Mapping[str, str]) -> None:
    """The node's own interfaces stay, all that is in them is thrown away; others' go."""
    own = {"lo", *(port.name for port in network.PLANS[node.name].ports)}
    node.run("nft flush ruleset")
    node.run("conntrack -F")
    for link in node.json("ip -j link"):
        if link["ifname"] not in own:
            node.run(["ip", "link", "del", link["ifname"]])
    lines = [line for family in (4, 6) for line in _flush_rules(node, family)]
    lines += [f"-{family} route flush table all" for family in (4, 6)]
    for ifname in sorted(own):
        mtu = 65536 if ifname == "lo" else 1500
        lines += [f"link set {ifname} down mtu {mtu}", f"addr flush dev {ifname}"]
    _batch(node, (*lines, *RULES))
    have = State(node).sysctls()
    wrong = [
        f"{key}={value}"
        for key, value in sysctls.items()
        if have.get(key, value) != value and not key.endswith(".mtu")
    ]
    if wrong:
        node.run(["sysctl", "-qw", *wrong])
    _batch(node, ("link set lo up",))
    network.configure(node.name)


def _flush_rules(node: Node, family: int) -> list[str]:
    """`ip rule flush` leaves all of priority 0, where others than the kernel's may be as well."""
    first = [rule for rule in node.json(f"ip -j -{family} rule") if rule["priority"] == 0]
    if len(first) == 1:
        return [f"-{family} rule flush"]
    delete = [f"-{family} rule del pref 0"] * len(first)
    return [f"-{family} rule flush", *delete, f"-{family} rule add pref 0 lookup local"]


def _batch(node: Node, lines: tuple[str, ...]) -> None:
    # iproute2's own batch mode knows one family a run.
    node.run("sh -e", stdin="".join(f"ip {line}\n" for line in lines))
