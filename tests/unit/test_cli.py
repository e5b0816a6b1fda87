# SPDX-License-Identifier: Apache-2.0
"""meshgw as a process, beside daemons that answer, refuse, hang, lie and die.

Runs the program named by $MESHGW. No daemon of ours, no root and no network is needed; where a
right must be missing, root becomes nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from fake_varlink import FakeServer, error, flood, raw, reply, silence

MESHGW = os.environ["MESHGW"]
GATEWAY = "io.meshgw.Gateway."
ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "golden" / "cli"
GOOD = "lan:\n  - interface: eth0\n    networks: [10.0.1.0/24]\n"
OPERATIONS = {
    "operations": [{"action": "add", "kind": "route", "name": "route 10.0.0.0/8", "detail": "dev x"}]
}
# Exit statuses, as meshgw(8) has them.
DONE, REFUSED, USAGE, UNREACHABLE, TIMEOUT, PERMISSION, CONFIG, FILE = range(8)
CONFLICT, UNHEALTHY, DOWN, TOO_LARGE, PROTOCOL = range(8, 13)
CAUSE_NODE, CAUSE_LAN, CAUSE_SERVICE, CAUSE_TUNNEL, UNDECIDED, NO_CONSENT = range(13, 19)


def recorded(name: str) -> dict:
    return json.loads((RECORDED / f"{name}.json").read_text())


class Cli:
    """Runs meshgw against the sockets of one folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.status = folder / "status"
        self.control = folder / "control"
        self.lock = folder / "meshgwd.lock"
        self.env = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "MESHGW_RUNTIME_DIR": str(folder),
            "MESHGWD": "/nonexistent/meshgwd",
        }
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def __call__(self, *args: str, **kwargs) -> subprocess.CompletedProcess:
        kwargs.setdefault("stdin", None if "input" in kwargs else subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(
            [MESHGW, *args], stderr=subprocess.PIPE, text=True, timeout=30, env=self.env, **kwargs
        )

    def once(self, script: str) -> Path:
        """A stand-in for the daemon's program; answers to --once by a shell script."""
        program = self.folder / "once"
        program.write_text(f"#!/bin/sh\necho \"$*\" >> {self.folder}/calls\n{script}\n")
        program.chmod(0o755)
        self.env["MESHGWD"] = str(program)
        return self.folder / "calls"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    folder = tmp_path / "run"
    folder.mkdir()
    return Cli(folder)


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return str(path)


def nobody(*folders: Path) -> dict:
    """Arguments that make a process of root's run as somebody else, who may enter the folders."""
    if os.geteuid() != 0:
        return {}
    for folder in folders:
        for part in [folder, *folder.parents][:4]:
            if part.stat().st_uid == 0 and part != Path("/tmp"):
                part.chmod(0o755)
    return {"user": 65534, "group": 65534, "extra_groups": []}


def one_sentence(result: subprocess.CompletedProcess) -> str:
    """The only line on stderr."""
    assert result.stderr.startswith("meshgw: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


# ---- Answers ----


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("status-healthy", DONE),
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
        result = cli("undo", **nobody(cli.folder))
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
def test_file_that_cannot_be_read(cli: Cli, tmp_path: Path, command: str, kind: str) -> None:
    path = tmp_path / "file.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "unreadable":
        path.write_text(GOOD)
        path.chmod(0)
    result = cli(command, str(path), **nobody(tmp_path))
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


# ---- Without a daemon ----


ANSWER = f"echo '{json.dumps(OPERATIONS)}'"


@pytest.mark.parametrize(
    ("args", "call"),
    [
        (["plan", "FILE"], "--once plan /dev/stdin"),
        (["plan", "--down"], "--once plan --down"),
        (["down"], "--once down"),
    ],
)
def test_once_when_no_daemon_runs(cli: Cli, good: str, args: list, call: str) -> None:
    calls = cli.once(f"cat /dev/stdin > {cli.folder}/content; {ANSWER}")
    args = [good if a == "FILE" else a for a in args]
    result = cli(*args, "--json")
    assert result.returncode == DONE, result.stderr
    assert json.loads(result.stdout) == OPERATIONS
    assert calls.read_text() == f"--runtime-dir {cli.folder} {call}\n"
    assert (cli.folder / "content").read_text() == (GOOD if good in args else "")


@pytest.mark.parametrize("command", [["apply"], ["confirm"], ["undo"], ["status"]])
def test_the_others_need_a_daemon(cli: Cli, good: str, command: list) -> None:
    calls = cli.once(ANSWER)
    result = cli(*command, *([good] if command == ["apply"] else []))
    assert result.returncode == UNREACHABLE
    assert not calls.exists()


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (f"""echo '{{"error":"{GATEWAY}DownIncomplete","parameters":{{"message":"m"}}}}'; exit 1""", REFUSED),
        (f"""echo '{{"error":"{GATEWAY}ApplyFailed","parameters":{{}}}}'; exit 1""", REFUSED),
        ("exit 1", REFUSED),
        ("exit 0", PROTOCOL),
        ("kill -SEGV $$", REFUSED),
        ("echo garbage", PROTOCOL),
        ("echo '[]'", PROTOCOL),
        ("echo '{\"operations\":7}'", PROTOCOL),
        ("exec sleep 60", TIMEOUT),
        ("exec >&-; exec sleep 60", TIMEOUT),
        ("exec tr '\\0' x < /dev/zero", PROTOCOL),
    ],
)
def test_once_that_fails(cli: Cli, script: str, status: int) -> None:
    cli.once(script)
    begun = time.monotonic()
    result = cli("--timeout", "0.3" if status == TIMEOUT else "20", "down")
    assert result.returncode == status, result.stderr
    one_sentence(result)
    assert time.monotonic() - begun < 15


