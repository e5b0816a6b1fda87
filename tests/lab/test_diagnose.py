# SPDX-License-Identifier: Apache-2.0
"""meshgw diagnose and doctor as programs: how long they take, what they send, what they leave.

    worker ── edge ══ CloudflareWARP gw1 eth0 ── service

What they find is tests/faults. Nobody has 10.0.1.99: a diagnosis of it takes some seconds, in which
things can happen to it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest

from conftest import FAMILIES, Kept
from lab import flow
from lab.machine import Machine
from lab.shell import Process, poll_until
from survival import HEALTHY, LAN, NODE, SERVICE, TUNNEL, UNDECIDED, Site, Talk, target

pytestmark = pytest.mark.parametrize("mode", ["route"], indirect=True)

NOBODY = "10.0.1.99:3000"
KEYS = {
    "id", "code", "confidence", "candidates", "attributes", "point", "evidence", "consequences",
    "next", "remedy",
}  # fmt: skip
RECALL = "varlinkctl --json=short call /run/meshgw/control io.meshgw.Gateway.Recall '{}'"
# As many as may be under way at once (gateway/diagnose/diagnose.h).
AT_ONCE = 4


def helpers(gw1: Machine) -> list[str]:
    """Process ids of meshgw-trace, inside the machine."""
    return gw1.out("pgrep -x meshgw-trace", check=False).split()


def tables(gw1: Machine) -> list[str]:
    """Of diagnoses under way."""
    return [line for line in gw1.out("nft list tables").splitlines() if "meshgw_diag" in line]


def nothing_remains(gw1: Machine) -> None:
    """No table; no program that holds BPF programs, none pinned; no entry of conntrack."""
    poll_until(lambda: not tables(gw1) and not helpers(gw1), 2, "the diagnosis leaves")
    assert gw1.out("ls /sys/fs/bpf 2>/dev/null", check=False) == ""
    assert gw1.out("conntrack -C") == "0"


@contextlib.contextmanager
def under_way(site: Site, count: int = 1) -> Iterator[list[Process]]:
    """So many diagnoses, each with its table and its observer."""
    running = [
        site.gw.popen(["meshgw", "--json", "diagnose", NOBODY], output=f"/run/lab/diagnose-{i}")
        for i in range(count)
    ]
    poll_until(
        lambda: len(tables(site.gw)) == len(helpers(site.gw)) == count, 3, f"{count} diagnoses"
    )
    yield running
    for process in running:
        process.wait()


@pytest.mark.both
@FAMILIES
def test_healthy(site: Site, kept: Kept, six: int) -> None:
    """In little time, with nothing left behind; the service's other clients do not notice."""
    talk = Talk(site.worker, flow.SERVICE[six])
    calls = site.worker.popen(
        ["sh", "-c", f"while :; do nc -zw1 {flow.SERVICE[six]} {flow.HTTP}; sleep 0.2; done"]
    )
    with kept(site.gw, ours=True):
        verdict = site.diagnose(target(flow.SERVICE[six]))
        again = site.diagnose(target(flow.SERVICE[six]), "--limit", "10000")
    calls.stop()
    assert verdict["code"] == again["code"] == "healthy"
    assert verdict["confidence"] == "certain" and not verdict["candidates"]
    assert KEYS <= verdict.keys() and verdict["id"] != again["id"]
    assert all(said.keys() >= {"source", "says", "command"} for said in verdict["evidence"])
    assert verdict["remedy"].keys() >= {"text", "commands", "applicable"}
    talk.goes_on()
    nothing_remains(site.gw)


@FAMILIES
def test_time(site: Site, six: int) -> None:
    """Two seconds as a rule; the limit is kept, whatever is not answered."""
    took = "python3 -c 'import sys, time; print(time.monotonic())'"
    begin = float(site.gw.out(took))
    site.diagnose(target(flow.SERVICE[six]))
    middle = float(site.gw.out(took))
    site.diagnose(NOBODY, "--limit", "500")
    end = float(site.gw.out(took))
    print(f"healthy {middle - begin:.2f} s, limit of 0.5 s {end - middle:.2f} s")
    assert middle - begin < 10
    assert end - middle < 2


def test_passive(site: Site) -> None:
    """Nothing is sent; a diagnosis that saw nothing decides nothing."""
    with flow.Capture(site.gw.outside, "host 10.0.1.50 or src net 100.64.0.0/12") as capture:
        verdict = site.diagnose(target(flow.SERVICE[0]), "--passive", "--limit", "1500")
        assert verdict["status"] == UNDECIDED and verdict["code"] == "no-traffic-observed"
        assert capture.lines() == []
        # It would have been seen.
        site.diagnose(target(flow.SERVICE[0]))
        poll_until(lambda: capture.lines("eth0", "Out"), 2, "an active one")
    nothing_remains(site.gw)


def test_exit_statuses(site: Site) -> None:
    """One of each class but the tunnel's; the healthy and undecided ones are above."""
    assert site.diagnose(NOBODY)["status"] == LAN
    closed = site.diagnose("10.0.1.50:9")
    assert closed["code"] == "service-port-closed" and closed["status"] == SERVICE
    site.gw.run("ip route add blackhole 10.0.1.50")
    assert site.diagnose(target(flow.SERVICE[0]))["status"] == NODE
    site.gw.run("ip route del blackhole 10.0.1.50")
    assert site.gw.run("meshgw diagnose nonsense:", check=False).returncode not in range(10, 20)
    site.is_healthy()


