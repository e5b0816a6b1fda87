# SPDX-License-Identifier: Apache-2.0
"""Running commands and waiting for things.

Every command is logged before it runs, with the node that runs it, so that the log of a failed
test reads like a session at a prompt. Nothing here sleeps for a fixed time.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

LOG = logging.getLogger("lab")
TIMEOUT_S = 30.0
POLL_S = 0.02

Command = str | Sequence[str]


class CommandError(Exception):
    """A command failed; the message says which, how, and what it wrote."""


def words(command: Command) -> list[str]:
    """A string is for sh, anything else is an argument vector."""
    return ["sh", "-c", command] if isinstance(command, str) else [str(w) for w in command]


def run(
    where: str,
    prefix: Sequence[str],
    command: Command,
    *,
    check: bool = True,
    stdin: str | None = None,
    timeout: float = TIMEOUT_S,
) -> subprocess.CompletedProcess[str]:
    """Runs to the end; raises CommandError on failure if check is set, and on a timeout."""
    shown = command if isinstance(command, str) else shlex.join(map(str, command))
    LOG.info("%s# %s", where, shown)
    try:
        done = subprocess.run(
            [*prefix, *words(command)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise CommandError(f"{where}# {shown}: still running after {timeout} s") from expired
    if check and done.returncode != 0:
        output = (done.stdout + done.stderr).strip()
        raise CommandError(f"{where}# {shown}: exit status {done.returncode}\n{output}")
    return done


class Process:
    """A command that runs on. Its output goes to a file, `output`, unless pipes are asked for."""

    def __init__(
        self,
        where: str,
        prefix: Sequence[str],
        command: Command,
        *,
        output: str | os.PathLike[str] | None = None,
        **popen: Any,
    ) -> None:
        shown = command if isinstance(command, str) else shlex.join(map(str, command))
        LOG.info("%s# %s &", where, shown)
        self.shown = f"{where}# {shown}"
        self.output = output
        popen.setdefault("stdin", subprocess.DEVNULL)
        if output is not None:
            popen["stdout"] = open(output, "wb")  # pylint: disable=consider-using-with
            popen.setdefault("stderr", subprocess.STDOUT)
        # A process group of its own: nsenter passes no signals on to what it started.
        self.popen = subprocess.Popen(  # pylint: disable=consider-using-with
            [*prefix, *words(command)], start_new_session=True, **popen
        )
        if output is not None:
            popen["stdout"].close()

    @property
    def stdout(self) -> IO[Any]:
        """With stdout=PIPE."""
        assert self.popen.stdout
        return self.popen.stdout

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.popen.poll() is None

    def text(self) -> str:
        """What it has written to its file so far."""
        assert self.output is not None
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, timeout: float = TIMEOUT_S) -> int:
        """Its exit status once it ends by itself."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired as expired:
            raise CommandError(f"{self.shown}: still running after {timeout} s") from expired

    def kill(self, signum: int) -> None:
        """To the whole group."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signum)

    def stop(self, signum: int = signal.SIGTERM, grace: float = 2.0) -> int:
        """Ends it, by force after the grace; may be called again."""
        self.kill(signum)
        for pipe in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if pipe:
                pipe.close()
        try:
            return self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill(signal.SIGKILL)
            return self.popen.wait()


def poll_until[T](
    look: Callable[[], T], timeout: float, what: str, *, interval: float = POLL_S
) -> T:
    """Looks until it sees something true, and returns that.

    CommandError and AssertionError of `look` count as not yet. At the deadline an AssertionError
    says what was waited for and what was seen last.
    """
    end = time.monotonic() + timeout
    while True:
        seen: Any
        try:
            seen = look()
            if seen:
                return seen
        except (CommandError, AssertionError, OSError) as error:
            seen = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}; seen last: {seen}")
        time.sleep(interval)
