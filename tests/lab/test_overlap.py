# SPDX-License-Identifier: Apache-2.0
"""Others in the address space of the mesh: Tailscale on the gateway, hosts behind the LAN's router,
routes that BGP brought. What can live beside the mesh does, and what cannot is named."""

from collections.abc import Iterator

import pytest

from conftest import Kept
from lab import flow, network
from lab.router import CONF, Router
from lab.shell import poll_until
from survival import Site, Talk, config
from tailscale import BY_IPTABLES, BY_NFTABLES, INPUT, INTERFACE, OWN, PEER, Tailscale

ROUTE_MODE = pytest.mark.parametrize("mode", ["route"], indirect=True)
# A host behind the LAN's router, and a neighbour of it of whom the gateway has no route.
FAR, UNKNOWN = "100.64.7.7", "100.64.7.8"
# A part of the Workers' range, behind the router; a gateway without policy (RFC 8212 wants one).
PART = "100.64.12.0/24"
GREEDY = f"""{CONF}
ip prefix-list SITE seq 20 permit {PART}
ip route {PART} 10.0.2.60
"""
OPEN = """router bgp 65010
 no bgp ebgp-requires-policy
 neighbor 10.0.1.1 remote-as 65001
"""
MESH = network.MESH["gw1"][0]
DROPPED = ("filter-drop-input", "ip filter ts-input")
REMEDY = "remedy tailscale-input ip"
ACCEPTS = [
    f'-s {prefix} -i CloudflareWARP -m comment --comment "meshgw remedy" -j ACCEPT'
    for prefix in network.RANGES
    if ":" not in prefix
]


@pytest.fixture
def tailscale(site: Site) -> Iterator[Tailscale]:
    """Not there yet."""
    there = Tailscale(site.gw)
    yield there
    there.down()


def listens(site: Site) -> None:
    """A service on the gateway itself."""
    site.gw.popen(["python3", "-m", "http.server", "--bind", "0.0.0.0", str(flow.HTTP)])
    poll_until(lambda: flow.reaches(site.gw, "127.0.0.1"), 5, "the gateway's own service")


def admitted(site: Site, timeout: float = 2) -> list[bool]:
    """Whether a Worker and a device reach the gateway's own Mesh address."""
    nodes = (site.worker, site.lab.nodes["device"])
    return [flow.reaches(node, MESH, timeout) for node in nodes]


def refused(site: Site) -> bool:
    """Neither of them does."""
    return admitted(site, 0.25) == [False, False]


def states(site: Site) -> dict[str, str]:
    """Objects by name."""
    return {o["name"]: o["state"] for o in site.status()["objects"]}


def both_live(site: Site, tailscale: Tailscale) -> None:
    """Mesh and tailnet, in both directions."""
    site.heals(*flow.SERVICE, *flow.REMOTE)
    assert flow.ping(site.gw, PEER)
    assert flow.ping(tailscale.peer, OWN)


def test_tailscale_installed(site: Site, kept: Kept, tailscale: Tailscale) -> None:
    """Event 28: Tailscale comes and goes while the mesh works."""
    talks = [Talk(site.worker, address) for address in flow.SERVICE]
    with kept(site.gw):
        tailscale.up()
        both_live(site, tailscale)
        site.shows("cgnat-overlap", INTERFACE)
        site.shows(*DROPPED)
        shown = {c["code"]: c["message"] for c in site.status()["conditions"]}
        assert "table 52 (rule 5270, by=tailscale) takes 1 prefix" in shown["cgnat-overlap"]
        assert PEER in shown["cgnat-overlap"]
        assert "by=tailscale" in shown["filter-drop-input"]
        assert {c["severity"] for c in site.status()["conditions"]} <= {"info", "warning"}
        assert tailscale.chain() == [f"-A ts-input {rule}" for rule in INPUT]
        site.warp.reconnect()
        both_live(site, tailscale)
        for talk in talks:
            talk.goes_on()
        tailscale.down()
        site.warp.reconnect()
        site.heals()
        site.is_well()