@pytest.mark.client("its interface stays away")
def test_exit_status_of_the_tunnel(site: Site) -> None:
    """The remaining class."""
    site.warp.delete_tun()
    missing = site.diagnose(target(flow.SERVICE[0]))
    assert missing["code"] == "tunnel-interface-missing" and missing["status"] == TUNNEL
    site.warp.recreate()
    site.is_healthy()


def test_names(site: Site) -> None:
    """Each address of a name is asked, until one has a fault; names without one are told, too."""
    service, service6 = (address for address in ("10.0.1.50", "2001:db8:1::50"))
    site.gw.run(
        f"printf '%s both.test\\n%s both.test\\n%s only6.test\\n' {service} {service6} {service6}"
        " >> /etc/hosts"
    )
    both = "http://both.test:3000/"
    assert site.diagnose(both)["code"] == "healthy"
    for address, host in (service, 32), (service6, 128):
        site.gw.run(f"ip route add blackhole {address}/{host}")
        verdict = site.diagnose(both)
        assert verdict["code"] == "route-blackhole" and verdict["status"] == NODE
        assert address in str(verdict["attributes"])
        site.gw.run(f"ip route del blackhole {address}/{host}")
    assert site.diagnose("http://only6.test:3000/")["code"] == "healthy"
    refused = site.gw.run(
        ["meshgw", "diagnose", "--from", "100.64.0.9", "http://only6.test:3000/"], check=False
    )
    assert "not of the same family" in refused.stderr and refused.returncode not in range(10, 20)
    known = json.loads(site.gw.out(RECALL))
    assert known["verdict"]["code"] == "healthy"
    assert site.diagnose("http://nothing.test:3000/")["code"] == "name-not-resolved"
    record = json.loads(site.gw.out(RECALL))["record"]
    assert record["id"] and record["id"] != known["record"]["id"]
    assert record["atUs"] > known["record"]["atUs"]


def test_killed_in_the_middle(site: Site) -> None:
    """The daemon dies: what its diagnosis installed goes with it."""
    with under_way(site):
        site.gw.run(f"kill -KILL {site.pid()}")
        nothing_remains(site.gw)
    poll_until(lambda: site.pid() != 0, 5, "meshgwd is back")
    site.is_well()
    site.is_healthy()
    site.defects()


def test_caller_gone(site: Site) -> None:
    """Whoever asked does not wait for the answer: the diagnosis ends."""
    with under_way(site) as running:
        running[0].stop()
        nothing_remains(site.gw)


def test_many_at_once(site: Site) -> None:
    """A second one does not disturb the first; what is too much is refused in words."""
    with under_way(site, AT_ONCE) as running:
        done = site.gw.run(["meshgw", "diagnose", target(flow.SERVICE[0])], check=False)
        assert done.returncode not in range(10, 20) and done.returncode != HEALTHY
        assert "not now: too many diagnoses are under way" in done.stderr
    codes = [process.text() for process in running]
    assert all('"code":"neighbour-unresolved"' in text for text in codes), codes
    site.is_healthy()
    nothing_remains(site.gw)


def test_observer_is_nobody(site: Site) -> None:
    """The program that reads packets is a user of its own, without capabilities."""
    with under_way(site):
        pid = helpers(site.gw)[0]

        def look() -> bool:
            lines = site.gw.out(f"cat /proc/{pid}/status").splitlines()
            status = {key: value.split() for key, _, value in (l.partition(":") for l in lines)}
            assert "0" not in status["Uid"] and status["Seccomp"] == ["2"]
            assert status["NoNewPrivs"] == ["1"]
            sets = {name: status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
            assert all(int(value[0], 16) == 0 for value in sets.values()), str(sets)
            return True

        assert site.gw.out(f"stat -c %U /proc/{pid}") == "meshgw-trace"
        # It gives up its privileges between loading its program and reading the first packet.
        poll_until(look, 1, "no capabilities are left")


def test_without_the_observer(site: Site) -> None:
    """Without meshgw-trace the verdict is weaker, says what it lacks, and is not wrong."""
    site.spent()
    site.gw.systemctl("stop", "meshgw-trace.socket")
    verdict = site.diagnose(target(flow.SERVICE[0]))
    assert verdict["code"] in ("healthy", "inconclusive", "observer-limited"), verdict
    assert "trace" in " ".join(verdict["wanted"]), verdict
    site.gw.run("ip route add blackhole 10.0.1.50")
    site.finds("route-blackhole", flow.SERVICE[0], prefix="10.0.1.50/32")
    site.gw.run("ip route del blackhole 10.0.1.50")
    site.gw.systemctl("start", "meshgw-trace.socket")
    site.is_healthy()


@pytest.mark.both
def test_doctor(site: Site) -> None:
    """Nothing fails on a node that is well, and nothing is left behind."""
    done = site.gw.run(["meshgw", "--json", "doctor"], check=False)
    assert done.returncode == 0, done.stdout
    assert '"result":"fail"' not in done.stdout
    assert '"result":"pass"' in done.stdout
    nothing_remains(site.gw)
