# SPDX-License-Identifier: Apache-2.0
"""meshgw beside daemons that answer, refuse, hang, lie and die; its files, arguments and terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from cli_process import (
    CONFIG,
    CONFLICT,
    DONE,
    DOWN,
    FILE,
    GATEWAY,
    GOOD,
    MESHGW,
    OPERATIONS,
    PERMISSION,
    PROTOCOL,
    REFUSED,
    TIMEOUT,
    TOO_LARGE,
    UNHEALTHY,
    UNREACHABLE,
    USAGE,
    Cli,
    nobody,
    one_sentence,
    read_rest,
    recorded,
)
from fake_varlink import FakeServer, error, flood, raw, reply, silence


# ---- Answers ----


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("status-healthy", DONE),
        ("status-connector", DONE),
        ("status-edge", DONE),
        ("status-pending", DONE),
        ("status-tunnel-missing", UNHEALTHY),
        ("status-down", DOWN),
        ("status-unconfigured", DOWN),
    ],
)
def test_status_says_how_the_gateway_is(cli: Cli, name: str, status: int) -> None:
    with FakeServer(cli.status, reply(recorded(name))) as server:
        text = cli("status")
        verbose = cli("status", "-v")
        as_json = cli("--json", "status")
    assert [text.returncode, verbose.returncode, as_json.returncode] == [status] * 3
    assert text.stdout.startswith("meshgw 0.1.0 is ")
    assert len(verbose.stdout) >= len(text.stdout)
    assert json.loads(as_json.stdout) == recorded(name)
    assert as_json.stdout.count("\n") == 1
    assert [r["method"] for r in server.requests] == [GATEWAY + "GetStatus"] * 3


@pytest.mark.parametrize(
    ("args", "method", "parameters", "answer"),
    [
        (["plan", "FILE"], "Plan", {"content": GOOD, "name": "FILE"}, OPERATIONS),
        (["plan", "-"], "Plan", {"content": GOOD, "name": "<stdin>"}, OPERATIONS),
        (["plan", "--down"], "Plan", {"down": True}, OPERATIONS),
        (["apply", "FILE"], "Apply", {"content": GOOD, "name": "FILE"}, OPERATIONS),
        (
            ["apply", "--confirm", "90", "FILE"],
            "Apply",
            {"content": GOOD, "name": "FILE", "confirmSeconds": 90},
            OPERATIONS | {"pending": {"remainingSeconds": 90}},
        ),
        (["confirm"], "Confirm", {}, {}),
        (["undo"], "Undo", {}, OPERATIONS),
        (["down"], "Down", {}, OPERATIONS),
        (
            ["edge", "promote", "site1", "gw2"],
            "EdgePromote",
            {"node": "site1", "replica": "gw2"},
            {"active": "gw2", "before": "gw1"},
        ),
    ],
)
def test_each_command_asks_its_question(
    cli: Cli, good: str, args: list, method: str, parameters: dict, answer: dict
) -> None:
    args = [good if a == "FILE" else a for a in args]
    parameters = {k: good if v == "FILE" else v for k, v in parameters.items()}
    with FakeServer(cli.control, reply(answer)) as server:
        text = cli(*args, input=GOOD)
        as_json = cli(*args, "--json", input=GOOD)
    assert (text.returncode, as_json.returncode) == (DONE, DONE), text.stderr
    assert text.stderr == as_json.stderr == ""
    assert json.loads(as_json.stdout) == answer
    for request in server.requests:
        assert request["method"] == GATEWAY + method
        assert request.get("parameters", {}) == parameters
    if "operations" in answer:
        assert "add  route 10.0.0.0/8  dev x" in text.stdout


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("ConfigInvalid", CONFIG),
        ("ConfirmPending", CONFLICT),
        ("NothingPending", CONFLICT),
        ("NothingToUndo", CONFLICT),
        ("NotConfigured", DOWN),
        ("ApplyFailed", REFUSED),
        ("DownIncomplete", REFUSED),
        ("TargetInvalid", REFUSED),
        ("NotFixable", REFUSED),
        ("Busy", REFUSED),
        ("NotWatching", REFUSED),
        ("NotEdge", REFUSED),
        ("NotPromoted", REFUSED),
    ],
)
def test_errors_of_the_daemon(cli: Cli, name: str, status: int) -> None:
    parameters = {"message": "no", "diagnostics": [], "pending": {"remainingSeconds": 5}}
    with FakeServer(cli.control, error(GATEWAY + name, parameters)):
        text = cli("undo")
        as_json = cli("undo", "--json")
    assert (text.returncode, as_json.returncode) == (status, status)
    sentence = one_sentence(text)
    answer = json.loads(as_json.stdout)
    assert answer["error"] == GATEWAY + name
    assert answer["parameters"] == parameters
    assert sentence == f"meshgw: {answer['message']}\n"
    assert text.stdout == as_json.stderr == ""


def test_permission_denied_by_the_daemon(cli: Cli) -> None:
    with FakeServer(cli.control, error("org.varlink.service.PermissionDenied")):
        result = cli("undo")
    assert result.returncode == PERMISSION
    one_sentence(result)


# ---- The edge ----


@pytest.mark.parametrize(("name", "status"), [("edge-nodes", DONE), ("edge-not-attached", UNHEALTHY)])
def test_edge_status(cli: Cli, name: str, status: int) -> None:
    with FakeServer(cli.status, reply(recorded(name))):
        text = cli("edge", "status")
        as_json = cli("edge", "status", "--json")
    assert (text.returncode, as_json.returncode) == (status, status)
    assert text.stdout.startswith("Edge: ")
    assert json.loads(as_json.stdout) == recorded(name)["tunnel"]


@pytest.mark.parametrize(
    ("name", "status"), [("status-healthy", REFUSED), ("status-down", DOWN), ("status-connector", REFUSED)]
)
def test_no_edge(cli: Cli, name: str, status: int) -> None:
    with FakeServer(cli.status, reply(recorded(name))):
        result = cli("edge", "status")
    assert (result.returncode, result.stdout) == (status, "")
    one_sentence(result)


def test_promoted_is_said(cli: Cli) -> None:
    with FakeServer(cli.control, reply({"active": "gw2", "before": "gw1"}), reply({"active": "gw2"})):
        taken_over = cli("edge", "promote", "site1", "gw2")
        first = cli("edge", "promote", "site1", "gw2")
    assert taken_over.stdout == "gw2 is now the active replica of site1; gw1 was before\n"
    assert first.stdout == "gw2 is now the active replica of site1\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["edge"], "edge is followed by status or promote"),
        (["edge", "stats"], "edge is followed by status or promote"),
        (["edge", "status", "x"], "too many arguments"),
        (["edge", "promote", "site1"], "needs a NODE and its REPLICA"),
        (["edge", "promote", "a", "b", "c"], "too many arguments"),
    ],
)
def test_usage_of_edge(cli: Cli, args: list, sentence: str) -> None:
    result = cli(*args)
    assert result.returncode == USAGE
    assert sentence in one_sentence(result)


# ---- Daemons that are not well ----


@pytest.mark.parametrize("stale", [False, True])
def test_no_daemon(cli: Cli, stale: bool) -> None:
    if stale:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(cli.status))
    result = cli("status")
    assert result.returncode == UNREACHABLE
    assert "meshgwd is not running" in one_sentence(result)


def test_status_asks_only_the_status_socket(cli: Cli) -> None:
    with FakeServer(cli.control, reply(recorded("status-healthy"))) as server:
        assert cli("status").returncode == UNREACHABLE
    assert not server.requests


def test_no_permission_on_the_socket(cli: Cli) -> None:
    with FakeServer(cli.control, reply(OPERATIONS)) as server:
        cli.control.chmod(0o600 if os.geteuid() == 0 else 0)
        result = cli("undo", **nobody(cli))
    assert result.returncode == PERMISSION
    assert "no permission on" in one_sentence(result)
    assert not server.requests


def hangs(result: subprocess.CompletedProcess, begun: float) -> None:
    assert result.returncode == TIMEOUT
    assert "does not answer: nothing within 0.3 s" in one_sentence(result)
    assert 0.25 < time.monotonic() - begun < 5


def test_daemon_that_never_answers(cli: Cli) -> None:
    with FakeServer(cli.status, silence):
        begun = time.monotonic()
        hangs(cli("--timeout", "0.3", "status"), begun)


def test_daemon_that_never_accepts(cli: Cli) -> None:
    """Its backlog is full, so even connecting would wait for ever."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(cli.status))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(cli.status))
            begun = time.monotonic()
            hangs(cli("--timeout", "0.3", "status"), begun)


