# SPDX-License-Identifier: Apache-2.0
"""Where cases happen: the lab, as one of a few sites, and what can be done to it.

    bare        gw1 with routes for the mesh made by hand, its daemon without a configuration
    route       meshgw on gw1 in mode route
    masquerade  meshgw on gw1 in mode masquerade; the router knows nothing of the mesh
    bgp         meshgw on gw1 with FRR, the router as its neighbour
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bgpsite import BgpSite, bgp
from case import SERVED, Action, Case
from lab import flow, network
from lab.kinds import KINDS
from lab.lab import Options
from lab.node import Node
from lab.shell import CommandError, Process, poll_until
from survival import Site, config
from tailscale import Tailscale
from warp import Traits

HERE = Path("/src/tests/faults")
SCRATCH = Path("/run/faults")
ROUTER = {"bare": "static", "route": "static", "masquerade": "none", "bgp": "bgp"}
# What hangs of an earlier case would be repeated for a minute.
HANGS = {
    "worker": "connected", "device": "connected", "service": "syn-recv", "remote": "syn-recv",
}  # fmt: skip
WHOLE_S, MENDED_S = 6.0, 1.0
# What may happen to a gateway's own tunnel, of what may happen to the client; and what only the relay
# and the client make: devices of the edge, a node without a name for a namespace, the client's table.
CONNECTORS = {"link_down", "link_up", "recreate"}
OTHERS = re.compile(r"\bmesh-gw1\b|-n gw1\b|\btable 65743\b")
CA_FILE = "usr/local/share/ca-certificates/lab.crt"
# One shell, so that a look costs as little as it can. Numbers that move are left out.
LOOK = r"""
ip -N rule; ip -6 -N rule
ip -4 -N route show table all
ip -6 -N route show table all | grep -vE '^(multicast|local|anycast) |fe80'
ip -o addr | grep -v fe80 | cut -d' ' -f2-7
ip -o link | sed -E 's/(qlen|group|state|link.netnsid) [^ ]+//g; s/^[0-9]+: //'
tc filter show dev CloudflareWARP ingress 2>/dev/null; tc filter show dev eth0 ingress
tc filter show dev eth0 egress
nft -s list ruleset
for tool in iptables ip6tables; do
  grep -q . /proc/net/${tool%tables}_tables_names 2>/dev/null && $tool-legacy-save | grep '^-'
done
grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_default_ttl \
  /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/*/rp_filter \
  /proc/sys/net/ipv4/conf/*/src_valid_mark /proc/sys/net/ipv4/conf/*/arp_* \
  /proc/sys/net/ipv6/conf/*/forwarding /proc/sys/net/ipv6/conf/*/disable_ipv6 \
  /proc/sys/net/ipv6/conf/*/hop_limit /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal
