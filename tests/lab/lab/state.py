# SPDX-License-Identifier: Apache-2.0
"""What a machine's network looks like, to be compared: what we did not make must stay as it was.

A State is a set of lines, each naming its kind first. Left out is only what changes by itself:
counters, timers, interface numbers, link-local addresses made at random.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from lab.node import Node

# The marks of gateway/lib/marks.h.
OUR_PROTOCOLS = ("107", "meshgw")
OUR_TABLE = "table inet meshgw"
OUR_COMMENT = 'comment "meshgw remedy"'

# Numbers that the kernel moves; keys that cannot be read.
UNSTABLE_SYSCTLS = re.compile(
    r"net\.netfilter\.nf_conntrack_(count|max|buckets)"
    r"|net\.(ipv4|ipv6)\..*\.(flush|stable_secret)"
)
LINK_LOCAL = re.compile(r"fe80::[0-9a-f]{1,4}(:[0-9a-f]{1,4})+")


def _links(node: Node) -> list[str]:
    return [
        f"link {link['ifname']} mtu {link['mtu']} flags {','.join(sorted(link['flags']))}"
        for link in node.json("ip -j link")
    ]


def _addresses(node: Node) -> list[str]:
    return [
        f"address {link['ifname']} {info['local']}/{info['prefixlen']} {info['scope']}"
        for link in node.json("ip -j addr")
        for info in link["addr_info"]
        if "local" in info
    ]


def _line(kind: str, entry: dict[str, Any], drop: Collection[str]) -> str:
    return f"{kind} " + json.dumps(
        {key: value for key, value in entry.items() if key not in drop}, sort_keys=True
    )


def _rules(node: Node) -> list[str]:
    return [
        _line(f"rule{family}", rule, ())
        for family in ("-4", "-6")
        for rule in node.json(f"ip -j {family} rule")
    ]


def _routes(node: Node) -> list[str]:
    return [
        _line(f"route{family}", route, ("expires", "nhid"))
        for family in ("-4", "-6")
        for route in node.json(f"ip -j -N {family} route show table all")
    ]


def _ruleset(node: Node) -> list[str]:
    """One line a table, with all that it holds but the counters and our rules in it: these have
    lines of their own."""
    text = node.out("nft -s list ruleset")
    rules = text.split("\n")
    others = "\n".join(rule for rule in rules if OUR_COMMENT not in rule)
    return [f"nft {table}" for table in re.split(r"\n(?=table )", others) if table] + [
        f"remedy {rule.strip()}" for rule in rules if OUR_COMMENT in rule
    ]


def _sysctls(node: Node) -> list[str]:
    text = node.out("sysctl -a -r '^net[.]' 2>/dev/null")
    return [f"sysctl {line}" for line in text.splitlines() if not UNSTABLE_SYSCTLS.match(line)]


PARTS = (_links, _addresses, _rules, _routes, _ruleset, _sysctls)


def is_ours(line: str) -> bool:
    """Whether a line carries a mark of ours."""
    kind, _, rest = line.partition(" ")
    if kind.startswith("route"):
        return json.loads(rest).get("protocol") in OUR_PROTOCOLS
    return kind == "remedy" or (kind == "nft" and rest.startswith(OUR_TABLE))


class State:
    """A moment of a node's network."""

    def __init__(self, node: Node) -> None:
        self.lines = [LINK_LOCAL.sub("fe80::*", line) for part in PARTS for line in part(node)]

    def sysctls(self) -> dict[str, str]:
        """Key and value of each."""
        pairs = (line.removeprefix("sysctl ") for line in self.lines if line.startswith("sysctl "))
        return dict(pair.split(" = ", 1) for pair in pairs)

    def difference(
        self, later: State, *, ours: bool = True, sysctls: Collection[str] = ()
    ) -> list[str]:
        """What a later state lacks (-) and has more (+), sorted; empty if nothing.

        Without `ours` what carries our marks is left out, and so are the sysctls named.
        """

        def counts(line: str) -> bool:
            named = line.removeprefix("sysctl ").partition(" =")[0]
            return (ours or not is_ours(line)) and named not in sysctls

        before = {line for line in self.lines if counts(line)}
        after = {line for line in later.lines if counts(line)}
        return sorted(f"- {line}" for line in before - after) + sorted(
            f"+ {line}" for line in after - before
        )
