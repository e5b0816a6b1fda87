# SPDX-License-Identifier: Apache-2.0
"""meshgwd as a process: its options, and who may run beside it.

Runs the program named by $MESHGWD. A daemon runs in a network namespace of its own; where none
can be made, those tests are skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import poll

MESHGWD = os.environ["MESHGWD"]
CONFIG = """\
mesh: {interface: mesh0}
lan: [{interface: lan0, networks: [10.0.1.0/24]}]
"""
DONE, FAILED, USAGE = range(3)
RUNNING = 75
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


def run(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run([MESHGWD, *args], capture_output=True, text=True, timeout=30)


class Space:
    """A network namespace, held by a process that does nothing, and daemons in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE
        )
        if not self.holder.stdout or not self.holder.stdout.read(1):
            pytest.skip("no network namespace can be made")
        self.processes = [self.holder]
        (folder / "meshgw.yaml").write_text(CONFIG)

    def inside(self, *command: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *command]

    def daemon(self, name: str, *options: str) -> subprocess.Popen:
        process = subprocess.Popen(
            self.inside(MESHGWD, *options)
            + ["--user", "root", "--config", str(self.folder / "meshgw.yaml")]
            + ["--state-dir", str(self.folder / f"{name}.state")]
            + ["--runtime-dir", str(self.folder / name)],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def answers(self, name: str) -> bool:
        """Calls come last: what the kernel had to say before was read when this is answered."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            if client.connect_ex(str(self.folder / name / "status")) != 0:
                return False
            client.sendall(b'{"method":"io.meshgw.Gateway.GetStatus"}\0')
            return client.recv(1) == b"{"

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Space]:
    space = Space(tmp_path)
    yield space
    space.end()


def test_usage_has_every_option_of_the_manual() -> None:
    page = (Path(__file__).parents[2] / "gateway/daemon/meshgwd.8").read_text()
    options = set(re.findall(r"Fl -([a-z-]+)", page))
    result = run("--help")
    assert result.returncode == DONE
    assert set(re.findall(r"--([a-z-]+)", result.stdout)) == options


@pytest.mark.parametrize("size", ["x", "", "-1", "0", "12k", "99999999999", "2147483647"])
def test_receive_buffer_is_a_number_of_bytes(size: str) -> None:
    result = run("--receive-buffer", size)
    assert result.returncode == USAGE
    assert "--receive-buffer" in result.stderr
    assert result.stderr.count("\n") == 1


@NEEDS_ROOT
def test_one_daemon_a_network_namespace(space: Space) -> None:
    """Directories of its own do not make a second daemon welcome; the first one's end does."""
    first = space.daemon("first")
    poll("first answers", lambda: space.answers("first"))
    second = space.daemon("second")
    _, said = second.communicate(timeout=20)
    assert second.returncode == RUNNING
    assert said.count("\n") == 1
    assert "another process owns table inet meshgw" in said
    assert first.poll() is None
    first.kill()
    first.wait()
    space.daemon("second")
    poll("second answers", lambda: space.answers("second"))


@NEEDS_ROOT
def test_one_daemon_a_runtime_directory(space: Space) -> None:
    first = space.daemon("first")
    poll("first answers", lambda: space.answers("first"))
    lock = space.folder / "first" / "meshgwd.lock"
    assert lock.stat().st_mode & 0o777 == 0o640
    second = space.daemon("first")
    _, said = second.communicate(timeout=20)
    assert second.returncode == RUNNING
    assert f"another meshgwd is running (pid {first.pid})" in said


@NEEDS_ROOT
@pytest.mark.skipif(not shutil.which("nft"), reason="needs nft")
@pytest.mark.parametrize("others", [False, True])
def test_who_made_notifications_overflow(space: Space, others: bool) -> None:
    """Its own table is more than the buffer holds: not worth a warning, somebody else's is."""
    daemon = space.daemon("run", "--receive-buffer", "1")
    poll("run answers", lambda: space.answers("run"))
    if others:
        rules = "".join(f"add chain inet foreign c{i}\n" for i in range(200))
        daemon.send_signal(signal.SIGSTOP)  # or it might read as fast as nft writes
        subprocess.run(
            space.inside("nft", "-f", "-"), input=f"add table inet foreign\n{rules}", text=True, check=True
        )
        daemon.send_signal(signal.SIGCONT)
        assert space.answers("run")
    daemon.terminate()
    _, said = daemon.communicate(timeout=20)
    assert ("notifications lost" in said) == others, said
