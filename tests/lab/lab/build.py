# SPDX-License-Identifier: Apache-2.0
"""CMake in the lab: build trees below /src/build, one a preset, and what is installed from them.

A stage is what a package would put into a machine's root; it lies under that root as a layer.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SRC = Path("/src")
BUILD = SRC / "build"
LOGS = BUILD / "lab/log"
JOBS = "2"
RELAY_PRESET = "dev"
# What compilers, linkers and CMake call what is wrong; how much of a log is shown.
ERROR = re.compile(r"\berror:|undefined reference|^CMake Error")
ERRORS, TAIL = 20, 40


class BuildError(Exception):
    """The compiler has said why; the message holds that, and the end of what it said."""


def tree(preset: str) -> Path:
    """Where a preset builds."""
    return BUILD / preset


def stage(preset: str) -> Path:
    """Where a preset's installed files are."""
    return BUILD / "stage" / preset


def relay() -> Path:
    """The program that carries packets between edge and gateway."""
    return tree(RELAY_PRESET) / "tests/lab/relay"


def _logged(name: str, *commands: Sequence[str]) -> None:
    log = LOGS / f"{name}.log"
    with log.open("wb") as out:
        for command in commands:
            done = subprocess.run(
                command, cwd=SRC, stdout=out, stderr=out, stdin=subprocess.DEVNULL, check=False
            )
            if done.returncode != 0:
                raise BuildError(_why(log))


def _why(log: Path) -> str:
    """Its errors, wherever they are, and its end."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines[:-TAIL] if ERROR.search(line)][:ERRORS]
    above = [*errors, "…"] if errors else []
    return "\n".join([*above, *lines[-TAIL:], f"(the whole log: {log.relative_to(SRC)})"])


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    """A line for people: what is being done, and then how long it took."""
    begin = time.monotonic()
    print(f"  {what:<58} ", end="", flush=True)
    try:
        yield
    except BaseException as error:
        print("interrupted" if isinstance(error, KeyboardInterrupt) else "FAILED", flush=True)
        raise
    print(f"{time.monotonic() - begin:.1f} s", flush=True)


def build(
    preset: str,
    *settings: str,
    into: str | None = None,
    prefix: Sequence[str] = (),
    target: str = "all",
) -> None:
    """Configures and builds; `into` names another tree, for other settings of one preset."""
    name = into or preset
    _logged(
        f"build-{name}",
        (*prefix, "cmake", "--preset", preset, "-B", str(tree(name)), *settings),
        (*prefix, "cmake", "--build", str(tree(name)), "--parallel", JOBS, "--target", target),
    )


def install(preset: str) -> None:
    """Fills the stage anew; no machine may be running on it."""
    shutil.rmtree(stage(preset), ignore_errors=True)
    stage(preset).mkdir(parents=True)
    _logged(
        f"install-{preset}",
        ("env", f"DESTDIR={stage(preset)}", "cmake", "--install", str(tree(preset))),
    )


def build_all(preset: str) -> None:
    """What a lab with this preset in its gateways needs; the relay is always the fast one."""
    for name in dict.fromkeys((RELAY_PRESET, preset)):
        with timed(f"building ({name})"):
            build(name, target="lab")
            install(name)