def test_reason_of_once_and_none_of_its_log(cli: Cli) -> None:
    cli.once("echo 'a: b' >&2; echo 'meshgwd: there is no user \033[31m' >&2; exit 1")
    sentence = one_sentence(cli("down"))
    assert sentence.endswith("once --once failed: meshgwd: there is no user \\x1b[31m\n")
    cli.once(f"echo 'route: add' >&2; {ANSWER}")
    assert cli("down").stderr == ""


def test_once_that_cannot_be_run(cli: Cli) -> None:
    result = cli("down")
    assert result.returncode == UNREACHABLE
    assert "/nonexistent/meshgwd" in one_sentence(result)


@pytest.mark.parametrize("args", [["down"], ["plan", "--down"], ["plan", "-"]])
def test_without_a_daemon_it_needs_root(cli: Cli, args: list) -> None:
    del cli.env["MESHGWD"]
    result = cli(*args, input=GOOD, **nobody(cli.folder))
    assert result.returncode == PERMISSION
    assert "needs root" in one_sentence(result)


def test_daemon_that_comes_back_is_asked(cli: Cli) -> None:
    """It takes its lock some time before it listens."""
    calls = cli.once(f"touch {cli.folder}/started; exit 75")
    process = subprocess.Popen(
        [MESHGW, "--json", "down"], env=cli.env, stdout=subprocess.PIPE, text=True
    )
    wait_for((cli.folder / "started").exists)
    with FakeServer(cli.control, reply(OPERATIONS)) as server:
        out, _ = process.communicate(timeout=20)
    assert process.returncode == DONE
    assert json.loads(out) == OPERATIONS
    assert [r["method"] for r in server.requests] == [GATEWAY + "Down"]
    assert len(calls.read_text().splitlines()) == 1


def test_daemon_that_comes_and_goes_is_given_up(cli: Cli) -> None:
    calls = cli.once("exit 75")
    result = cli("--timeout", "1", "down")
    assert result.returncode == TIMEOUT
    assert "systemctl stop meshgwd" in one_sentence(result)
    assert len(calls.read_text().splitlines()) == 3


# ---- A daemon that hangs, and is to go ----


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class HungDaemon:
    """A process called meshgwd that holds the lock and the control socket, and does nothing."""

    def __init__(self, cli: Cli, name: str = "meshgwd", locked: bool = True):
        program = cli.folder / name
        shutil.copy(shutil.which("sleep"), program)
        self.lock = open(cli.lock, "w")
        if locked:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(cli.control))
        self.listener.listen(8)
        fds = (self.lock.fileno(), self.listener.fileno())
        self.process = subprocess.Popen([program, "1000"], pass_fds=fds)
        self.lock.write(f"{self.process.pid}\n")
        self.lock.close()  # the process has it now
        self.listener.close()

    def __enter__(self) -> HungDaemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_down_ends_a_daemon_that_hangs(cli: Cli) -> None:
    calls = cli.once(ANSWER)
    with HungDaemon(cli) as daemon:
        result = cli("--timeout", "1", "down")
        assert daemon.process.wait(timeout=5) == -9
    assert result.returncode == DONE
    assert one_sentence(result).endswith("does not answer: nothing within 1 s; ending it\n")
    assert "1 change made; down until" in result.stdout
    assert len(calls.read_text().splitlines()) == 1


