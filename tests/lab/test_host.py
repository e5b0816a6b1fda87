# SPDX-License-Identifier: Apache-2.0
"""How ./lab keeps house on the host, as far as it can be seen from inside a lab. host/interrupt.sh
has the rest: Ctrl-C at any moment, and a root file system made from nothing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.build import SRC
from lab.lab import HERE
from lab.machine import BASE
from lab.shell import run

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
STAMP = ".meshgw-lab"
# All that rootfs.sh says when it is asked.
IS_WHOLE = f'. {HERE}/host/rootfs.sh "$1" && is_whole && echo whole || echo not'


def lab_command(*words_: str, prefix: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit status and all that ./lab says, called once more while this lab runs."""
    done = subprocess.run(
        [*prefix, SRC / "lab", *words_], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=10, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("command", ["demo", "test", "up", "down", "exec", "worker", "bench"])
def test_without_root(command: str) -> None:
    """One sentence."""
    status, text = lab_command(command, prefix=NOBODY)
    sentence = f"lab: this needs root, for namespaces and mounts: sudo ./lab {command}\n"
    assert (status, text) == (1, sentence)


@pytest.mark.parametrize("command", ["demo", "test", "up", "bench"])
def test_second_lab(command: str) -> None:
    """It says that one is running, and which."""
    status, text = lab_command(command)
    assert status == 1 and text.count("\n") == 1
    assert text.startswith("lab: a lab is already running (pid ")
    assert "started" in text and text.endswith("; ./lab down ends it\n")


def test_status() -> None:
    """For people and scripts."""
    status, text = lab_command("status")
    assert status == 0 and text.startswith("running (pid ")


# ---- the root file system ----


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Path]:
    """A build folder with a root file system that may be damaged."""
    for name in ("upper", "work", "rootfs"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={BASE},upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    run("lab", (), ["mount", "-t", "overlay", "-o", options, "rootfs", tmp_path / "rootfs"])
    yield tmp_path
    run("lab", (), ["umount", tmp_path / "rootfs"])


def is_whole(build: Path) -> bool:
    """In rootfs.sh's eyes."""
    done = run("lab", (), ["bash", "-c", IS_WHOLE, "bash", str(build)])
    assert done.stdout in ("whole\n", "not\n")
    return done.stdout == "whole\n"


def test_whole_root(build: Path) -> None:
    """One that is there is not made again."""
    assert is_whole(build)


@pytest.mark.parametrize(
    "damage",
    [
        f"rm {STAMP}",  # not finished
        f"echo old >{STAMP}",  # made from another list
        "rm usr/bin/cmake",
        "chmod -x usr/lib/systemd/systemd",
        "rm -r usr/lib/python3/dist-packages/_pytest",
        "sed -i '0,/install ok installed/s//install ok unpacked/' var/lib/dpkg/status",
    ],
)
def test_half_made_root(build: Path, damage: str) -> None:
    """It is noticed."""
    run("lab", (), f"cd {build}/rootfs && {damage}")
    assert not is_whole(build)