true
"""
UNSTABLE = re.compile(r" expires \S+| nhid \d+| # handle \d+|counter packets \d+ bytes \d+")


class Caller:
    """caller.py in a node."""

    def __init__(self, node: Node) -> None:
        pipe = subprocess.PIPE
        self._process = Process(
            node.name, node.prefix(), ["python3", HERE / "caller.py"],
            stdin=pipe, stdout=pipe, text=True,
        )  # fmt: skip

    def tell(self, op: str, **what: Any) -> Any:
        """One request and its answer."""
        process = self._process.popen
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps({"op": op, **what}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise CommandError(f"{self._process.shown} has ended")
        return json.loads(answer)

    def end(self) -> None:
        """With all that it holds."""
        self._process.stop()


class World:
    """The lab while cases run in it."""

    def __init__(self, tunnel: str) -> None:
        self.lab = KINDS[tunnel](Options(preset="dev"))
        self.gw = self.lab.gw1
        self.site = ""
        self.router = ""
        self.callers: dict[str, Caller] = {}
        self.nodes: dict[str, Node] = {}
        self.running: list[Process] = []
        self._config = ""
        self._bgp: BgpSite | None = None

    def start(self) -> None:
        """All nodes, without a site."""
        self.lab.start()
        self.nodes = {
            **self.lab.nodes,
            "gw1.outside": self.gw.outside,
            "router.outside": self.lab.router.outside,
            "switch": Node(network.SWITCH),
        }
        self.callers = {name: Caller(self.nodes[name]) for name in ("worker", "device")}
        self._compile()
        self.nodes["worker"].run(["python3", "-c", CERTIFICATES, *flow.SERVICE, *flow.GW1])
        for machine in self.lab.gateways:
            machine.write(CA_FILE, (SCRATCH / "ca.crt").read_text(encoding="ascii"))
            machine.run("update-ca-certificates")

    def _compile(self) -> None:
        SCRATCH.mkdir(exist_ok=True)
        headers = f"-I/usr/include/{os.uname().machine}-linux-gnu"
        for source in sorted(HERE.glob("*.bpf.c")):
            name = source.name.partition(".")[0]
            self.nodes["worker"].run(
                ["clang-19", "-O2", "-g", "-target", "bpf", headers,
                 "-c", source, "-o", SCRATCH / f"{name}.o"]
            )  # fmt: skip

    def stop(self) -> None:
        """Everything."""
        for caller in self.callers.values():
            caller.end()
        self.lab.stop()

    def fits(self, case: Case) -> bool:
        """Over the gateway's own tunnel there is no gateway without meshgw, no other replica, and
        nothing of what Cloudflare's client or the relay makes."""
        if self.lab.tunnel == "relay":
            return True
        for where, what in case.given + case.inject + case.undo:
            own = where == "warp" and what.split()[0] in CONNECTORS
            if where == "active" or (where == "warp" and not own) or OTHERS.search(str(what)):
                return False
        return case.site != "bare"

    # Sites.

    def become(self, case: Case) -> None:
        """The case's site, unless it is there."""
        router = case.router or ROUTER[case.site]
        if self.site != case.site or (case.site == "bgp" and self.router != router):
            self.make(case.site, router)
        elif self.router != router:
            self.lab.routing.become(router)
            self.router = router

    def make(self, site: str, router: str) -> None:
        """Anew."""
        self.site, self.router = "", router
        self._config = ""
        if site == "bgp":
            self._bgp = BgpSite(self.lab)
            self._bgp.make()
            self._config = bgp()
        elif site == "bare":
            self.lab.reset(traits=Traits(inject6=False), router=router)
            self.gw.systemctl("start", "meshgwd")
            for prefix in network.RANGES:
                self.gw.run(f"ip route add {prefix} dev CloudflareWARP")
        else:
            self.lab.reset(traits=Traits(inject6=False), router=router)
            self._config = config(site)
            self.lab.deploy(self.gw, config=self._config)
            Site(self.lab, site).is_well()
        self.site = site

    def spoilt(self) -> None:
        """The next case makes its site anew."""
        self.site = ""

    # What can be done.

    def do(self, action: Action) -> None:
        """One action of a case."""
        where, what = action
        special = getattr(self, f"_do_{where}", None)
        if special:
            special(what)
        elif where.endswith("&"):
            node = self.nodes[where[:-1]]
            self.running.append(Process(node.name, node.prefix(), what, output="/dev/null"))
        else:
            self.nodes[where].run(what)

    def _do_warp(self, what: str) -> None:
        """A method of the client's, and its arguments."""
        name, *arguments = shlex.split(what)
        named = dict(word.split("=", 1) for word in arguments if "=" in word)
        plain = [word for word in arguments if "=" not in word]
        values = {key: {"true": True, "false": False}.get(v, v) for key, v in named.items()}
        getattr(self.lab.warp["gw1"], name)(*plain, **values)

    def _do_active(self, what: str) -> None:
        """Another replica."""
        self.lab.activate(what)

    def _do_config(self, what: str) -> None:
        """meshgw's configuration, and more of it."""
        self.gw.write("etc/meshgw/meshgw.yaml", self._config + what)
        self.gw.run("meshgw apply")

    def _do_neighbor(self, what: str) -> None:
        """Another BGP neighbour in meshgw's configuration."""
        self.gw.write("etc/meshgw/meshgw.yaml", bgp(address=what))
        self.gw.run("meshgw apply")

    def _do_serve(self, what: str) -> None:
        """A service of the case's own, in place of the one before."""
        for process in [p for p in self.running if "serve.py" in p.shown]:
            process.stop()
            self.running.remove(process)
        where, _, way = what.rpartition(" ")
        node = self.nodes[where or "service"]
        if way == "none":
            return
        log = f"/run/faults/serve-{node.name}"
        process = Process(
            node.name, node.prefix(), ["python3", HERE / "serve.py", way, str(SERVED)], output=log
        )
        self.running.append(process)
        poll_until(lambda: "ready" in process.text(), 10, f"a service that is {way}")

    def _do_hold(self, what: Any) -> None:
        """Connections of the bystander's."""
        self.callers["device"].tell("hold", **what)

    def _do_tailscale(self, what: str) -> None:
        """See tests/lab/tailscale.py."""
        getattr(Tailscale(self.gw), what)()

    def _do_vtysh(self, what: dict[str, str]) -> None:
        """Lines of FRR's configuration, of gw1 or router."""
        for name, text in what.items():
            self.lab.frr[name].configure(text)

    def _do_learns(self, what: str) -> None:
        """The router has the mesh ranges by gw1 again."""
        self.lab.routing.learns(what)

    def restore(self, case: Case, before: dict[str, list[str]], *, mended: bool) -> list[str]:
        """Undoes a case; what is left of it. What a remedy left is no fault: the next case makes
        its site anew."""
        failed = self._undo(case)
        left = self.settles(before, MENDED_S if mended else WHOLE_S)
        if left:
            self.spoilt()
        return failed + left if left and not mended else []

    def _undo(self, case: Case) -> list[str]:
        """All of it, whatever fails; what failed: a remedy may have done the same before."""
        failed = []
        for process in self.running:
            process.stop()
        self.running.clear()
        for caller in self.callers.values():
            caller.tell("release")
        for action in case.undo:
            try:
                self.do(action)
            except (CommandError, AssertionError, OSError) as error:
                failed.append(f"undo: {error}")
        if any(node == "config" for node, _ in case.inject + case.given):
            self._do_config("")
        return failed

    # What is there to see.

    def touched(self, case: Case) -> list[str]:
        """Nodes that a case acts on."""
        named = {node.rstrip("&") for node, _ in case.given + case.inject}
        return sorted({"gw1.outside", *(n for n in named & set(self.nodes) if n != "gw1")})

    def look(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Their network's state, as lines."""
        seen = {}
        for name in names:
            text = UNSTABLE.sub("", self.nodes[name].out(LOOK, check=False))
            seen[name] = sorted(text.splitlines())
        return seen

    def settles(self, before: dict[str, list[str]], seconds: float) -> list[str]:
        """Waits until all is as before; else the lines that are not."""
        different: list[str] = []

        def same() -> bool:
            different[:] = [
                line for name, now in self.look(before).items()
                for line in difference(name, before[name], now)
            ]  # fmt: skip
            return not different

        try:
            poll_until(same, seconds, "as before", interval=0.05)
        except AssertionError:
            return different
        return []

    def forget(self) -> None:
        """What one case would leave to the next in tables that nobody looks at."""
        flush = "conntrack -F; ip -4 route flush cache; ip -6 route flush cache"
        self.gw.outside.run(flush, check=False)
        for name, state in HANGS.items():
            self.nodes[name].run(f"ss -K -t state {state}", check=False)


CERTIFICATES = """\
import sys
sys.path.insert(0, "/src/tests/faults")
import serve
serve.certificates(sys.argv[1:])
"""


def difference(name: str, before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Lines gone and lines new."""
    gone, new = list(before), []
    for line in after:
        if line in gone:
            gone.remove(line)
        else:
            new.append(line)
    return [f"{name}: - {line}" for line in gone] + [f"{name}: + {line}" for line in new]
