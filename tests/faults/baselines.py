# SPDX-License-Identifier: Apache-2.0
"""What simpler diagnosers would have said, from the evidence that was recorded.

    checklist  the first thing that looks wrong, in the order of Cloudflare's guide
    drops      the kernel's reason for dropping the flow's packets, and nothing else
    static     links, routes, rules, filters' policies, BGP; no packet
    always     the cause that everybody meets
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Fact = dict[str, Any]
Result = dict[str, Any]
HEALTHY = "healthy"
REASONS = {
    "NETFILTER_DROP": "filter-drop-forward",
    "IP_RPFILTER": "rp-filter-strict",
    "IP_INADDRERRORS": "forwarding-disabled",
    "IP_INNOROUTES": "no-route-to-destination",
    "IP_OUTNOROUTES": "no-route-to-destination",
    "IP_INHDR": "ttl-expired",
    "IP_CSUM": "checksum-bad-ip",
    "TCP_CSUM": "checksum-bad-l4",
    "PKT_TOO_BIG": "pmtu-blackhole-lan",
    "NEIGH_FAILED": "neighbour-unresolved",
    "IP_LOCALNET": "martian-source",
    "IP_INVALID_SOURCE": "martian-source",
    "IP_LOCAL_SOURCE": "source-is-own-address",
    "IPV6DISABLED": "ipv6-disabled",
    "FULL_RING": "tunnel-queue-full",
    "QDISC_DROP": "egress-queue-drop",
    "TC_INGRESS": "tc-or-xdp-drop",
    "TC_EGRESS": "tc-or-xdp-drop",
    "XDP": "tc-or-xdp-drop",
    "NO_SOCKET": "service-port-closed",
    "NOT_SPECIFIED": "route-blackhole",
}
ERRORS = {
    errno.ENETUNREACH: "no-route-to-destination",
    errno.EHOSTUNREACH: "route-unreachable",
    errno.EINVAL: "route-blackhole",
    errno.EACCES: "route-prohibit",
}
MAIN = 254


class Facts:
    """Of one record."""

    def __init__(self, record: Any) -> None:
        self.record = record or {}
        self._all: list[Fact] = self.record.get("facts", [])

    def of(self, kind: str, **having: Any) -> Iterator[Fact]:
        """Those that have these values."""
        for fact in self._all:
            if fact.get("kind") == kind and all(fact.get(k) == v for k, v in having.items()):
                yield fact

    def first(self, kind: str, **having: Any) -> Fact:
        """Or an empty one."""
        return next(self.of(kind, **having), {})

    def off(self, ending: str, value: int) -> bool:
        """Whether a sysctl has this value."""
        return any(f["key"].endswith(ending) and f["value"] == value for f in self.of("sysctl"))


def link_wrong(facts: Facts) -> str:
    """The tunnel's interface."""
    mesh = facts.first("link", role="mesh")
    if mesh and not mesh.get("exists"):
        return "tunnel-interface-missing"
    if mesh and not (mesh.get("up") and mesh.get("carrier")):
        return "tunnel-interface-down"
    return ""


def forwarding_off(facts: Facts) -> str:
    """By the switch for all."""
    off = facts.off("net.ipv4.ip_forward", 0) or facts.off("ipv6.conf.all.forwarding", 0)
    return "forwarding-disabled" if off else ""


def policy_drops(facts: Facts) -> str:
    """A chain that drops what it does not know."""
    drops = any(facts.of("chain", hook="forward", policy="drop"))
    return "filter-drop-forward" if drops else ""


def bgp_wrong(facts: Facts) -> str:
    """A session that is not established."""
    if facts.first("bgp", configured=True, daemon=False):
        return "bgp-daemon-down"
    down = any(f.get("state") != "Established" for f in facts.of("bgp-neighbour"))
    return "bgp-session-down" if down else ""


def way_back_wrong(facts: Facts) -> str:
    """The kernel's answer about the way to the caller."""
    back, mesh = facts.first("lookup", question="reverse"), facts.record.get("meshInterface")
    if not back or back.get("oif") == mesh:
        return ""
    if back.get("hidesMeshRoute"):
        return "return-route-shadowed"
    if back.get("entry") and back.get("table") not in (None, MAIN):
        return "policy-rule-captures-return"
    return "return-route-missing"


def way_wrong(facts: Facts) -> str:
    """The kernel's answer about the way to the service."""
    way = facts.first("lookup", question="forward")
    lan, mesh = facts.record.get("lanInterface"), facts.record.get("meshInterface")
    if not way:
        return ""
    if way.get("error"):
        return ERRORS.get(abs(way["error"]), "no-route-to-destination")
    if way.get("oif") == mesh:
        return "route-hairpin-tunnel"
    if lan and way.get("type") != "local" and way.get("oif") != lan:
        return "route-wrong-egress"
    return "route-linkdown" if way.get("linkdown") else ""


def service_wrong(facts: Facts) -> str:
    """A connect of the gateway's own."""
    told = facts.first("probe", probe="own").get("outcome")
    return {"refused": "service-port-closed", "silent": "service-silent-drop"}.get(str(told), "")


def reverse_filter(facts: Facts) -> str:
    """Strict anywhere."""
    return "rp-filter-strict" if facts.off(".rp_filter", 1) else ""


def lan_wrong(facts: Facts) -> str:
    """The LAN's interface."""
    lan = facts.first("link", role="lan")
    return "lan-interface-down" if lan and not lan.get("up") else ""


def not_allowed(facts: Facts) -> str:
    """By our own configuration."""
    return "not-allowed" if facts.first("config", up=True, allowed=False) else ""


def first_of(*looks: Callable[[Facts], str]) -> Callable[[Facts], str]:
    """The first that finds something."""
    return lambda facts: next(filter(None, (look(facts) for look in looks)), HEALTHY)


def drops(facts: Facts) -> str:
    """The most frequent one's."""
    # Answers to what was injected end in the diagnosis' own filter.
    seen = (f for f in facts.of("drop") if f.get("origin") == "real" or f.get("toTarget"))
    found = sorted(seen, key=lambda f: -int(f.get("count", 0)))
    return next((REASONS[f["reason"]] for f in found if f["reason"] in REASONS), HEALTHY)


BASELINES: dict[str, Callable[[Facts], str]] = {
    "checklist": first_of(
        link_wrong, forwarding_off, reverse_filter, policy_drops, way_back_wrong, service_wrong,
        bgp_wrong,
    ),
    "drops": drops,
    "static": first_of(
        link_wrong, lan_wrong, forwarding_off, way_wrong, not_allowed, policy_drops, way_back_wrong,
        bgp_wrong, reverse_filter,
    ),
    "always": lambda _facts: "return-route-missing",
}  # fmt: skip


def report(results: Sequence[Result]) -> int:
    """A line for each, and for the project; 1 without records."""
    results = [r for r in results if r.get("record")]
    faults = [r for r in results if r["breaks"]]
    quiet = [r for r in results if not r["breaks"]]
    print(f"\nbaselines, from {len(results)} records: precision = recall, and false alarms")
    for name, says in BASELINES.items():
        hits = sum(says(Facts(r["record"])) == r["code"] for r in faults)
        alarms = sum(says(Facts(r["record"])) != HEALTHY for r in quiet)
        print(f"  {name:<10} {hits / max(len(faults), 1):.3f}  {alarms} of {len(quiet)}")
    ours = sum(r["outcome"] == "right" for r in faults)
    print(f"  {'meshgw':<10} {ours / max(len(faults), 1):.3f}  (its recall)")
    return 0 if results else 1
