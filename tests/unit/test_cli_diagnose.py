# SPDX-License-Identifier: Apache-2.0
"""What is asked about flows, and how it is shown: diagnose, doctor, fix, watch."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest
from cli_process import (
    CAUSE_LAN,
    CAUSE_NODE,
    CAUSE_SERVICE,
    CAUSE_TUNNEL,
    DONE,
    GATEWAY,
    MESHGW,
    NO_CONSENT,
    OPERATIONS,
    PROTOCOL,
    REFUSED,
    TIMEOUT,
    UNDECIDED,
    UNHEALTHY,
    UNREACHABLE,
    Cli,
    one_sentence,
    read_rest,
    recorded,
)
from fake_varlink import FakeServer, error, raw, reply, silence


# ---- Diagnoses ----


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("healthy", DONE),
        ("return-route", CAUSE_NODE),
        ("upstream-return", CAUSE_LAN),
        ("service-closed", CAUSE_SERVICE),
        ("tunnel-missing", CAUSE_TUNNEL),
        ("silent-family", CAUSE_LAN),
        ("inconclusive", UNDECIDED),
        ("injection", UNDECIDED),
    ],
)
def test_status_of_a_verdict(cli: Cli, name: str, status: int) -> None:
    answer = recorded(f"diagnose-{name}")
    with FakeServer(cli.control, reply(answer)):
        text = cli("diagnose", "10.0.1.50:3000")
        as_json = cli("--json", "diagnose", "10.0.1.50:3000")
    assert (text.returncode, as_json.returncode) == (status, status), text.stderr
    assert json.loads(as_json.stdout) == answer["verdict"]
    assert as_json.stdout.count("\n") == 1
    assert re.fullmatch(r"[ -~\n]+", as_json.stdout)
    assert text.stderr == as_json.stderr == ""
    # A picture is all that is not plain.
    assert re.fullmatch(r"[ -~\n]+", text.stdout.translate(dict.fromkeys(map(ord, "─▶◀·✗"))))


@pytest.mark.parametrize(
    ("args", "parameters"),
    [
        ([], {"timeoutMs": 10000}),
        (
            ["--from", "devices", "--passive", "--limit", "700"],
            {"from": "devices", "passive": True, "timeoutMs": 700},
        ),
    ],
)
def test_what_is_asked_of_a_diagnosis(cli: Cli, args: list, parameters: dict) -> None:
    for target in "10.0.1.50:3000", "icmp://[2001:db8::1]", "https://example.com/a?b=1&c":
        with FakeServer(cli.control, reply(recorded("diagnose-healthy"))) as server:
            assert cli("diagnose", *args, target).returncode == DONE
        (request,) = server.requests
        assert request["method"] == GATEWAY + "Diagnose"
        assert request["parameters"] == {"target": target} | parameters


def test_repair_that_is_offered_can_be_pasted(cli: Cli) -> None:
    answer = recorded("diagnose-return-route")
    for target, shown in (
        ("udp://10.0.1.50:53", "udp://10.0.1.50:53"),
        ("[::1]:80", "'[::1]:80'"),
        ("http://a/b?c=$(d)&e", "'http://a/b?c=$(d)&e'"),
        ("http://a/b?c='d'", None),
    ):
        with FakeServer(cli.control, reply(answer)):
            text = cli("diagnose", target).stdout
        line = f"      meshgw fix return-route-missing {shown}\n"
        assert (line in text) if shown else ("meshgw fix" not in text)


def test_diagnosis_waits_for_limit_and_timeout(cli: Cli) -> None:
    with FakeServer(cli.control, silence):
        begun = time.monotonic()
        result = cli("--timeout", "0.1", "diagnose", "--limit", "600", "10.0.1.50:3000")
    assert result.returncode == TIMEOUT
    assert "nothing within 0.7 s" in one_sentence(result)
    assert time.monotonic() - begun >= 0.7


def test_diagnosis_without_a_daemon(cli: Cli) -> None:
    answer = json.dumps(recorded("diagnose-return-route")).replace("'", "'\\''")
    calls = cli.once(f"echo '{answer}'")
    result = cli("diagnose", "--from", "devices", "--passive", "10.0.1.50:3000")
    assert result.returncode == CAUSE_NODE, result.stderr
    assert calls.read_text().endswith(
        "--once diagnose --limit 10000 --from devices --passive 10.0.1.50:3000\n"
    )


VERDICT = json.dumps({"parameters": recorded("diagnose-return-route")}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"parameters":{}}\0',
        b'{"parameters":{"verdict":[]}}\0',
        VERDICT.replace(b'"code": "return-route-missing"', b'"code": 7') + b"\0",
        VERDICT.replace(b'"evidence": [', b'"evidence": [7, ') + b"\0",
        VERDICT.replace(b'"attributes": {', b'"attributes": {"x": [], ') + b"\0",
        VERDICT.replace(b'"candidates": [', b'"candidates": [null') + b"\0",
        VERDICT.replace(b'"commands": [', b'"commands": [{}, ') + b"\0",
        VERDICT.replace(b'"class"', b'"klass"') + b"\0",
    ],
)
def test_verdicts_that_make_no_sense(cli: Cli, data: bytes) -> None:
    with FakeServer(cli.control, raw(data)):
        result = cli("diagnose", "10.0.1.50:3000")
    assert (result.returncode, result.stdout) == (PROTOCOL, "")
    assert "makes no sense" in one_sentence(result)


def test_progress_is_wiped_out(cli: Cli) -> None:
    shown = b""

    def late(connection: socket.socket) -> None:
        nonlocal shown
        while b"Asking 10.0.1.50:3000 0." not in shown:
            shown += os.read(leader, 65536)
        reply(recorded("diagnose-healthy"))(connection)

    leader, follower = pty.openpty()
    with FakeServer(cli.control, late), subprocess.Popen(
        [MESHGW, "diagnose", "10.0.1.50:3000"],
        env=cli.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=follower,
    ) as process:
        assert process.wait(timeout=10) == DONE
    os.close(follower)
    text = shown.decode() + read_rest(leader)
    assert text.split("\r")[-1] == "" and text.split("\r")[-2].strip() == ""
    assert "\n" not in text


# ---- Doctor, fix, watch ----


@pytest.mark.parametrize(
    ("name", "status"), [("mixed", UNHEALTHY), ("well", DONE), ("injection", UNHEALTHY)]
)
def test_doctor(cli: Cli, name: str, status: int) -> None:
    answer = recorded(f"doctor-{name}")
    with FakeServer(cli.control, reply(answer)) as server:
        text = cli("doctor")
        as_json = cli("doctor", "--json")
    assert (text.returncode, as_json.returncode) == (status, status)
    assert json.loads(as_json.stdout) == answer
    assert re.fullmatch(r"[ -~\n]+", text.stdout + as_json.stdout)
    assert [r["method"] for r in server.requests] == [GATEWAY + "Doctor"] * 2


def test_doctor_that_makes_no_sense(cli: Cli) -> None:
    with FakeServer(cli.control, reply({"checks": [{"name": "x"}]})):
        result = cli("doctor")
    assert (result.returncode, result.stdout) == (PROTOCOL, "")


FIXED = OPERATIONS | {"digest": "d-1"}
FIX = {"code": "return-route-missing", "target": "10.0.1.50:3000"}


def test_fix_with_consent_on_the_command_line(cli: Cli) -> None:
    """What is done is what was shown: the digest goes back."""
    with FakeServer(cli.control, reply(FIXED)) as server:
        text = cli("fix", "--yes", *FIX.values())
        as_json = cli("fix", "-y", "--json", *FIX.values())
    assert (text.returncode, as_json.returncode) == (DONE, DONE)
    assert text.stdout.endswith("1 change made.\n")
    assert json.loads(as_json.stdout) == FIXED
    done = {"code": FIX["code"], "preview": False, "digest": "d-1"}
    assert [r["parameters"] for r in server.requests] == [FIX | {"preview": True}, done] * 2


def test_fix_shows_and_does_nothing_without_a_terminal(cli: Cli) -> None:
    with FakeServer(cli.control, reply(FIXED)) as server:
        text = cli("fix", *FIX.values(), input="y\n")
        as_json = cli("fix", "--json", *FIX.values(), input="y\n")
    assert (text.returncode, as_json.returncode) == (NO_CONSENT, NO_CONSENT)
    assert "add  route 10.0.0.0/8" in text.stdout and "nothing was changed yet" in text.stdout
    assert "or --yes" in one_sentence(text)
    assert json.loads(as_json.stdout)["parameters"] == FIXED
    assert [r["parameters"] for r in server.requests] == [FIX | {"preview": True}] * 2


@pytest.mark.parametrize(
    ("said", "status"), [("y\n", DONE), ("YES\n", DONE), ("n\n", NO_CONSENT), ("\n", NO_CONSENT)]
)
def test_fix_asks_at_a_terminal(cli: Cli, said: str, status: int) -> None:
    leader, follower = pty.openpty()
    with FakeServer(cli.control, reply(FIXED)) as server:
        os.write(leader, said.encode())
        result = subprocess.run(
            [MESHGW, "fix", "leftovers"],
            env=cli.env, stdin=follower, stdout=subprocess.PIPE, stderr=follower, timeout=30,
        )
    os.close(follower)
    asked = read_rest(leader)
    assert result.returncode == status
    assert "Do this? [y/N] " in asked
    previews = [r["parameters"]["preview"] for r in server.requests]
    assert previews == ([True, False] if status == DONE else [True])


def test_fix_with_nothing_to_do(cli: Cli) -> None:
    with FakeServer(cli.control, reply({"operations": [], "digest": "d-1"})) as server:
        result = cli("fix", "leftovers")
        agreed = cli("fix", "-y", "leftovers")
    assert (result.returncode, result.stdout) == (DONE, "Nothing to do.\n")
    assert (agreed.returncode, agreed.stdout) == (DONE, "Nothing had to be done.\n")
    assert [r["parameters"]["preview"] for r in server.requests] == [True, True]


def test_fix_leaves_something_to_its_operator(cli: Cli) -> None:
    command = "vtysh -c 'configure terminal' -c 'no ip route 100.64.0.0/12 CloudflareWARP'"
    answer = {"operations": [], "digest": "d-1", "commands": [command]}
    with FakeServer(cli.control, reply(answer)):
        text = cli("fix", "leftovers")
        as_json = cli("fix", "-y", "--json", "leftovers")
    assert text.stdout.splitlines()[-1] == "  " + command
    assert json.loads(as_json.stdout)["commands"] == [command]
    with FakeServer(cli.control, reply(answer | {"commands": [1]})):
        assert cli("fix", "leftovers").returncode == PROTOCOL


def test_fix_without_a_digest(cli: Cli) -> None:
    with FakeServer(cli.control, reply(OPERATIONS)) as server:
        result = cli("fix", "-y", "leftovers")
    assert (result.returncode, len(server.requests)) == (PROTOCOL, 1)


def test_misspelt_code(cli: Cli) -> None:
    assert "did you mean leftovers?" in cli("fix", "leftover").stderr


def flow(n: int, target: str = "tcp 10.0.1.50:3000") -> dict:
    return recorded("watch-flow")["flow"] | {"count": n, "target": target}


def follow(*flows: dict, then=silence):
    """Sends each as a reply that is continued, and goes on with `then`."""

    def behave(connection: socket.socket) -> None:
        for f in flows:
            message = {"parameters": {"flow": f}, "continues": True}
            connection.sendall(json.dumps(message).encode() + b"\0")
        then(connection)

    return behave


class Watch:
    """meshgw watch, with its output in a pipe or on a terminal."""

    def __init__(self, cli: Cli, *args: str, terminal: bool = False):
        self.end, out = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [MESHGW, "watch", *args],
            env=cli.env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True,
        )
        os.close(out)
        self.shown = ""

    def until(self, text: str) -> str:
        while text not in self.shown:
            self.shown += os.read(self.end, 65536).decode()
        return self.shown

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=10)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.end)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_in_lines(cli: Cli, number: int) -> None:
    with FakeServer(cli.control, follow(flow(1), flow(2))) as server, Watch(cli) as watch:
        lines = watch.until("2 times: ").splitlines()
        assert watch.stop(number) == DONE
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d [\d:]{8}  tcp 10.0.1.50:3000 from 100.96.0.7  return-route-missing "
        r"\(likely\), 1 time: The answer .+", lines[0]
    )
    assert len(lines) == 2
    assert server.requests[0]["method"] == GATEWAY + "Follow"
    assert server.requests[0]["more"] is True


def test_watch_as_json_lines(cli: Cli) -> None:
    hostile = recorded("watch-injection")["flow"]
    with FakeServer(cli.control, follow(flow(1), hostile, flow(7))), Watch(cli, "--json") as watch:
        shown = watch.until('"count":7')
        assert watch.stop() == DONE
    assert [json.loads(line) for line in shown.splitlines()] == [flow(1), hostile, flow(7)]
    assert re.fullmatch(r"[ -~\n]+", shown)


def test_watch_on_a_terminal(cli: Cli) -> None:
    """The same flow is one row; hostile texts move nothing."""
    cli.env["NO_COLOR"] = "1"
    hostile = recorded("watch-injection")["flow"]
    many = [flow(1), hostile, flow(41), flow(42), flow(3, "udp 10.0.1.53:53")]
    with FakeServer(cli.control, follow(*many)), Watch(cli, terminal=True) as watch:
        shown = watch.until("42 times")
        assert watch.stop() == DONE
    last = shown.split("\033[?7l")[-1]
    assert re.sub(r"\033\[\?7[lh]|\r|\n", "", last).isprintable()
    rows = [line.split()[:2] for line in last.split("\r\n")[1:4]]
    assert rows[0] == ["udp", "10.0.1.53:53"]
    assert rows[1] == ["tcp", "10.0.1.50:3000"]
    assert last.count("10.0.1.50:3000") == 1


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (raw(b""), "closed the connection"),
        (raw(b"nonsense\0"), "closed the connection"),
        (raw(b'{"parameters":{"flow":7},"continues":true}\0'), "makes no sense"),
        (reply({"flow": flow(3)}), "says no more"),
    ],
)
def test_watch_of_a_daemon_that_goes(cli: Cli, then, said: str) -> None:
    with FakeServer(cli.control, follow(flow(1), then=then)):
        result = cli("watch")
    assert result.returncode == PROTOCOL
    assert said in one_sentence(result)
    assert "1 time" in result.stdout


def test_watch_that_is_switched_off(cli: Cli) -> None:
    with FakeServer(cli.control, error(GATEWAY + "NotWatching", {"message": "mode is route"})):
        result = cli("watch")
    assert result.returncode == REFUSED
    assert "flows are not watched: mode is route" in one_sentence(result)


def test_watch_without_a_daemon(cli: Cli) -> None:
    assert cli("watch").returncode == UNREACHABLE
