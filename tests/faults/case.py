# SPDX-License-Identifier: Apache-2.0
"""A case of the fault matrix: data, read from one YAML file; README.md says what may stand in it.

Templates in braces ({service}, {ip}) are filled in by the case's family; names that are not known
here are an error, other braces stay.
"""

from __future__ import annotations

import copy
import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab import flow, network

CASES = Path(__file__).parent / "cases"
SITES = ("bare", "route", "masquerade", "bgp")
KINDS = (
    "single", "negative", "decoy", "pair", "indistinguishable", "lookalike", "metamorphic",
    "degraded",
)  # fmt: skip
REMEDIES = ("gateway", "elsewhere", "none")
PORTS = {"tcp": flow.HTTP, "http": flow.HTTP, "udp": flow.UDP, "https": 3100, "icmp": 0}
SERVED = 3100  # where a case's own service listens
HEALTHY = "healthy"
REPAIR_S = 4.0

Action = tuple[str, Any]


@dataclass(frozen=True)
class Expect:
    """The label: written before anybody looks."""

    code: str
    sibling: str = ""
    why: str = ""
    next: str = ""
    forbidden: tuple[str, ...] = ()
    # None of these may be named alone: the gateway cannot tell them apart.
    among: tuple[str, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One run."""

    name: str
    title: str
    kind: str
    site: str
    router: str
    family: int
    flow: dict[str, Any]
    then: dict[str, Any]  # what is another flow once the fault is there
    ask: tuple[str, ...]  # words of `meshgw diagnose`
    caller: str
    bystander: bool
    calls: bool  # whether the caller goes on while the question is asked
    limit: float
    given: tuple[Action, ...]
    inject: tuple[Action, ...]
    undo: tuple[Action, ...]
    expect: Expect
    remedy: str
    within: float  # seconds from the fault to its effect
    repair: float  # from the remedy's last command to an answer
    ci: bool

    @property
    def breaks(self) -> bool:
        """Whether the flow must fail once the fault is there."""
        return self.expect.code != HEALTHY


class CaseError(Exception):
    """A file that says no case."""


def words(family: int) -> dict[str, str]:
    """The templates."""
    six = int(family == 6)
    prefix = {False: [], True: []}  # type: dict[bool, list[str]]
    for text in network.RANGES:
        prefix[":" in text].append(text)
    ranges = prefix[bool(six)]
    networks = [p for p in network.LAN_PREFIXES if (":" in p) == bool(six)]
    router = [a.partition("/")[0] for a in network.PLANS["router"].ports[0].addresses]
    remote_router = [a.partition("/")[0] for a in network.PLANS["router"].ports[1].addresses]
    gw2 = [a.partition("/")[0] for a in network.PLANS["gw2"].ports[0].addresses]
    return {
        "f": "46"[six],
        "ip": f"ip -{'46'[six]}",
        "nf": ("ip", "ip6")[six],
        "inet": ("ipv4", "ipv6")[six],
        "icmp": ("icmp", "icmpv6")[six],
        "iptables": ("iptables", "ip6tables")[six],
        "host": ("32", "128")[six],
        "conf": f"net.{('ipv4', 'ipv6')[six]}.conf",
        "any": ("0.0.0.0/0", "::/0")[six],
        "mesh": "CloudflareWARP",
        "lan": "eth0",
        "worker": flow.WORKER[six],
        "device": flow.DEVICE[six],
        "service": flow.SERVICE[six],
        "remote": flow.REMOTE[six],
        "gw1": flow.GW1[six],
        "gw2": gw2[six],
        "mesh1": network.MESH["gw1"][six],
        "router": router[six],
        "siterouter": remote_router[six],
        "workers": ranges[0],
        "devices": ranges[1],
        "network": networks[0],
        "site": networks[1],
        "served": str(SERVED),
        "bpf": "/run/faults",
    }


def fill(value: Any, known: dict[str, str]) -> Any:
    """Templates, however deep."""
    if isinstance(value, dict):
        return {key: fill(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    if not isinstance(value, str):
        return value

    def put(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise CaseError(f"{{{match[1]}}} is no template")
        return known[match[1]]

    return re.sub(r"\{([a-z][a-z0-9]*)\}", put, value)


def actions(value: Any) -> tuple[Action, ...]:
    """[{node: commands}, …]: each command by itself."""
    found = []
    for item in value or []:
        for node, what in item.items():
            found += [(node, one) for one in (what if isinstance(what, list) else [what])]
    return tuple(found)


def expected(value: Any) -> Expect:
    """A code, or all that is to be said."""
    if isinstance(value, str):
        return Expect(code=value)
    sibling = value.get("sibling") or {}
    return Expect(
        code=value["code"],
        sibling=sibling.get("code", ""),
        why=sibling.get("why", ""),
        next=value.get("next", ""),
        forbidden=tuple(value.get("forbidden", ())),
        among=tuple(value.get("among", ())),
        attributes={key: str(item) for key, item in value.get("attributes", {}).items()},
    )


def target(told: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    """What a user would type."""
    if "ask" in told:
        asked = told["ask"]
        return asked if isinstance(asked, list) else str(asked).split()
    proto, address = spec["proto"], spec["address"]
    host = spec.get("host") or (f"[{address}]" if ":" in address else address)
    if proto == "icmp":
        return [f"icmp://{address}"]
    if proto in ("http", "https"):
        return [f"{proto}://{host}:{spec['port']}{spec.get('path', '/')}"]
    return [f"{'udp://' if proto == 'udp' else ''}{host}:{spec['port']}"]


def flow_of(told: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """proto, address and port, and what else is special."""
    spec = dict(told)
    spec.setdefault("proto", "tcp")
    spec.setdefault("port", PORTS[spec["proto"]])
    where = spec.pop("target", "service")
    spec.setdefault("address", known.get(where, where))
    if spec["proto"] == "https":
        spec.setdefault("ca", "/run/faults/ca.crt")
    return spec


def case_of(name: str, raw: dict[str, Any], ci: bool) -> Case:
    """One, complete; `ci` unless it says otherwise."""
    told = {"ci": ci, **raw}
    family = told.pop("family", 4)
    known = words(family)
    spec = flow_of(fill(told.get("flow", {}), known), known)
    known["target"], known["port"] = spec["address"], str(spec["port"])
    known["at"] = target({}, spec)[0]
    told = fill(told, known)
    then = {**told.get("flow", {}), **told.get("then", {})}
    later = flow_of(then, known)
    case = Case(
        name=name,
        title=told["title"],
        kind=told.get("kind", "single"),
        site=told.get("site", "bare"),
        router=told.get("router", ""),
        family=family,
        flow=spec,
        then=later,
        ask=tuple(target(told, later)),
        caller=told.get("caller", "worker"),
        bystander=told.get("bystander", False),
        calls=told.get("calls", True),
        limit=told.get("limit", 0.8),
        given=actions(told.get("given")),
        inject=actions(told.get("inject")),
        undo=actions(told.get("undo")),
        expect=expected(told["expect"]),
        remedy=told.get("remedy", "elsewhere"),
        within=told.get("within", 0.0),
        repair=told.get("repair", REPAIR_S),
        ci=told["ci"],
    )
    for value, allowed in ((case.kind, KINDS), (case.site, SITES), (case.remedy, REMEDIES)):
        if value not in allowed:
            raise CaseError(f"{name}: {value!r} is none of {' '.join(allowed)}")
    return case


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """A variant: flow and expect are joined, all else is replaced."""
    result = copy.deepcopy(base)
    for key, value in over.items():
        if key in ("flow", "then") and key in result:
            result[key] = {**result[key], **value}
        else:
            result[key] = value
    return result


def label(over: dict[str, Any]) -> str:
    """What is special about a variant, in its name."""
    if "name" in over:
        return str(over["name"])
    parts = []
    for key in ("site", "family", "caller", "flow"):
        value = over.get(key)
        if isinstance(value, dict):
            parts += [str(item).strip("/").replace("/", "-") for item in value.values()]
        elif value is not None:
            parts.append(f"ipv{value}" if key == "family" else str(value))
    return "-".join(parts)


def crossed(axes: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Every combination, as variants; proto and target are the flow's."""
    found = []
    for values in itertools.product(*axes.values()):
        over: dict[str, Any] = {}
        for axis, value in zip(axes, values):
            if axis in ("proto", "target"):
                over.setdefault("flow", {})[axis] = value
            else:
                over[axis] = value
        over["name"] = "-".join(map(str, values))
        found.append(over)
    return found


def load(path: Path) -> list[Case]:
    """All of a file. In CI runs the first, and what asks for it by `ci: true`."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CaseError(f"{path}: {error}") from error
    name = str(path.relative_to(CASES).with_suffix(""))
    raw.pop("comment", None)
    variants = raw.pop("variants", [])
    cross = crossed(raw.pop("cross", {}))[1:]
    known = set(Case.__dataclass_fields__)
    try:
        if wrong := (set(raw) | {key for v in variants for key in v}) - known:
            raise CaseError(f"what is {' '.join(wrong)}?")
        every = raw.get("kind") in ("negative", "decoy")
        cases = [case_of(name, raw, True)]
        for over in variants:
            body = {"ci": every, **over}
            body.pop("name", None)
            cases.append(case_of(f"{name}[{label(over)}]", merged(raw, body), every))
        cases += [
            case_of(f"{name}[{over.pop('name')}]", merged(raw, {"ci": False, **over}), False)
            for over in cross
        ]
    except (CaseError, KeyError, TypeError, AttributeError) as error:
        raise CaseError(f"{path}: {error!r}") from error
    return cases


def load_all() -> list[Case]:
    """In the order of their sites, so that each is made once."""
    cases = [case for path in sorted(CASES.rglob("*.yaml")) for case in load(path)]
    names = [case.name for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CaseError(f"named twice: {' '.join(twice)}")
    return sorted(cases, key=lambda c: (SITES.index(c.site), c.router))
