# SPDX-License-Identifier: Apache-2.0
"""Services by name on the gateway's Mesh address.

    worker ── edge ══ CloudflareWARP gw1: meshgw-bridge ── service, remote

meshgwd opens the sockets and says what to do, meshgw-bridge serves: either goes on without the
other. What the bridge's user can do beside that is tried by programs that run as this user.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab import flow
from lab.lab import BRIDGE
from lab.network import MESH
from lab.shell import CommandError, poll_until
from survival import Site, config

pytestmark = pytest.mark.parametrize("mode", ["masquerade"], indirect=True)

HERE = Path(__file__).resolve().parent
FILE = "etc/meshgw/meshgw.yaml"
AS_BRIDGE = "setpriv --reuid meshgw-bridge --regid meshgw-bridge --clear-groups"


def ask(site: Site, host: str, *, six: bool = False, timeout: float = 3, path: str = "/") -> str:
    """The status and the body of one request of a Worker's."""
    return site.worker.out(
        ["curl", "-sS", "-w", " %{http_code}", "--max-time", str(timeout), "-H", f"Host: {host}",
         flow.url(MESH["gw1"][six], path, port=80)],
        timeout=timeout + 5,
    )  # fmt: skip


def serves(site: Site, host: str = "service.internal", seconds: float = 5) -> None:
    """The service is reached, and sees the gateway."""
    want = f"{flow.GW1[0]}\n 200"
    poll_until(lambda: ask(site, host, timeout=1) == want, seconds, f"{host} is served")


def says(site: Site) -> dict:
    """The bridge in meshgw status."""
    return dict(site.status()["bridge"])