@ROUTE_MODE
def test_tailscale_first(site: Site, kept: Kept, tailscale: Tailscale) -> None:
    """Event 28: Tailscale was there first, and meshgw comes and goes."""
    site.gw.run("meshgw down")
    tailscale.up()
    with kept(site.gw):
        site.gw.run("meshgw apply")
        both_live(site, tailscale)
        site.shows("cgnat-overlap", INTERFACE)
        site.gw.run("meshgw down")
        assert flow.ping(site.gw, PEER)
    site.gw.run("meshgw apply")


@ROUTE_MODE
def test_whole_tailnet(site: Site, kept: Kept, tailscale: Tailscale) -> None:
    """Event 28: A tailnet that takes all of 100.64.0.0/10 takes the answers; it is named."""
    with kept(site.gw):
        tailscale.up()
        site.gw.run(f"ip route add 100.64.0.0/10 dev {INTERFACE} table 52")
        site.shows("policy-rule-captures-return", "100.64.0.0/12")
        site.shows("cgnat-overlap", INTERFACE)
        assert site.fails(flow.SERVICE[0])
        site.gw.run("ip route del 100.64.0.0/10 table 52")
        site.heals()
        tailscale.down()
        site.is_well()


@ROUTE_MODE
def test_host_behind_the_router(site: Site, kept: Kept) -> None:
    """Longest prefix: one address of a range is a host of the site, the rest is the mesh's."""
    remote, router = site.lab.nodes["remote"], site.lab.nodes["router"]
    remote.run(f"ip addr add {FAR}/32 dev lo; ip addr add {UNKNOWN}/32 dev lo")
    router.run(f"ip route add {FAR} via 10.0.2.60 && ip route add {UNKNOWN} via 10.0.2.60")
    with kept(site.gw):
        site.gw.run(f"ip route add {FAR} via 10.0.1.1")
        site.heals(*flow.SERVICE, *flow.REMOTE)
        assert flow.fetch(site.gw, FAR) == flow.GW1[0]
        assert flow.ping(remote, flow.GW1[0], 56, "-I", FAR)
        # Nobody but the host itself may come from the LAN with an address of the mesh.
        assert not flow.ping(remote, flow.GW1[0], 56, "-I", UNKNOWN)
        site.shows("cgnat-overlap", "eth0")
        assert {code for code, _ in site.conditions()} == {"cgnat-overlap"}
        site.gw.run(f"ip route del {FAR}")
        site.is_well()
    remote.run(f"ip addr del {FAR}/32 dev lo; ip addr del {UNKNOWN}/32 dev lo")
    router.run(f"ip route del {FAR}; ip route del {UNKNOWN}")


@ROUTE_MODE
@pytest.mark.parametrize(
    "prefix", ["100.64.12.0/24", f"{flow.WORKER[0]}/32", "2606:4700:cf1:5000::/96"]
)
def test_learned_by_bgp(site: Site, kept: Kept, prefix: str) -> None:
    """A part of a range that a neighbour announced, as zebra installs it."""
    six = ":" in prefix
    option, via = ("-6", "2001:db8:1::1") if six else ("-4", "10.0.1.1")
    with kept(site.gw):
        site.gw.run(f"ip nexthop add id 77 via {via} dev eth0 proto zebra")
        site.gw.run(f"ip {option} route add {prefix} nhid 77 proto bgp metric 20")
        site.shows("return-route-shadowed", prefix)
        assert site.fails(flow.SERVICE[six])
        message = next(
            c["message"] for c in site.status()["conditions"] if c["subject"] == prefix
        )
        assert message.endswith(f"{prefix} to eth0 (proto bgp, metric 20)")
        site.gw.run(f"ip {option} route del {prefix} && ip nexthop del id 77")
        site.heals()
        site.is_well()


@pytest.fixture
def neighbor(site: Site) -> Iterator[Router]:
    """The site router announces more than it should, and this gateway takes it all."""
    site.lab.routing.become("bgp", GREEDY)
    site.lab.frr["gw1"].start(OPEN)
    learned = "ip route show 10.0.2.0/24 proto bgp"
    poll_until(lambda: site.gw.out(learned) != "", 20, "the gateway learns", interval=0.1)
    yield site.lab.routing
    site.lab.frr["gw1"].stop()
    site.lab.routing.become(site.lab.options.router)


