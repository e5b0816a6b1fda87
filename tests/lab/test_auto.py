# SPDX-License-Identifier: Apache-2.0
"""`return_path: auto` chooses by what the witnesses answer.

    worker ── edge ══ CloudflareWARP gw1 eth0 ──┬── service 10.0.1.50
                                                └── router ── remote 10.0.2.60

What the router knows of the mesh is made by hand here: proof is an answer, whatever led it back.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auto import LAN, SITE, TIMERS, WITNESSES, Auto, config
from lab import flow, network
from lab.lab import Lab
from lab.node import Node
from lab.shell import run
from warp import Traits

# What admits the LAN and not the mesh: one of remote's addresses, in each family.
LAN_ONLY = ("10.0.2.61", "2001:db8:2::61")
MESH4 = "{ 100.64.0.0/12, 100.96.0.0/12 }"
MESH6 = "{ 2606:4700:cf1:5000::/64, 2606:4700:cf1:1000::/64 }"
# Silently in IPv4, aloud in IPv6.
ONLY_LAN = f"""\
ip saddr {MESH4} ip daddr {LAN_ONLY[0]} drop
ip6 saddr {MESH6} ip6 daddr {LAN_ONLY[1]} meta l4proto tcp reject with tcp reset
"""


def rules(node: Node, text: str, hook: str = "input", name: str = "obstacle") -> None:
    """Somebody's filter, in place of the one before."""
    node.run(
        ["nft", "-f", "-"],
        stdin=f"""
table inet {name}
delete table inet {name}
table inet {name} {{
    chain obstacle {{
        type filter hook {hook} priority 0;
        {text}
    }}
}}
""",
    )


@pytest.fixture(autouse=True)
def _no_obstacles(lab: Lab) -> Iterator[None]:
    yield
    for node in (lab.remote, lab.router.outside):
        node.run("nft destroy table inet obstacle")
    lab.remote.run("sysctl -qw net.ipv4.icmp_ratelimit=1000 net.ipv6.icmp.ratelimit=1000")
    for address in LAN_ONLY:
        family = "-6" if ":" in address else "-4"
        lab.remote.run(f"ip {family} addr flush dev eth0 to {address}")


def add_hosts(remote: Node, *addresses: str) -> None:
    """More addresses for remote."""
    for address in addresses:
        length, flags = (64, "nodad") if ":" in address else (24, "")
        remote.run(f"ip addr replace {address}/{length} dev eth0 {flags}")


def with_hosts() -> str:
    """A second witness in each network behind the router."""
    return config(
        {
            SITE[0]: ["10.0.2.60:3000", "10.0.2.61:3000"],
            SITE[1]: ["[2001:db8:2::60]:3000", "[2001:db8:2::61]:3000"],
        }
    )


def test_static_routes_prove_the_path(lab: Lab) -> None:
    """Made, removed and made again by hand at the router; the daemon restarts in between."""
    auto = Auto(lab)
    auto.rounds(SITE[0])
    auto.becomes("masquerade", *SITE, *LAN)
    auto.shows("return-path-unproven", SITE[0])
    auto.sees("masquerade", *flow.REMOTE, *flow.SERVICE)

    lab.routing.become("static")
    auto.becomes("route", *SITE, *LAN)
    auto.shows("return-path-unproven", SITE[0], there=False)
    auto.sees("route", *flow.REMOTE, *flow.SERVICE)
    assert auto.journal("masquerade -> route.*network=10.0.2.0/24.*yes=1 no=0")

    # Nobody can be asked while it starts, and nothing changes by that.
    rules(lab.remote, "tcp dport 3000 tcp flags syn drop")
    auto.gw.run("systemctl kill -s KILL meshgwd; systemctl restart meshgwd")
    proof = auto.rounds(SITE[0])["proof"]
    assert proof["state"] == "adopted" and proof["lastRound"] == "silent", proof
    lab.remote.run("nft destroy table inet obstacle")
    auto.sees("route")

    lab.routing.become("none")
    auto.becomes("masquerade", *SITE, *LAN)
    auto.shows("return-path-lost", SITE[0])
    auto.sees("masquerade", *flow.REMOTE, *flow.SERVICE)
    lab.routing.become("static")
    auto.becomes("route", *SITE, *LAN)
    auto.sees("route", *flow.REMOTE, *flow.SERVICE)
    auto.shows("return-path-lost", SITE[0], there=False)


def test_one_host_admits_only_the_lan(lab: Lab) -> None:
    """It alone stays masqueraded, until it admits the mesh."""
    add_hosts(lab.remote, *LAN_ONLY)
    rules(lab.remote, ONLY_LAN)
    auto = Auto(lab, with_hosts(), router="static")
    auto.becomes("route")
    for host in LAN_ONLY:
        auto.shows("host-masqueraded", host)
    auto.sees("route", *flow.REMOTE)
    auto.sees("masquerade", *LAN_ONLY)
    lab.remote.run("nft destroy table inet obstacle")
    for host in LAN_ONLY:
        auto.shows("host-masqueraded", host, there=False)
    auto.sees("route", *flow.REMOTE, *LAN_ONLY)

    # Closed again under routes: its next flow works as soon as the probes have shown it.
    rules(lab.remote, ONLY_LAN)
    for host in LAN_ONLY:
        auto.shows("host-masqueraded", host)
    auto.sees("masquerade", *LAN_ONLY)
    auto.sees("route", *flow.REMOTE)


