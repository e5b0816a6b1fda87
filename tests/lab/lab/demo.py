# SPDX-License-Identifier: Apache-2.0
"""./lab demo: the fault that everybody meets, and what meshgw makes of it.

Each stage is a claim that is checked while it is shown.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from lab import build, flow, network
from lab.client import ClientLab
from lab.edge import connector_config
from lab.kinds import WITH_CLIENT
from lab.lab import CONFIG, CONFIG_BGP, HERE, Lab, Options
from lab.masque import CONNECT_S, is_connected
from lab.shell import poll_until

# From the first call to the proof: the BGP session, then three rounds of probes.
PROOF_S = 90
URL = f"http://{flow.SERVICE[0]}:{flow.HTTP}/"
CONFIG_FILE = "/etc/meshgw/meshgw.yaml"
SHOWN_LINES = 4
PICTURE = """
    Worker 100.64.12.189 ── edge ══ {tunnel} ══ gw1 10.0.1.11 ── LAN ── service 10.0.1.50:3000
                                                                └──── router 10.0.1.1
"""


class Unexpected(Exception):
    """The world is not as the demo says."""


def expect(holds: bool, what: str) -> None:
    """A claim."""
    if not holds:
        raise Unexpected(what)


def call(lab: Lab) -> dict[str, Any]:
    """One call of a real Worker, shown as it is printed."""
    print(f"\n    $ ./lab worker {URL}", flush=True)
    done = lab.worker.run(["python3", HERE / "worker.py", URL], check=False, timeout=60)
    print(f"    {done.stdout.strip() or done.stderr.strip()}", flush=True)
    expect(done.stdout.count("\n") == 1, "the Worker should print one line")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def meshgw(lab: Lab, *arguments: str) -> None:
    """A command on gw1, with its words."""
    print(f"\n    gw1# meshgw {' '.join(arguments)}", flush=True)
    for line in lab.gw1.run(["meshgw", *arguments]).stdout.splitlines():
        print(f"    {line}".rstrip(), flush=True)


def failing_call(lab: Lab, want: list[str], why: str) -> None:
    """A call that fails, and the first of it that was to be seen on gw1."""
    with flow.Capture(lab.gw1.outside, f"tcp port {flow.HTTP}") as capture:
        answer = call(lab)
        # The Worker gives up after seconds; the packets were there in the first of them.
        lines = poll_until(
            lambda: seen if len(seen := capture.lines()) >= SHOWN_LINES else [], 5, "packets on gw1"
        )[:SHOWN_LINES]
        back = capture.lines(lab.warp["gw1"].ifname, "Out")
    expect(answer["status"] != 200 and bool(answer["error"]), "the call should fail")
    print(f"\n    gw1# tcpdump -n -i any tcp port {flow.HTTP}")
    for line in lines:
        place, _, packet = line.partition(" IP ")
        print(f"    {place:<18} {packet.partition(', options')[0]}")
    seen = [f"{line.partition(' IP')[0]} {line.partition('Flags ')[2][:4]}" for line in lines]
    expect([line.rstrip(",") for line in seen] == want, f"gw1 should have seen {want}, not {seen}")
    expect(not back, "nothing should go back into the tunnel")
    print(f"\n{why}", flush=True)


def verdict(lab: Lab, code: str, then: str | None = None) -> None:
    """What `meshgw diagnose` says of the call that failed: its cause, and the one behind it."""
    target = f"{flow.SERVICE[0]}:{flow.HTTP}"
    said = lab.gw1.run(["meshgw", "--json", "diagnose", target], check=False).stdout
    print(f"\n    gw1# meshgw diagnose {target}", flush=True)
    for line in lab.gw1.run(["meshgw", "diagnose", target], check=False).stdout.splitlines():
        print(f"    {line}".rstrip(), flush=True)
    found = json.loads(said)
    expect(found["code"] == code, f"the verdict should be {code}, not {found['code']}")
    expect(found.get("next") == then, f"the fault behind it should be {then}, not {found.get('next')}")


def good_call(lab: Lab, seen: str) -> None:
    """A call that is answered; the service says which address it saw."""
    answer = call(lab)
    expect(answer["status"] == 200, "the call should be answered with 200")
    expect(answer["body"].strip() == seen, f"the service should have seen {seen}")
    whose = "the gateway's own address" if seen == flow.GW1[0] else "the Worker's real address"
    print(f"\n  200. The service saw {seen}: {whose}.", flush=True)


def loop(lab: Lab) -> None:
    """The field report's fault."""
    failing_call(
        lab,
        ["CloudflareWARP In [S]", "eth0 Out [S]", "eth0 In [S.]", "eth0 Out [S.]"],
        "  The SYN reached the service. Its SYN-ACK comes back to gw1 and leaves by eth0 again,\n"
        "  by the default route: nothing here knows that 100.64.0.0/12 is behind the tunnel. The\n"
        "  router sends it back, and so it goes round until its TTL ends.",
    )
    verdict(lab, "return-route-missing")


def bare(lab: Lab) -> None:
    """As Cloudflare's client leaves a gateway"""
    lab.gw1.systemctl("start", "meshgw-trace.socket", "meshgw-probe.socket")
    loop(lab)


def apply(lab: Lab, text: str) -> None:
    """A configuration, without its title."""
    text = text[text.index("lan:") :]
    lab.gw1.write(CONFIG_FILE, text)
    print(f"\n    gw1# cat {CONFIG_FILE}")
    for line in text.splitlines():
        print(f"    {line}")
    meshgw(lab, "apply", CONFIG_FILE)