def test_answer_that_never_ends(cli: Cli) -> None:
    with FakeServer(cli.status, flood(b'{"parameters":{"x":"' + b"x" * 65536)):
        result = cli("--timeout", "5", "status")
    assert result.returncode == PROTOCOL
    one_sentence(result)


@pytest.mark.parametrize("args", [["apply", "FILE"], ["confirm"], ["undo"]])
def test_what_is_given_up_may_still_be_done(cli: Cli, good: str, args: list) -> None:
    with FakeServer(cli.control, silence):
        result = cli("--timeout", "0.3", *[good if a == "FILE" else a for a in args])
        plan = cli("--timeout", "0.3", "plan", good)
    assert (result.returncode, plan.returncode) == (TIMEOUT, TIMEOUT)
    assert "may still be done: see meshgw status" in one_sentence(result)
    assert "may still be done" not in one_sentence(plan)


def test_daemon_that_has_no_room(cli: Cli) -> None:
    """It closes what it cannot serve before it has read a byte."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(cli.status))
        listener.listen(8)
        with subprocess.Popen(
            [MESHGW, "status"], env=cli.env, stderr=subprocess.PIPE, text=True
        ) as process:
            for _ in range(2):
                listener.settimeout(10)
                listener.accept()[0].close()
            _, said = process.communicate(timeout=10)
    assert process.returncode == TIMEOUT
    assert said.startswith("meshgw: meshgwd has no connection free")
    assert said.count("\n") == 1


def test_daemon_that_hangs_up(cli: Cli) -> None:
    with FakeServer(cli.status, raw(b"")):
        result = cli("status")
    assert result.returncode == PROTOCOL
    assert "closed the connection without an answer" in one_sentence(result)


HEALTHY = json.dumps({"parameters": recorded("status-healthy")}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\0\0\0\0",
        b"hello\r\n\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n\0",
        b"\xff\xfe\xfd\0",
        b"[]\0",
        b"7\0",
        b"null\0",
        b"{}\0",
        b'{"parameters":[]}\0',
        b'{"parameters":{}}\0',
        b'{"parameters":{},"parameters":{}}\0',
        b'{"parameters":{},"more":1}\0',
        b'{"error":7}\0',
        b'{"continues":true,"parameters":{}}\0',
        b'{"parameters":' + b'{"x":' * 5000 + b"1" + b"}" * 5001 + b"\0",
        HEALTHY.replace(b'"up"', b"1") + b"\0",
        HEALTHY.replace(b'"repairs": 2', b'"repairs": "two"') + b"\0",
        HEALTHY.replace(b'"repairs": 2', b'"repairs": -2') + b"\0",
        HEALTHY.replace(b'"packets": 1234567', b'"packets": 1.5') + b"\0",
        HEALTHY.replace(b'"conditions": [', b'"conditions": [7, ') + b"\0",
        HEALTHY.replace(b'"conditions"', b'"condition"') + b"\0",
        HEALTHY,  # a NUL is missing
        HEALTHY[:-20],
    ],
)
def test_answers_that_make_no_sense(cli: Cli, data: bytes) -> None:
    with FakeServer(cli.status, raw(data)):
        text = cli("status")
        as_json = cli("--json", "status")
    assert text.returncode == PROTOCOL, text.stdout
    assert as_json.returncode == PROTOCOL
    assert "meshgwd" in one_sentence(text)
    assert text.stdout == ""
    assert json.loads(as_json.stdout)["error"] == "io.meshgw.Client.Protocol"


def test_path_too_long_for_a_socket(cli: Cli) -> None:
    cli.env["MESHGW_RUNTIME_DIR"] = "/tmp/" + "x" * 200
    result = cli("status")
    assert result.returncode == UNREACHABLE
    one_sentence(result)


# ---- Files ----


def test_good_file(cli: Cli, good: str) -> None:
    assert cli("check", good).stdout == f"{good}: no mistakes\n"
    printed = cli("check", "--print", good)
    assert printed.returncode == DONE
    assert cli("check", "--print", "-", input=printed.stdout).stdout == printed.stdout
    as_json = json.loads(cli("check", "--print", "--json", good).stdout)
    assert as_json == {"file": good, "content": printed.stdout}


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_mistakes_come_all_at_once_and_before_the_daemon(
    cli: Cli, tmp_path: Path, command: str
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("lan:\n  - interface: eth0\n    networks: [10.0.1.1/24, x]\nretrun_path: auto\n")
    with FakeServer(cli.control, reply(OPERATIONS)) as server:
        text = cli(command, str(bad))
        as_json = cli(command, "--json", str(bad))
    assert (text.returncode, as_json.returncode) == (CONFIG, CONFIG)
    *lines, last = text.stderr.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert re.fullmatch(rf"{re.escape(str(bad))}:\d+:\d+: \S+: .+", line)
    assert last == "meshgw: the configuration has 3 mistakes"
    assert not server.requests
    answer = json.loads(as_json.stdout)
    assert answer["error"] == GATEWAY + "ConfigInvalid"
    assert len(answer["parameters"]["diagnostics"]) == 3
    assert "total" not in answer["parameters"]


def test_mistakes_that_are_not_listed_are_counted(cli: Cli, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("x: 1\n" * 3000)  # and "lan" is missing
    *_, rest, last = cli("check", str(bad)).stderr.splitlines()
    assert "and 2002 further mistakes" in rest
    assert last == "meshgw: the configuration has 3001 mistakes"
    parameters = json.loads(cli("check", "--json", str(bad)).stdout)["parameters"]
    assert (len(parameters["diagnostics"]), parameters["total"]) == (1000, 3001)


@pytest.mark.parametrize("content", [b"lan:\0\n", b"\xff\xfe", b"lan: \x1b[2J\n", b"", b"[" * 10000])
def test_bytes_that_no_configuration_has(cli: Cli, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad\x1b.yaml"
    bad.write_bytes(content)
    result = cli("apply", str(bad))
    assert result.returncode == CONFIG
    assert "bad\\x1b.yaml" in result.stderr
    assert re.fullmatch(r"[ -~\n]+", result.stderr)


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "unreadable"])
def test_file_that_cannot_be_read(cli: Cli, command: str, kind: str) -> None:
    path = cli.folder / "file.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "unreadable":
        path.write_text(GOOD)
        path.chmod(0)
    result = cli(command, str(path), **nobody(cli))
    assert result.returncode == FILE
    assert str(path) in one_sentence(result)
    assert ("standard input, as -" in result.stderr) == (kind == "fifo")


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_file_of_one_gibibyte(cli: Cli, tmp_path: Path, command: str) -> None:
    path = tmp_path / "large.yaml"
    path.touch()
    os.truncate(path, 1 << 30)
    result = cli(command, str(path))
    assert result.returncode == TOO_LARGE
    assert "1048576" in one_sentence(result)


def test_endless_standard_input(cli: Cli) -> None:
    with open("/dev/zero", "rb") as zero:
        result = cli("check", "-", stdin=zero)
    assert result.returncode == TOO_LARGE
    one_sentence(result)


@pytest.mark.parametrize(("more", "status"), [(0, DONE), (1, TOO_LARGE)])
def test_limit_of_standard_input(cli: Cli, more: int, status: int) -> None:
    """Through a pipe, so that it arrives in pieces."""
    comment = "#" * (1048576 - len(GOOD) - 1 + more) + "\n"
    assert cli("check", "-", input=comment + GOOD).returncode == status


# ---- Command line and terminal ----


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["frobnicate"],
        ["stauts"],
        ["--frobnicate"],
        ["status", "-x"],
        ["status", "extra"],
        ["plan", "--confirm", "5"],
        ["plan", "--down", "file"],
        ["apply", "a", "b"],
        ["apply", "--confirm"],
        ["apply", "--confirm", "0"],
        ["apply", "--confirm", "86401"],
        ["apply", "--confirm", "5s"],
        ["apply", "--confirm", "-5"],
        ["apply", "--confirm", "99999999999999999999"],
        ["diagnose"],
        ["diagnose", "10.0.1.50"],
        ["diagnose", "10.0.1.50:3000", "extra"],
        ["diagnose", "ftp://10.0.1.50:3000"],
        ["diagnose", "10.0.1.50:3000\x1b[2J"],
        ["diagnose", "--limit", "499", "10.0.1.50:3000"],
        ["diagnose", "--limit", "60001", "10.0.1.50:3000"],
        ["diagnose", "--limit", "1s", "10.0.1.50:3000"],
        ["status", "--passive"],
        ["doctor", "extra"],
        ["watch", "extra"],
        ["fix"],
        ["fix", "no-such-code"],
        ["fix", "leftovers", "10.0.1.50"],
        ["fix", "return-route-missing", "10.0.1.50:3000", "extra"],
        ["diagnose", "--yes", "10.0.1.50:3000"],
        ["diagnose", "--from-bundle", "x.tar", "10.0.1.50:3000"],
        ["diagnose", "--from-bundle", "x.tar", "--passive"],
        ["bundle", "a", "b"],
        ["tunnel"],
        ["tunnel", "pine", "a"],
        ["tunnel", "pin"],
        ["tunnel", "pin", "a", "b"],
        ["--timeout", "0", "status"],
        ["--timeout", "", "status"],
        ["--timeout", "inf", "status"],
        ["--timeout", "1e3", "status"],
        ["--timeout", "1.2.3", "status"],
        ["--timeout", "3601", "status"],
        ["help", "frobnicate"],
        ["\x1b[2J"],
    ],
)
def test_wrong_usage(cli: Cli, args: list) -> None:
    text = cli(*args)
    as_json = cli("--json", *args)
    assert (text.returncode, as_json.returncode) == (USAGE, USAGE)
    assert re.fullmatch(r"[ -~]+\n", one_sentence(text))
    assert json.loads(as_json.stdout)["error"] == "io.meshgw.Client.Usage"


def test_misspelt_command(cli: Cli) -> None:
    assert "did you mean status?" in cli("stauts").stderr


def test_version_and_help(cli: Cli) -> None:
    assert re.fullmatch(r"meshgw \d+\.\d+\.\d+\n", cli("version").stdout)
    assert cli("--version").stdout == cli("version").stdout
    assert cli("apply", "--help").stdout == cli("help", "apply").stdout
    assert "--confirm SECONDS" in cli("help", "apply").stdout


def test_full_disk(cli: Cli) -> None:
    with open("/dev/full", "w") as full:
        result = cli("version", stdout=full)
    assert result.returncode == REFUSED
    assert "No space left on device" in one_sentence(result)


def on_terminal(cli: Cli, **env: str) -> str:
    cli.env.update(env)
    leader, follower = pty.openpty()
    cli("help", stdout=follower)
    os.close(follower)
    return read_rest(leader)


def test_colour_only_where_it_is_wanted(cli: Cli) -> None:
    assert "\033[" in on_terminal(cli, TERM="xterm")
    assert "\033[" in on_terminal(cli, TERM="xterm", NO_COLOR="")
    assert "\033[" not in on_terminal(cli, TERM="xterm", NO_COLOR="1")
    assert "\033[" not in on_terminal(cli, TERM="dumb", NO_COLOR="")
    assert "\033[" not in cli("help").stdout


def test_picture_follows_the_locale(cli: Cli) -> None:
    with FakeServer(cli.status, reply(recorded("status-tunnel-missing"))):
        drawn = cli("status").stdout
        cli.env["LC_ALL"] = "C"
        plain = cli("status").stdout
    assert "tunnel ✗─▶ CloudflareWARP" in drawn
    assert "tunnel x-> CloudflareWARP" in plain
    assert plain.isascii()