def call(site: Site, method: str, parameters: str = "{}") -> str:
    """What a call to the bridge's own socket says, by the bridge's user."""
    done = site.gw.run(
        f"{AS_BRIDGE} varlinkctl call /run/meshgw/bridge io.meshgw.Gateway.{method} '{parameters}'",
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def bridge(site: Site) -> Iterator[Site]:
    """The lab's configuration with its bridge; without it again at the end."""
    if not site.status().get("bridge"):
        site.gw.write(FILE, config(site.mode) + BRIDGE)
        site.gw.run("meshgw apply")
        site.gw.systemctl("start", "meshgw-bridge")
    serves(site)
    yield site
    site.spent()


@pytest.mark.both
def test_services_by_name(bridge: Site) -> None:
    """Each name at each Mesh address, and no other name."""
    for six in (False, True):
        assert ask(bridge, "service.internal", six=six) == f"{flow.GW1[0]}\n 200"
        assert ask(bridge, "Remote.Internal:80", six=six) == f"{flow.GW1[0]}\n 200"
        assert ask(bridge, "other.internal", six=six).endswith(" 404")
        assert ask(bridge, MESH["gw1"][0], six=six).endswith(" 404")
    bridge.is_well()
    status = says(bridge)
    assert status["attached"] and status["routes"] == 2
    assert status["served"] == status["generation"] and "refusal" not in status
    at = {(one["address"], one["port"], one.get("reason")) for one in status["listeners"]}
    assert at == {(address, 80, None) for address in MESH["gw1"]}


@contextmanager
def callers(site: Site, host: str = "service.internal") -> Iterator[dict[str, Any]]:
    """Requests without a pause; afterwards what came of them, as callers.py tells it."""
    told: dict[str, Any] = {}
    process = site.worker.popen(
        ["python3", HERE / "callers.py", MESH["gw1"][0], "80", host], output="/run/lab/callers"
    )
    poll_until(lambda: "started" in process.text(), 5, "the callers")
    yield told
    process.stop(grace=15)
    told.update(json.loads(process.text().splitlines()[-1]))


def test_bridge_dies(bridge: Site) -> None:
    """Whoever calls meanwhile waits, and is answered within a second."""
    for _ in range(3):
        before = bridge.gw.unit("meshgw-bridge", "MainPID")
        bridge.gw.systemctl("kill", "-s", "KILL", "meshgw-bridge")
        begun = time.monotonic()
        assert ask(bridge, "service.internal").endswith(" 200")
        assert time.monotonic() - begun < 1.5  # curl in a namespace takes its time, too
        assert bridge.gw.unit("meshgw-bridge", "MainPID") not in ("0", before)


def test_bridge_dies_under_load(bridge: Site) -> None:
    """Connections that it had end with it; nobody is refused, and the queue is served."""
    with callers(bridge) as told:
        for _ in range(3):
            before = bridge.gw.unit("meshgw-bridge", "MainPID")
            bridge.gw.systemctl("kill", "-s", "KILL", "meshgw-bridge")
            poll_until(
                lambda: bridge.gw.unit("meshgw-bridge", "MainPID") not in ("0", before), 5,
                "another bridge",
            )  # fmt: skip
            assert ask(bridge, "service.internal").endswith(" 200")
    answers = told["answers"]
    cut = sum(answers.pop(name, 0) for name in ("ConnectionResetError", "nothing"))
    # At most one connection of each caller was the dead one's.
    assert set(answers) == {"200"} and answers["200"] > 20 and cut <= 3 * 4, told


def sockets(site: Site) -> set[str]:
    """Which sockets listen on port 80, whoever has them."""
    lines = site.gw.out("ss -Hltne 'sport = :80'").splitlines()
    return {found[1] for line in lines if (found := re.search(r" ino:([0-9]+) ", line))}


def test_daemon_dies(bridge: Site) -> None:
    """Killed and restarted under load: systemd keeps the sockets, and nobody sees it."""
    before = sockets(bridge)
    assert len(before) == len(MESH["gw1"])
    with callers(bridge) as told:
        for restart in ("kill -s KILL meshgwd", "kill -s KILL meshgwd", "restart meshgwd"):
            pid = bridge.gw.unit("meshgwd", "MainPID")
            bridge.gw.run(f"systemctl {restart}")
            poll_until(
                lambda pid=pid: bridge.gw.unit("meshgwd", "MainPID") not in ("0", pid), 5,
                "another meshgwd",
            )  # fmt: skip
            poll_until(lambda: says(bridge)["attached"], 10, "the bridge attaches again")
            assert sockets(bridge) == before
    bridge.is_well()
    serves(bridge)
    assert set(told["answers"]) == {"200"} and told["answers"]["200"] > 20, told


def test_both_die(bridge: Site) -> None:
    """Whoever calls while there is neither waits in a queue that only systemd has."""
    before = sockets(bridge)
    with callers(bridge) as told:
        bridge.gw.run("systemctl kill -s KILL meshgwd meshgw-bridge")
        poll_until(lambda: says(bridge)["attached"], 10, "both are back")
        serves(bridge)
    assert sockets(bridge) == before
    assert told["answers"].pop("200", 0) > 20
    assert set(told["answers"]) <= {"ConnectionResetError", "nothing"}, told


def test_daemon_is_stopped(bridge: Site) -> None:
    """The bridge serves without meshgwd, while it starts, and is told the news after that."""
    bridge.gw.systemctl("stop", "meshgwd")
    assert bridge.gw.unit("meshgwd", "NFileDescriptorStore") == "0"
    for _ in range(3):
        assert ask(bridge, "service.internal").endswith(" 200")
    bridge.gw.systemctl("start", "meshgwd")
    poll_until(lambda: says(bridge)["attached"], 10, "the bridge attaches again")
    bridge.is_well()
    serves(bridge)


def test_apply(bridge: Site) -> None:
    """A new route counts for the next request; an old one is gone; nothing was restarted."""
    before, pid = says(bridge)["generation"], bridge.gw.unit("meshgw-bridge", "MainPID")
    bridge.gw.write(FILE, config(bridge.mode) + BRIDGE.replace("remote.internal", "new.internal"))
    bridge.gw.run("meshgw apply")
    serves(bridge, "new.internal")
    assert ask(bridge, "remote.internal").endswith(" 404")
    assert says(bridge)["generation"] > before
    assert bridge.gw.unit("meshgw-bridge", "MainPID") == pid


def apply(site: Site, *routes: str) -> None:
    """These routes, on port 80."""
    lines = "".join(f"    - {{{route}}}\n" for route in routes)
    site.gw.write(FILE, f"{config(site.mode)}bridge:\n  listen: [80]\n  routes:\n{lines}")
    site.gw.run("meshgw apply")


def test_names_of_upstreams(bridge: Site) -> None:
    """A name leads into the LAN's networks and nowhere else; the wall follows it."""
    bridge.gw.run("echo '127.0.0.1 inside.example' >>/etc/hosts")
    apply(
        bridge, 'host: by.name, upstream: "http://service:3000"',
        'host: astray.internal, upstream: "http://inside.example:9596"',
    )  # fmt: skip
    poll_until(lambda: ask(bridge, "by.name").endswith(" 200"), 5, "the name is known")
    walls = bridge.gw.out("nft list table inet meshgw")
    assert "10.0.1.50 . tcp . 3000" in walls and "2001:db8:1::50 . tcp . 3000" in walls
    assert "9596" not in walls
    bridge.shows("bridge-name-unusable", "inside.example")
    astray = ask(bridge, "astray.internal", timeout=8)
    assert '"code":"not-allowed"' in astray and astray.endswith(" 502"), astray
    # Somebody else's answer from now on.
    bridge.gw.run("sed -i 's/^10.0.1.50 service$/10.0.1.51 service/' /etc/hosts")
    bridge.gw.run("meshgw apply")
    poll_until(
        lambda: "10.0.1.51 . tcp . 3000" in bridge.gw.out("nft list table inet meshgw"),
        5, "apply asks for names again",
    )  # fmt: skip


def test_files(bridge: Site) -> None:
    """A token is asked for; one that others could read opens nothing."""
    token, path = "0123456789abcdef-of-the-lab", "/etc/meshgw/token"
    own = f"printf '%s\\n' '{token}' >{path} && chown root:meshgw {path} && chmod"
    header = f"-H 'Authorization: Bearer {token}'"
    url = flow.url(MESH["gw1"][0], port=80)
    curl = f"curl -s -o /dev/null -w '%{{http_code}}' --max-time 3 -H 'Host: closed' {url}"
    bridge.gw.run(f"{own} 0640 {path}")
    apply(bridge, f'host: closed, upstream: "http://10.0.1.50:3000", token_files: [{path}]')
    poll_until(lambda: bridge.worker.out(f"{curl} {header}") == "200", 5, "the token opens it")
    assert bridge.worker.out(curl) == "401"
    bridge.gw.run(f"{own} 0644 {path} && meshgw apply")
    bridge.shows("bridge-file-unusable", path)
    assert bridge.worker.out(f"{curl} {header}") in ("403", "404")
    assert token not in bridge.gw.journal() + bridge.gw.out("meshgw --json status", check=False)


@pytest.mark.client("its interface stays away")
def test_addresses_come_and_go(bridge: Site) -> None:
    """The tunnel's client connects anew, and its addresses are listened on again."""
    bridge.warp.reconnect()
    serves(bridge)
    assert ask(bridge, "service.internal", six=True).endswith(" 200")
    bridge.warp.disconnect()
    poll_until(lambda: says(bridge)["listeners"] == [], 5, "nothing to listen on")
    bridge.warp.connect()
    serves(bridge)


def reaches(site: Site, to: str) -> bool:
    """A connection by the bridge's user."""
    done = site.gw.run(
        f"{AS_BRIDGE} curl -s -o /dev/null --max-time 3 --noproxy '*' {to}", check=False
    )
    return done.returncode == 0


def test_bridge_is_walled_in(bridge: Site) -> None:
    """Its user connects to upstreams and nowhere else, and asks its questions and no others."""
    assert reaches(bridge, flow.url(flow.SERVICE[0]))
    assert reaches(bridge, flow.url(flow.REMOTE[0]))
    for to in (
        flow.url(flow.SERVICE[0], port=flow.TCP),
        flow.url(flow.SERVICE[1]),
        flow.url("10.0.1.1", port=22),
        flow.url("127.0.0.1", port=9596),
    ):
        assert not reaches(bridge, to), to
    # Others on this machine are not held back.
    bridge.gw.run(f"curl -s -o /dev/null --max-time 3 {flow.url(flow.SERVICE[1])}")
    udp = f"{AS_BRIDGE} sh -c 'echo hello | nc -4 -u -W 1 -w 1 {flow.SERVICE[0]} {flow.UDP}'"
    assert bridge.gw.out(udp, check=False) == ""

    for method in ("Plan", "Down", "Apply", "Diagnose", "Doctor", "Fix"):
        assert "MethodNotFound" in call(bridge, method), method
    assert '"phase"' in call(bridge, "GetStatus")
    refused = call(bridge, "DiagnoseTarget", '{"target": "10.0.1.1:22"}')
    assert "TargetNotAllowed" in refused
    verdict = call(bridge, "DiagnoseTarget", json.dumps({"target": "10.0.1.50:3000"}))
    assert '"verdict"' in verdict
    with pytest.raises(CommandError):
        bridge.gw.run(f"{AS_BRIDGE} varlinkctl info /run/meshgw/control")


def test_bridge_may_do_nothing(bridge: Site) -> None:
    """It runs as its own user, with no capability, and can get none."""
    pid = bridge.gw.unit("meshgw-bridge", "MainPID")
    lines = bridge.gw.out(f"cat /proc/{pid}/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    uid = bridge.gw.out("id -u meshgw-bridge").strip()
    assert uid != "0" and set(status["Uid"].split()) == {uid}
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {int(status[name], 16) for name in sets} == {0}
    assert status["NoNewPrivs"] == "1"


def test_down(bridge: Site) -> None:
    """Nothing listens, and no wall stands; apply brings both back."""
    bridge.gw.run("meshgw down")
    poll_until(
        lambda: ":80 " not in bridge.gw.out("ss -Hltn"), 5, "the bridge lets go of its sockets"
    )
    assert "meshgw" not in bridge.gw.out("nft list tables")
    poll_until(
        lambda: bridge.gw.unit("meshgwd", "NFileDescriptorStore") == "0", 5,
        "systemd keeps none of them",
    )  # fmt: skip
    bridge.gw.run("meshgw apply")
    serves(bridge)
    assert "meta skuid" in bridge.gw.out("nft list chain inet meshgw bridge_output")
