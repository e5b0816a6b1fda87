#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Benches of the kernel path, each beside its peer in the same run: run.py heal|forward|idle|watch|bridge|tunnel|bgp.

Needs root, a private mount namespace (a tmpfs on /run), Debian's frr, nftables and iperf3, and
the C tools of this folder. Network namespaces called bench-… come and go; no other is touched.
The exit status says whether it could be measured, not whether the aims are met: the table does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from bench import bridge, forward, heal, idle, tunnel, watch
from bench.space import BUILD, BenchError, Space

BENCHES = {"heal": heal, "forward": forward, "idle": idle, "watch": watch, "bridge": bridge,
           "tunnel": tunnel}  # fmt: skip
if Path("/src/tests/lab").is_dir():
    # Only there: it needs machines.
    from bench import bgp

    BENCHES["bgp"] = bgp


def built(path: str) -> Path:
    """The newest build of a file; a release before anything else."""
    found = [BUILD / preset / path for preset in ("release", "dev")]
    return next((f for f in found if f.exists()), found[0])


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="figures for a program")
    common.add_argument("--meshgwd", type=Path, default=built("gateway/daemon/meshgwd"))
    common.add_argument("--tools", type=Path, default=built("tests/bench"))
    for name, module in BENCHES.items():
        sub = names.add_parser(name, parents=[common], help=(module.__doc__ or "").splitlines()[0])
        module.options(sub)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """One bench."""
    args = parse(argv)
    if os.geteuid() != 0:
        print("bench: this needs root, for network namespaces", file=sys.stderr)
        return 2
    try:
        for path in (args.meshgwd, args.tools / "heal"):
            if not path.exists():
                raise BenchError(f"{path} is not built")
        with Space(args.meshgwd, args.tools) as space:
            report = BENCHES[args.name].run(space, args)
    except (BenchError, OSError) as error:
        print(f"bench {args.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(report.data, indent=1) if args.json else report.text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