def masquerade(lab: Lab) -> None:
    """meshgw, return_path: masquerade"""
    lab.gw1.run(["rm", "-f", CONFIG_FILE])
    print("\n    gw1# systemctl start meshgwd")
    lab.gw1.systemctl("start", "meshgwd")
    apply(lab, f"{CONFIG}return_path: masquerade\n")
    good_call(lab, flow.GW1[0])


def route(lab: Lab) -> None:
    """meshgw, return_path: route"""
    apply(lab, f"{CONFIG}return_path: route\n")
    good_call(lab, flow.WORKER[0])


def down(lab: Lab) -> None:
    """meshgw taken down again"""
    meshgw(lab, "down")
    loop(lab)


def no_route(lab: Lab) -> None:
    """The router's static route is gone"""
    print(f"\n    router# ip route del {network.RANGES[0]} via {flow.GW1[0]} …")
    print("    router# systemctl start frr     (AS 65001; neighbours in AS 65010: gw1, gw2)")
    lab.routing.become("bgp")
    failing_call(
        lab,
        ["CloudflareWARP In [S]", "eth0 Out [S]"] * 2,
        "  Nothing comes back to gw1, and the SYN is repeated in vain: now the router does not\n"
        "  know the way either.",
    )
    verdict(lab, "upstream-return-route-missing", "return-route-missing")


def automatic(lab: Lab) -> None:
    """meshgw, return_path: auto, and the router as BGP neighbour"""
    apply(lab, CONFIG_BGP)
    good_call(lab, flow.GW1[0])


def is_proven(lab: Lab) -> bool:
    """The service's network is in mode route."""
    status = json.loads(lab.gw1.out("meshgw --json status", check=False))
    return any(
        n["prefix"] == network.LAN_PREFIXES[0] and n["effective"] == "route"
        for n in status["networks"]
    )


def is_well(lab: Lab) -> bool:
    """Nothing is worse than information."""
    return lab.gw1.run(["meshgw", "status"], check=False).returncode == 0


def proof(lab: Lab) -> None:
    """The proof"""
    print("\n  meshgw asks the hosts that mesh flows reached twice, as itself and with a source from")
    print("  the mesh, until answers to the second have come back three times …", flush=True)
    what = f"{network.LAN_PREFIXES[0]} is proven to know the way"
    poll_until(lambda: is_proven(lab), PROOF_S, what, interval=0.2)
    meshgw(lab, "status")


def automatic_route(lab: Lab) -> None:
    """The same call"""
    good_call(lab, flow.WORKER[0])


def table(lab: Lab) -> None:
    """What the site router has learned"""
    for six, family in enumerate(("ipv4", "ipv6")):
        shown = lab.routing.frr.vtysh(f"show bgp {family} unicast").splitlines()
        print(f"\n    router# vtysh -c 'show bgp {family} unicast'")
        for line in shown[next(i for i, text in enumerate(shown) if "Network" in text) :]:
            print(f"    {line}".rstrip())
        ranges = {prefix for prefix in network.RANGES if (":" in prefix) == bool(six)}
        learned = lab.routing.frr.learned(six)
        expect(set(learned) == ranges, f"the router should have learned {ranges}, not {learned}")
    lab.routing.learns("gw1")


def own_tunnel(lab: Lab) -> None:
    """Cloudflare's client is gone, and meshgw has a tunnel of its own"""
    assert isinstance(lab, ClientLab)
    print("\n    gw1# systemctl stop warp-svc && systemctl start meshgw-tunnel")
    lab.warp["gw1"].close()
    lab.identities["gw1"].install(lab.gw1)
    lab.gw1.systemctl("start", "meshgw-tunnel")
    apply(lab, CONFIG_BGP + connector_config(lab.identities["edge"]))
    poll_until(lambda: is_connected(lab.gw1), CONNECT_S, "gw1's tunnel is connected")
    what = "all of it is announced and proven again"
    poll_until(lambda: is_well(lab) and is_proven(lab), PROOF_S, what, interval=0.2)
    good_call(lab, flow.WORKER[0])
    meshgw(lab, "status")


STAGES = (
    bare, masquerade, route, down, no_route, automatic, proof, automatic_route, table,
)  # fmt: skip


def run(argv: list[str]) -> int:
    """0 only if everything was as it should be."""
    parser = argparse.ArgumentParser(prog="./lab demo")
    parser.add_argument("--tunnel", choices=WITH_CLIENT, default="masque")
    args = parser.parse_args(argv)
    options = Options(frr=True)
    build.build_all(options.preset)
    lab = WITH_CLIENT[args.tunnel](options)
    with build.timed("nodes up"):
        lab.start()
    print(PICTURE.format(tunnel=args.tunnel.upper().center(6)), end="")
    own = (own_tunnel,) if isinstance(lab, ClientLab) else ()
    for number, stage in enumerate((*STAGES, *own), 1):
        title = (stage.__doc__ or "").rstrip(".")
        print(f"\n{number}. {title}", flush=True)
        try:
            stage(lab)
        except (Unexpected, AssertionError) as error:
            print(f"\n  NOT AS EXPECTED: {error}", flush=True)
            return 1
    print("\nAll of it as expected.")
    return 0
