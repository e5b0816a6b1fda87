# SPDX-License-Identifier: Apache-2.0
"""The commands of ./lab that run inside: python3 -m lab COMMAND."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lab import build, demo, machine, network, suite
from lab.kinds import KINDS, WITH_CLIENT
from lab.lab import BRIDGE, CONFIG, CONFIG_BGP, Options
from lab.shell import CommandError

BENCH = build.SRC / "tests/bench/run.py"
READY = Path("/src/build/lab/run/ready")


def fail(sentence: str, status: int = 2) -> int:
    """Says why not."""
    print(f"lab: {sentence}", file=sys.stderr)
    return status


def cmd_up(argv: list[str]) -> int:
    """Stays until it is ended."""
    parser = argparse.ArgumentParser(prog="./lab up")
    parser.add_argument("--tunnel", choices=KINDS, default="relay")
    parser.add_argument("--router", choices=("static", "bgp", "none"), default="bgp")
    parser.add_argument("--bare", action="store_true")
    args = parser.parse_args(argv)
    options = Options(router=args.router, frr=True)
    build.build_all(options.preset)
    lab = (WITH_CLIENT if args.bare else KINDS)[args.tunnel](options)
    with build.timed("nodes up"):
        lab.start()
        if not args.bare:
            lab.deploy(config=(CONFIG_BGP if args.router == "bgp" else CONFIG) + BRIDGE)
    READY.touch()
    what = "gateways as Cloudflare's client leaves them" if args.bare else "meshgw on gw1 and gw2"
    print(f"the lab is up: {what}; ./lab down ends it", flush=True)
    while True:
        signal.pause()


def cmd_bench(argv: list[str]) -> int:
    """One bench, with its options, or all of them; what is measured is what is shipped."""
    with build.timed("building (release)"):
        build.build("release", target="bench")
    if not argv or argv[0] == "bgp":
        build.build_all("release")
    status = 0
    for name in [argv] if argv else [["heal"], ["forward"], ["idle"], ["watch"], ["bridge"], ["tunnel"], ["bgp"]]:
        print(flush=True)
        done = subprocess.run(["python3", BENCH, *name], check=False)
        status = status or done.returncode
    return status


def node_prefix(name: str) -> list[str]:
    """What stands in front of a command to run it in a node of the running lab."""
    if (machine.PLACE / name / "leader").exists():
        return machine.enter(machine.leader_of(name))
    return ["ip", "netns", "exec", name]


def in_node(name: str, command: list[str]) -> int:
    """Becomes the command."""
    if name not in network.PLANS:
        return fail(f"no node {name!r}: {' '.join(network.PLANS)}")
    argv = [*node_prefix(name), *command]
    os.execvp(argv[0], argv)


def cmd_exec(argv: list[str]) -> int:
    """Any command."""
    if len(argv) < 2:
        return fail("usage: ./lab exec NODE CMD…")
    return in_node(argv[0], argv[1:])


def cmd_shell(argv: list[str]) -> int:
    """A shell whose prompt says where."""
    if len(argv) != 1:
        return fail("usage: ./lab shell NODE")
    return in_node(argv[0], ["env", f"PS1={argv[0]}# ", "bash", "--norc"])


def cmd_worker(argv: list[str]) -> int:
    """A real Worker's calls."""
    return in_node("worker", ["python3", "/src/tests/lab/worker.py", *argv])


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "bench": cmd_bench,
    "demo": demo.run,
    "test": suite.run,
    "up": cmd_up,
    "exec": cmd_exec,
    "shell": cmd_shell,
    "worker": cmd_worker,
}


def main() -> int:
    """The exit status of ./lab."""
    try:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except (build.BuildError, CommandError, AssertionError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