def test_route_by_hand_on_one_host(lab: Lab) -> None:
    """One of three answers by itself, and does not speak for its LAN. When only it does not,
    it is an exception."""
    hosts = ("10.0.1.50", "10.0.1.51", "10.0.1.52")
    more = f"ip addr add {hosts[1]}/24 dev eth0 && ip addr add {hosts[2]}/24 dev eth0"
    lab.service.run(more)
    try:
        for prefix in network.RANGES[:2]:
            lab.service.run(f"ip route add {prefix} via 10.0.1.11 table 110")
        lab.service.run(f"ip rule add from {hosts[0]} lookup 110")
        auto = Auto(lab, config({LAN[0]: [f"{host}:3000" for host in hosts]}))
        proof = auto.rounds(LAN[0], 5)["proof"]
        assert proof["state"] == "unproven" and proof["lastRound"] == "bad", proof
        assert "2 of 3 hosts" in proof["why"], proof
        assert [w["range"] for w in proof["witnesses"]] == ["answered", "silent", "silent"]
        auto.sees("masquerade", *hosts)

        lab.service.run(f"ip rule del lookup 110; ip rule add not from {hosts[0]} lookup 110")
        auto.becomes("route", LAN[0])
        auto.shows("host-masqueraded", hosts[0])
        auto.sees("route", *hosts[1:])
        auto.sees("masquerade", hosts[0])
    finally:
        lab.service.run(
            "ip rule del lookup 110; ip route flush table 110;"
            f" ip addr del {hosts[1]}/24 dev eth0; ip addr del {hosts[2]}/24 dev eth0",
            check=False,
        )


def test_target_falls_silent_with_the_switch(lab: Lab) -> None:
    """It answered a masqueraded Worker and is no witness that rounds ask; what shows it is a flow
    that stays without an answer."""
    add_hosts(lab.remote, *LAN_ONLY)
    rules(lab.remote, ONLY_LAN.replace("meta l4proto tcp reject with tcp reset", "drop"))
    one = {prefix: WITNESSES[prefix] for prefix in SITE}
    auto = Auto(lab, config(one, TIMERS.replace("{", "{witnesses: 1, ")))
    auto.sees("masquerade", *LAN_ONLY)
    lab.routing.become("static")
    auto.becomes("route")
    assert not [c for c, _ in auto.conditions() if c == "host-masqueraded"]
    auto.sees("masquerade", *LAN_ONLY, seconds=5.0)
    for host in LAN_ONLY:
        auto.shows("host-masqueraded", host)
    auto.sees("route")


def test_witnesses_fall_silent(lab: Lab) -> None:
    """One dies while another lives; then nobody answers at all. Routes stay in both cases."""
    add_hosts(lab.remote, *LAN_ONLY)
    auto = Auto(lab, with_hosts(), router="static")
    auto.becomes("route")
    for address in LAN_ONLY:
        family = "-6" if ":" in address else "-4"
        lab.remote.run(f"ip {family} addr flush dev eth0 to {address}")
    for prefix in SITE:
        assert auto.rounds(prefix)["proof"]["lastRound"] == "good"
    auto.becomes("route")
    rules(lab.remote, "tcp dport 3000 drop")
    for prefix in SITE:
        auto.shows("witness-silent", prefix)
        assert auto.rounds(prefix)["effective"] == "route"
    lab.remote.run("nft destroy table inet obstacle")
    for prefix in SITE:
        auto.shows("witness-silent", prefix, there=False)
    auto.sees("route")


def test_output_filter_eats_the_probe(lab: Lab) -> None:
    """Forwarded flows live beside it; whatever the mode is, it stays."""
    auto = Auto(lab, router="static")
    auto.becomes("route")
    rules(
        auto.gw.outside,
        "oifname eth0 ip daddr 10.0.2.0/24 reject\n oifname eth0 ip6 daddr 2001:db8:2::/64 reject",
        "output",
    )
    for prefix in SITE:
        auto.shows("probe-filtered-locally", prefix)
        assert auto.rounds(prefix)["effective"] == "route"
    auto.sees("route")
    auto.gw.outside.run("nft destroy table inet obstacle")
    for prefix in SITE:
        auto.shows("probe-filtered-locally", prefix, there=False)