@pytest.mark.parametrize("mode", ["masquerade"], indirect=True)
def test_learned_from_a_neighbor(site: Site, kept: Kept, neighbor: Router) -> None:
    """The same by FRR, whose configuration here is not ours."""
    with kept(site.gw):
        neighbor.frr.configure(f"router bgp 65001\naddress-family ipv4\nnetwork {PART}")
        site.shows("return-route-shadowed", PART, seconds=10)
        assert site.fails(flow.SERVICE[0])
        site.heals(flow.SERVICE[1])
        neighbor.frr.configure(f"router bgp 65001\naddress-family ipv4\nno network {PART}")
        site.heals(seconds=10)
        site.is_well()


@ROUTE_MODE
@pytest.mark.parametrize("rules", [BY_IPTABLES, BY_NFTABLES], ids=["iptables", "nftables"])
def test_remedy(site: Site, kept: Kept, tailscale: Tailscale, rules: str) -> None:
    """The gateway's own Mesh address, with and without what the configuration allows by name."""
    listens(site)
    assert admitted(site) == [True, True]
    tailscale.up(rules)
    site.shows(*DROPPED)
    assert refused(site)
    before = tailscale.chain()
    with kept(site.gw):
        site.gw.write(
            "etc/meshgw/meshgw.yaml", config(site.mode) + "remedies: [tailscale-input]\n"
        )
        assert REMEDY in site.gw.out("meshgw plan")
        site.gw.run("meshgw apply")
        assert admitted(site) == [True, True]
        assert tailscale.chain() == [*(f"-A ts-input {rule}" for rule in ACCEPTS), *before]
        assert states(site)[REMEDY] == "installed"
        assert DROPPED not in site.conditions()
        # A restart of the daemon finds them.
        handles = tailscale.handles()
        site.gw.systemctl("restart", "meshgwd")
        site.heals(flow.SERVICE[0])
        poll_until(lambda: states(site)[REMEDY] == "installed", 3, "the rules are adopted")
        assert tailscale.handles() == handles
        # The permission goes, and they go with it.
        site.gw.write("etc/meshgw/meshgw.yaml", config(site.mode))
        site.gw.run("meshgw apply")
        assert tailscale.chain() == before
        assert refused(site)


@ROUTE_MODE
def test_remedy_put_back(site: Site, kept: Kept, tailscale: Tailscale) -> None:
    """Tailscale makes its chains anew, and saved ones are restored; down leaves nothing."""
    listens(site)
    tailscale.up()
    site.gw.run("iptables-save | iptables-restore")  # which orders the tables
    with kept(site.gw):
        site.gw.write(
            "etc/meshgw/meshgw.yaml", config(site.mode) + "remedies: [tailscale-input]\n"
        )
        site.gw.run("meshgw apply")
        want = [*(f"-A ts-input {r}" for r in ACCEPTS), *(f"-A ts-input {r}" for r in INPUT)]
        for command in (
            tailscale.restart,
            lambda: site.gw.run("iptables -I ts-input -s 100.64.0.0/10 -j DROP"),
            lambda: site.gw.run("iptables -D ts-input -s 100.64.0.0/10 -j DROP"),
            lambda: site.gw.run("iptables-save | iptables-restore"),
            lambda: site.gw.run("iptables -D ts-input 1"),
        ):
            command()
            poll_until(lambda: admitted(site, 0.5) == [True, True], 3, "it is put back")
        poll_until(lambda: tailscale.chain() == want, 3, "once and no more")
        assert states(site)[REMEDY] == "installed"
        site.gw.run("meshgw down")
        assert tailscale.chain() == [f"-A ts-input {rule}" for rule in INPUT]
        site.gw.run("meshgw apply")
        assert tailscale.chain() == want
        # Also with the daemon dead.
        site.gw.systemctl("kill", "-s", "KILL", "meshgwd")
        site.gw.systemctl("stop", "meshgwd")
        site.gw.run("meshgw down")
        assert "meshgw" not in site.gw.out("nft list ruleset")
        site.gw.write("etc/meshgw/meshgw.yaml", config(site.mode))
        site.gw.run("systemctl start meshgwd && meshgw apply")
    tailscale.down()
    site.spent()

