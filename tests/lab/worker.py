#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Worker fetches a URL through env.MESH; one JSON line a call.

Runs workerd in the network namespace it is called in (node worker), with the Worker of
examples/wrangler or the one given, bundled by esbuild as a deployment bundles it, and asks it over
loopback. workerd keeps connections of earlier calls open for a while, as Workers do; the first call
of each run has one of its own.

A Worker is told of some failures as "internal error; reference = …" only; the words that workerd
logs under that reference are added in brackets.

Exit status: 0 every call was answered with an HTTP status, 1 not so, 2 no Worker to ask.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
SCRIPT = TOP / "examples/wrangler/src/index.ts"
CONFIG = HERE / "worker/config.capnp"
PACKAGES = TOP / "build/npm/node_modules"
KEYS = ("url", "status", "body", "error", "ms")
# What config.capnp binds.
TOKEN = "lab"
# The gateways' bridges, which are asked why a call failed.
GATEWAYS = "http://100.96.0.18 http://100.96.0.19"
# An entry of workerd's log about an error that the Worker saw as a reference only.
HIDDEN = re.compile(r"^\S+ error: e = \S+: (?P<text>.*)\nstack: .*wdErrId = (?P<id>\w+)\n", re.M)


class WorkerError(Exception):
    """There is no Worker to ask."""


def listen_port(control: int) -> int:
    """The port from workerd's control channel; it ends when workerd does."""
    with os.fdopen(control) as messages:
        for line in messages:
            message = json.loads(line)
            if message["event"] == "listen":
                return message["port"]
    raise WorkerError("workerd did not start")


def explain(result: dict, log: str) -> tuple[dict, str]:
    """The result with what the log says about it, and the rest of the log."""
    shown = json.dumps(result)
    for entry in HIDDEN.finditer(log):
        reference = f"reference = {entry['id']}"
        if reference in shown:
            words = json.dumps(f"{reference} (workerd: {entry['text']})")[1:-1]
            shown = shown.replace(reference, words)
            log = log.replace(entry[0], "")
    return json.loads(shown), log


def program(name: str) -> Path:
    """The one for this machine: packages have a part for each."""
    found = list(PACKAGES.glob(name))
    if len(found) != 1:
        raise WorkerError(f"{PACKAGES / name}: {len(found)} of them")
    return found[0]


def bundle(script: Path, into: Path) -> None:
    """The script and what it imports as one module."""
    done = subprocess.run(
        [program("@esbuild/linux-*/bin/esbuild"), script, "--bundle", "--format=esm",
         "--target=es2024", "--conditions=workerd,worker,browser", f"--outfile={into}",
         "--log-level=warning"],
        env={**os.environ, "NODE_PATH": str(PACKAGES)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise WorkerError(f"{script}: {done.stderr.strip()}")


@contextlib.contextmanager
def running(script: Path, gateways: str, log: TextIO) -> Iterator[int]:
    """workerd with the script, for as long as the context lasts; its port."""
    binary = program("@cloudflare/workerd-linux-*/bin/workerd")
    with tempfile.TemporaryDirectory(prefix="worker-") as folder:
        shutil.copy(CONFIG, folder)
        bundle(script, Path(folder, "index.js"))
        control, theirs = os.pipe()
        process = subprocess.Popen(
            [binary, "serve", f"--control-fd={theirs}", CONFIG.name],
            cwd=folder,
            env={**os.environ, "GATEWAYS": gateways},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs,),
        )
        os.close(theirs)
        try:
            yield listen_port(control)
        finally:
            process.kill()
            process.wait()


def ask(port: int, url: str, timeout_s: float) -> dict:
    """One call. An answer that is not the result of a fetch stands as it is, as status and body."""
    begin = time.monotonic()

    def result(status: int | None, body: str | None, error: str | None) -> dict:
        took = round((time.monotonic() - begin) * 1000)
        return dict(zip(KEYS, (url, status, body, error, took)))

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(
            "GET", f"/?url={quote(url, safe='')}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
    except TimeoutError:
        return result(None, None, f"the Worker gave no answer within {timeout_s:g} s")
    except (OSError, http.client.HTTPException) as error:
        return result(None, None, f"the Worker gave no answer: {error!r}")
    finally:
        connection.close()

    with contextlib.suppress(ValueError):
        answer = json.loads(body)
        if isinstance(answer, dict) and all(key in answer for key in KEYS):
            return answer
    return result(response.status, body, None)


def calls(args: argparse.Namespace) -> bool:
    """Makes and prints them; whether all were answered. What the script logs goes to stderr."""
    answered = True
    with tempfile.TemporaryFile("w+", prefix="workerd-") as log:
        try:
            with (
                running(args.script, args.gateways, log) as port,
                open(f"/proc/self/fd/{log.fileno()}", encoding="utf-8", errors="replace") as news,
            ):
                for _ in range(args.count):
                    result = ask(port, args.url, args.timeout)
                    result, text = explain(result, news.read())
                    print(json.dumps(result, ensure_ascii=False), flush=True)
                    sys.stderr.write(text)
                    answered &= result["status"] is not None and result["error"] is None
        except WorkerError:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
    return answered


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="./lab worker", description="a real Worker calls env.MESH.fetch(URL)"
    )
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="calls, one by one")
    parser.add_argument("--script", type=Path, default=SCRIPT, metavar="FILE", help="a module")
    parser.add_argument("--timeout", type=float, default=60, metavar="S", help="per call")
    parser.add_argument("--gateways", default=GATEWAYS, metavar="URLS", help="asked why")
    args = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return 0 if calls(args) else 1
    except WorkerError as error:
        print(f"worker: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
