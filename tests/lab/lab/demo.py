# SPDX-License-Identifier: Apache-2.0
"""./lab demo: the fault that everybody meets, and what meshgw makes of it.

Each stage is a claim that is checked while it is shown.
"""

from __future__ import annotations

import json
from typing import Any

from lab import build, flow
from lab.lab import CONFIG, HERE, Lab, Options
from lab.shell import poll_until

URL = f"http://{flow.SERVICE[0]}:{flow.HTTP}/"
CONFIG_FILE = "/etc/meshgw/meshgw.yaml"
SHOWN_LINES = 4
PICTURE = """
    Worker 100.64.12.189 ── edge ══ tunnel ══ gw1 10.0.1.11 ── LAN ── service 10.0.1.50:3000
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
        print(f"    {line}", flush=True)


def failing_call(lab: Lab) -> None:
    """A call that fails, and what of it was to be seen on gw1."""
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
    places = [line.partition(" IP")[0] for line in lines]
    expect(
        places == ["CloudflareWARP In", "eth0 Out", "eth0 In", "eth0 Out"]
        and all("[S.]" in line for line in lines[2:]),
        "the SYN-ACK should come in by eth0 and leave by eth0",
    )
    expect(not back, "nothing should go back into the tunnel")
    print(
        "\n  The SYN reached the service. Its SYN-ACK comes back to gw1 and leaves by eth0 again,\n"
        "  by the default route: nothing here knows that 100.64.0.0/12 is behind the tunnel. The\n"
        "  router sends it back, and so it goes round until its TTL ends.",
        flush=True,
    )


def good_call(lab: Lab, seen: str) -> None:
    """A call that is answered; the service says which address it saw."""
    answer = call(lab)
    expect(answer["status"] == 200, "the call should be answered with 200")
    expect(answer["body"].strip() == seen, f"the service should have seen {seen}")
    whose = "the gateway's own address" if seen == flow.GW1[0] else "the Worker's real address"
    print(f"\n  200. The service saw {seen}: {whose}.", flush=True)


def bare(lab: Lab) -> None:
    """As Cloudflare's client leaves a gateway"""
    failing_call(lab)


def apply(lab: Lab, mode: str) -> None:
    """The lab's configuration in one of its modes."""
    text = CONFIG[CONFIG.index("lan:") :] + f"return_path: {mode}\n"
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
    apply(lab, "masquerade")
    good_call(lab, flow.GW1[0])


def route(lab: Lab) -> None:
    """meshgw, return_path: route"""
    apply(lab, "route")
    good_call(lab, flow.WORKER[0])


def down(lab: Lab) -> None:
    """meshgw taken down again"""
    meshgw(lab, "down")
    failing_call(lab)


STAGES = (bare, masquerade, route, down)


def run(argv: list[str]) -> int:
    """0 only if everything was as it should be."""
    if argv:
        print("usage: ./lab demo")
        return 2
    options = Options()
    build.build_all(options.preset)
    lab = Lab(options)
    with build.timed("nodes up"):
        lab.start()
    print(PICTURE, end="")
    for number, stage in enumerate(STAGES, 1):
        title = (stage.__doc__ or "").rstrip(".")
        print(f"\n{number}. {title}", flush=True)
        try:
            stage(lab)
        except (Unexpected, AssertionError) as error:
            print(f"\n  NOT AS EXPECTED: {error}", flush=True)
            return 1
    print("\nAll of it as expected.")
    return 0