@pytest.mark.parametrize(("name", "locked"), [("meshgwd", False), ("something", True)])
def test_down_ends_nobody_else(cli: Cli, name: str, locked: bool) -> None:
    calls = cli.once(ANSWER)
    with HungDaemon(cli, name, locked) as daemon:
        result = cli("--timeout", "0.3", "down")
        assert daemon.process.poll() is None
    assert result.returncode == TIMEOUT
    assert "does not tell its process" in result.stderr
    assert not calls.exists()


def test_only_down_ends_a_daemon(cli: Cli, good: str) -> None:
    cli.once(ANSWER)
    with HungDaemon(cli) as daemon:
        result = cli("--timeout", "0.3", "plan", good)
        assert daemon.process.poll() is None
    assert result.returncode == TIMEOUT
    one_sentence(result)


def test_daemon_that_dies_over_down(cli: Cli) -> None:
    calls = cli.once(ANSWER)

    def die(_: socket.socket) -> None:
        server.listener.shutdown(socket.SHUT_RDWR)

    server = FakeServer(cli.control, die)
    with server:
        result = cli("down")
    assert result.returncode == DONE, result.stderr
    assert len(calls.read_text().splitlines()) == 1


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


def read_rest(leader: int) -> str:
    """What is left on a terminal that nobody writes to any more."""
    shown = b""
    with contextlib.suppress(OSError):  # EIO is its end
        while chunk := os.read(leader, 65536):
            shown += chunk
    os.close(leader)
    return shown.decode()


def test_progress_is_wiped_out(cli: Cli) -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(0.6)
        reply(recorded("diagnose-healthy"))(connection)

    leader, follower = pty.openpty()
    with FakeServer(cli.control, late), subprocess.Popen(
        [MESHGW, "diagnose", "10.0.1.50:3000"],
        env=cli.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=follower,
    ) as process:
        assert process.wait(timeout=10) == DONE
    os.close(follower)
    shown = read_rest(leader)
    assert "Asking 10.0.1.50:3000 0." in shown
    assert shown.split("\r")[-1] == "" and shown.split("\r")[-2].strip() == ""
    assert "\n" not in shown


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


# ---- Bundles ----

RECORD = ROOT / "fuzz" / "corpus" / "fuzz_evidence" / "http.json"
SECRET = "s3cret-5ec3e7"


