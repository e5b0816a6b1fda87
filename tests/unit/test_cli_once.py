# SPDX-License-Identifier: Apache-2.0
"""meshgw without a daemon, where the program does it once; and one that hangs and is to go."""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
import subprocess
import time

import pytest
from cli_process import (
    DONE,
    GATEWAY,
    GOOD,
    MESHGW,
    OPERATIONS,
    PERMISSION,
    PROTOCOL,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    Cli,
    nobody,
    one_sentence,
)
from fake_varlink import FakeServer, reply
from waiting import poll


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
    result = cli(*args, input=GOOD, **nobody(cli))
    assert result.returncode == PERMISSION
    assert "needs root" in one_sentence(result)


def test_daemon_that_comes_back_is_asked(cli: Cli) -> None:
    """It takes its lock some time before it listens."""
    calls = cli.once(f"touch {cli.folder}/started; exit 75")
    process = subprocess.Popen(
        [MESHGW, "--json", "down"], env=cli.env, stdout=subprocess.PIPE, text=True
    )
    poll("started", (cli.folder / "started").exists)
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