@pytest.mark.client("its filter")
def test_client_that_rejects_the_lan(lab: Lab) -> None:
    """Cloudflare's own output chain, where the device profile does not exclude the LAN."""
    auto = Auto(lab, router="static", traits=Traits(inject6=False, strict_output=True))
    for prefix in SITE:
        auto.shows("probe-filtered-locally", prefix)
        assert auto.rounds(prefix)["effective"] == "masquerade"
    # It rejects the neighbour discovery of IPv6 as well.
    auto.sees("masquerade", flow.REMOTE[0])


@pytest.mark.parametrize("verdict", ["reject", "reject with tcp reset"])
def test_refusal_is_an_answer(lab: Lab, verdict: str) -> None:
    """The service refuses everybody, by an ICMP error or a RST: the way back is there."""
    lab.remote.run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")
    rules(lab.remote, f"meta l4proto tcp tcp dport 9 {verdict}")
    auto = Auto(
        lab,
        config({SITE[0]: ["10.0.2.60:9"], SITE[1]: ["[2001:db8:2::60]:9"]}),
        router="static",
    )
    auto.becomes("route")
    auto.sees("route")
    lab.routing.become("none")
    auto.becomes("masquerade")
    auto.sees("masquerade")


def test_stateful_router(lab: Lab) -> None:
    """It forwards what the hosts of the LAN answer to a SYN that it did not see: it drops that, and
    answers for itself. Networks behind it are another matter."""
    rules(lab.router.outside, "ct state invalid drop", "forward")
    auto = Auto(lab, router="static")
    auto.becomes("route", *SITE)
    for prefix in LAN:
        proof = auto.rounds(prefix)["proof"]
        assert proof["state"] == "unproven" and proof["lastRound"] == "bad", proof
    auto.sees("masquerade", *flow.SERVICE)
    auto.sees("route", *flow.REMOTE)

    # What the router itself answers is no proof for the network that it is part of.
    auto.apply(config({LAN[0]: ["10.0.1.1:22", "10.0.1.1:3000"]}))
    proof = auto.rounds(LAN[0])["proof"]
    assert proof["state"] == "unproven" and proof["lastRound"] == "weak", proof


def test_witness_is_learned(lab: Lab) -> None:
    """From a request that a Worker made; `witness: none` forbids it."""
    auto = Auto(lab, config({SITE[0]: "", SITE[1]: "none"}), router="static")
    for prefix in SITE:
        auto.shows("witness-missing", prefix)
    auto.sees("masquerade")
    auto.becomes("route", SITE[0])
    proof = auto.network(SITE[0])["proof"]
    assert [(w["address"], w["port"], w["origin"]) for w in proof["witnesses"]] == [
        ("10.0.2.60", 3000, "learned")
    ]
    auto.sees("route", flow.REMOTE[0])
    assert not auto.rounds(SITE[1])["proof"]["witnesses"]
    auto.sees("masquerade", flow.REMOTE[1])


def test_answer_on_the_other_lan(lab: Lab) -> None:
    """A second cable to the router, which sends answers by it. With rp_filter=1 they end there, and
    without it they come in where nobody asked."""
    auto = Auto(lab, router="static")
    auto.becomes("route")
    run("lab", (), "ip link add lan2 netns gw1 type veth peer name lan2 netns router".split())
    try:
        for node, number in ((lab.gw1, 11), (lab.router, 1)):
            node.run(
                f"ip addr add 10.0.4.{number}/24 dev lan2 && ip link set lan2 up &&"
                f" ip addr add 2001:db8:4::{number}/64 dev lan2 nodad"
            )
        lab.gw1.run("sysctl -qw net.ipv4.conf.lan2.rp_filter=1")
        second = f"""  - interface: lan2
    networks: [{{prefix: 10.0.4.0/24, witness: none, return_path: masquerade}}]
return_path: auto"""
        auto.apply(config().replace("return_path: auto", second))
        auto.becomes("route")
        for prefix in network.RANGES:
            via = "2001:db8:4::11" if ":" in prefix else "10.0.4.11"
            lab.router.run(f"ip route replace {prefix} via {via} dev lan2")
        auto.becomes("masquerade")
        auto.sees("masquerade")
        assert auto.network(SITE[0])["proof"]["witnesses"][0]["range"] == "silent"
        assert auto.network(SITE[1])["proof"]["witnesses"][0]["range"] == "astray"
        lab.gw1.run("sysctl -qw net.ipv4.conf.lan2.rp_filter=0")
        auto.rounds(SITE[0])
        assert auto.network(SITE[0])["proof"]["witnesses"][0]["range"] == "astray"
        auto.becomes("masquerade")
        lab.routing.become("static")
        auto.becomes("route")
    finally:
        lab.gw1.run("ip link del lan2", check=False)


def test_timers_of_the_defaults(lab: Lab) -> None:
    """Nothing is configured but the networks: a first proof within seconds, without any traffic of
    ours but the probes."""
    text = config(more="")
    assert "probe" not in text
    auto = Auto(lab, text, router="static")
    auto.becomes("route", *SITE, *LAN, seconds=8)