def plant(cli: Cli) -> None:
    """Programs that print secrets, talk without end, fail, hang, and print odd bytes."""
    folder = cli.folder / "bin"
    folder.mkdir()
    scripts = {
        "vtysh": f'echo "$*"; echo " neighbor 10.0.1.1 password {SECRET} {SECRET}"',
        "sysctl": f"echo net.ipv6.conf.eth0.stable_secret = {SECRET}",
        "ip": f'echo "token {SECRET}" >&2; exit 3',
        "conntrack": "yes conntrack",
        "nft": r"printf 'a\000b\377\033[2J\n'",
        "journalctl": f"echo key: http://me:{SECRET}@10.0.1.50/",
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    cli.env["PATH"] = f"{folder}:{cli.env['PATH']}"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        entries = [(m, tar.extractfile(m).read()) for m in tar]
    folders = {m.name.split("/")[0] for m, _ in entries}
    assert len(folders) == 1
    assert re.fullmatch(r"meshgw-bundle-\d{8}T\d{6}Z", folders.pop())
    assert all(m.isfile() and m.mode == 0o600 for m, _ in entries)
    return {m.name.split("/", 1)[1]: data for m, data in entries}


def test_bundle_of_a_node_that_is_well(cli: Cli, tmp_path: Path) -> None:
    plant(cli)
    record = json.loads(RECORD.read_text())
    record["flow"]["path"] = f"/?token={SECRET}"
    recalled = {"verdict": recorded("diagnose-return-route")["verdict"], "record": record}
    status = recorded("status-healthy") | {"version": f"password {SECRET}"}
    with FakeServer(cli.control, reply(recalled), reply(recorded("doctor-mixed"))), FakeServer(
        cli.status, reply(status)
    ):
        result = cli("bundle", "--json", cwd=tmp_path)
    assert result.returncode == DONE, result.stderr
    said = json.loads(result.stdout)
    path = tmp_path / said["file"]
    assert path.stat().st_mode & 0o777 == 0o600
    files = members(path)
    assert SECRET.encode() not in b"".join(files.values())
    assert json.loads(files["verdict.json"]) == recalled["verdict"]
    assert json.loads(files["record.json"])["facts"] == record["facts"]
    assert json.loads(files["doctor.json"]) == recorded("doctor-mixed")
    assert json.loads(files["status.json"])["phase"] == "up"

    tasks = {n.split("/")[1]: json.loads(d) for n, d in files.items() if n.endswith("result.json")}
    assert len(tasks) == said["tasks"] and said["verdict"] is True
    assert sum("why" in t for t in tasks.values()) == said["failed"]
    assert tasks["frr-config"]["command"] == ["vtysh", "-c", "show running-config"]
    assert tasks["frr-config"]["status"] == 0 and tasks["frr-config"]["ms"] >= 0
    assert files["tasks/frr-config/output.txt"].decode().splitlines()[1] == (
        " neighbor 10.0.1.1 password <redacted>"
    )
    assert tasks["ip-rule"]["status"] == 3 and tasks["ip-rule"]["why"] == "token <redacted>"
    assert tasks["conntrack"]["cut"] is True
    assert len(files["tasks/conntrack/output.txt"]) == 2 * 1024 * 1024
    assert files["tasks/nft-ruleset/output.txt"] == b"a\0b\xff\x1b[2J\n"
    assert tasks["warp-status"]["why"] == "not there"
    assert files["tasks/snmp/output.txt"].startswith(b"Ip: ")


def test_verdict_is_derived_again_from_a_bundle(cli: Cli, tmp_path: Path) -> None:
    record = json.loads(RECORD.read_text())
    direct = cli("diagnose", "--json", "--from-bundle", str(RECORD))
    verdict = json.loads(direct.stdout)
    assert direct.returncode in range(DONE, NO_CONSENT), direct.stderr
    path = tmp_path / "fault.tar"
    with FakeServer(cli.control, reply({"verdict": verdict, "record": record})):
        assert cli("bundle", str(path)).returncode == DONE
    packed = tmp_path / "fault.tar.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for file in path, packed:
        again = cli("diagnose", "--json", "--from-bundle", str(file))
        assert (again.returncode, json.loads(again.stdout)) == (direct.returncode, verdict)
    text = cli("diagnose", "--from-bundle", str(path))
    assert text.stdout.startswith(f"{verdict['code']}: ")
    assert "meshgw fix" not in text.stdout


def test_bundle_without_a_daemon(cli: Cli, tmp_path: Path) -> None:
    plant(cli)
    path = tmp_path / "x.tar"
    result = cli("bundle", str(path))
    assert result.returncode == DONE
    assert "It has no verdict" in result.stdout
    files = members(path)
    assert "verdict.json" not in files and "tasks/uname/output.txt" in files
    why = json.loads(files["tasks/Recall/task-result.json"])["why"]
    assert "meshgwd is not running" in why


def test_bundle_overwrites_nothing(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_text("mine")
    (tmp_path / "link.tar").symlink_to(tmp_path / "elsewhere")
    for name in "x.tar", "link.tar":
        result = cli("bundle", str(tmp_path / name))
        assert result.returncode == REFUSED
        assert "File exists" in one_sentence(result)
    assert path.read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no tar archive"),
        (b"nonsense" * 1000, "no tar archive"),
        (b"{", "not valid JSON"),
        (b"{}", "no record of a diagnosis"),
        (b'{"version":99}', "version 99"),
        (None, "No such file"),
    ],
)
def test_bundles_that_are_none(cli: Cli, tmp_path: Path, content, said: str) -> None:
    path = tmp_path / "bad\x1b.tar"
    if content is not None:
        path.write_bytes(content)
    result = cli("diagnose", "--from-bundle", str(path))
    assert (result.returncode, result.stdout) == (FILE, "")
    assert said in one_sentence(result) and "\x1b" not in result.stderr


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
