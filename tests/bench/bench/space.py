# SPDX-License-Identifier: Apache-2.0
"""Namespaces, processes and files of one run. Leaving the Space ends and removes all of them."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Self

PREFIX = "bench-"
# For whatever is timed by the clock, ours and the peer's: other work on the machine counts less.
URGENT = ["nice", "-n", "-20"]
BUILD = Path(__file__).resolve().parents[3] / "build"
TIMEOUT_S = 60.0


class BenchError(Exception):
    """It cannot be measured; the message says why."""


def note(text: str) -> None:
    """What is going on, for whoever waits; figures go to stdout."""
    print(f"  {text}", file=sys.stderr, flush=True)


def poll_until[T](look: Callable[[], T], timeout: float, what: str) -> T:
    """Looks until it sees something true, and returns that."""
    end = time.monotonic() + timeout
    while not (seen := look()):
        if time.monotonic() > end:
            raise BenchError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)
    return seen


class Process:
    """A program that runs until it is stopped; what it writes to stderr goes to a file."""

    def __init__(self, argv: Sequence[str], log: Path, **popen: Any) -> None:
        self.argv = list(argv)
        self.log = log
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.DEVNULL)
        with log.open("wb") as errors:
            self.popen = subprocess.Popen(argv, stderr=errors, **popen)

    @property
    def pid(self) -> int:
        """nsenter and setpriv become what they start, so this is the program itself."""
        return self.popen.pid

    def alive(self) -> bool:
        """Raises BenchError with the end of its log when it is not."""
        if self.popen.poll() is None:
            return True
        tail = self.log.read_text(errors="replace")[-2000:]
        status = self.popen.returncode
        raise BenchError(f"{shlex.join(self.argv)}: exit status {status}\n{tail}")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL; may be called again."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


class Netns:
    """A network namespace. `ip netns exec` would want / to be a mount point; nsenter does not."""

    def __init__(self, space: Space, name: str) -> None:
        self.space = space
        self.name = PREFIX + name
        self.path = Path("/run/netns") / self.name
        if self.path.exists():
            raise BenchError(f"there is a namespace {self.name} already: another bench?")
        run(["ip", "netns", "add", self.name])
        self.ip("link set lo up")

    def argv(self, argv: Sequence[str | Path]) -> list[str]:
        """The command, entering the namespace first."""
        return ["nsenter", f"--net={self.path}", *map(str, argv)]

    def run(self, argv: Sequence[str | Path], **options: Any) -> str:
        """To its end; answers what it printed."""
        return run(self.argv(argv), **options)

    def popen(self, argv: Sequence[str | Path], **popen: Any) -> Process:
        """Until the Space is left."""
        return self.space.start(self.argv(argv), **popen)

    def ip(self, *commands: str) -> None:
        """Each one ip(8) command."""
        for command in commands:
            self.run(["ip", *command.split()])

    def nft(self, ruleset: str) -> None:
        """Loads a ruleset."""
        self.run(["nft", "-f", "-"], stdin=ruleset)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread itself, for sockets that stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.setns(there, os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(home, os.CLONE_NEWNET)
        finally:
            os.close(home)
            os.close(there)

    def sysctl(self, **values: int | str) -> None:
        """ipv4__conf__all__rp_filter=0 and the like."""
        for key, value in values.items():
            self.run(["sh", "-c", f"echo {value} >/proc/sys/net/{key.replace('__', '/')}"])

    def mac(self, interface: str) -> str:
        """The Ethernet address of an interface."""
        return self.run(["ip", "-o", "link", "show", interface]).split("link/ether ")[1].split()[0]


class Space:
    """Owns everything that a run makes."""

    def __init__(self, meshgwd: Path, tools: Path) -> None:
        self.meshgwd = meshgwd.resolve()
        self.tools = tools.resolve()
        self.namespaces: dict[str, Netns] = {}
        self.processes: list[Process] = []
        self.folder = self.disk = Path()

    def __enter__(self) -> Self:
        # A PID namespace without a /proc of its own shows other processes under our numbers.
        if os.readlink("/proc/self") != str(os.getpid()):
            run(["mount", "-t", "proc", "proc", "/proc"])
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/run"))
        # What a daemon syncs must lie on a disk, or syncing costs nothing here.
        self.disk = Path(tempfile.mkdtemp(prefix=PREFIX, dir=BUILD))
        for folder in (self.folder, self.disk):
            folder.chmod(0o755)
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        for folder in (self.folder, self.disk):
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Ends processes and removes namespaces; others may be made then."""
        while self.processes:
            self.processes.pop().stop()
        while self.namespaces:
            _, netns = self.namespaces.popitem()
            run(["ip", "netns", "del", netns.name], check=False)

    def netns(self, name: str) -> Netns:
        """A new namespace, bench-NAME."""
        self.namespaces[name] = Netns(self, name)
        return self.namespaces[name]

    def start(self, argv: Sequence[str], **popen: Any) -> Process:
        """Until the Space is left."""
        log = self.folder / f"{len(self.processes)}.log"
        process = Process(argv, log, **popen)
        self.processes.append(process)
        return process

    def tool(self, name: str) -> Path:
        """A program of this folder."""
        return self.tools / name


def run(
    argv: Sequence[str | Path], *, stdin: str = "", check: bool = True, timeout: float = TIMEOUT_S
) -> str:
    """Runs to the end; answers stdout, raises BenchError with both outputs on failure."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise BenchError(f"{shlex.join(words)}: still running after {timeout:g} s") from expired
    if check and done.returncode != 0:
        output = (done.stdout + done.stderr).strip()
        raise BenchError(f"{shlex.join(words)}: exit status {done.returncode}\n{output}")
    return done.stdout


def lines(stream: IO[Any] | None) -> IO[Any]:
    """The pipe that was asked for."""
    assert stream
    return stream
