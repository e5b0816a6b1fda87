# SPDX-License-Identifier: Apache-2.0
"""./lab test: builds, checks, CTest, the lab's tests, the demo, the fault matrix, and one sum.

The lab's tests mostly wait, so what only needs a processor runs beside them, at idle priority.
A step that checked nothing has failed, and so has one whose program ended otherwise than its report
says: a green sum means that all of it was done.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab import build, example

RESULTS = build.BUILD / "lab/results"
TESTS = build.SRC / "tests"
LIMIT_S = 60 * 60
IDLE = ("chrt", "--idle", "0")
# Not with the sanitizers: what they put into expressions makes gcc warn of conversions.
WERROR, NO_WERROR = "-DMESHGW_WERROR=ON", "-DMESHGW_WERROR=OFF"
LABELS = ("unit", "golden", "sim", "fuzz", "root", "bridge", "tunnel")
# CTest's label of tests that sleep nine tenths of their time; how many of them run at once.
WAITING, WAITING_JOBS = "tunnel", "3"
# Named first, it is run alone, with its arguments.
FAULTS = "faults"
# Named first, all of the lab's tests are run over the one that follows.
TUNNEL, TUNNELS = "--tunnel", ("relay", "masque")
# Over MASQUE: with which tunnel on the gateways, and which tests. Those of what only Cloudflare's
# client does have the client, and MASQUE between it and the edge.
OVER_MASQUE = (("masque", "not client"), ("client", "client"))
NO_TESTS = 5  # pytest's exit status
GROUPS = ("build", "static", "ctest", "lab", "masque", "lean", "demo", FAULTS)
# The folders' walls, seen from outside: what each of our programs must not be linked with.
FORBIDDEN = {
    "meshgwd": r"lib(ssl|crypto|h2o|ngtcp2|nghttp3|curl)",
    "meshgw": r"lib(ssl|crypto|h2o|ngtcp2|nghttp3|curl|mnl|nftnl)",
    "meshgw-probe": r"lib(mnl|nftnl|yaml|bpf|h2o|ngtcp2|nghttp3)",
    "meshgw-trace": r"lib(ssl|crypto|h2o|ngtcp2|nghttp3|curl|mnl|nftnl|yaml)",
    "meshgw-bridge": r"lib(mnl|nftnl|yaml)",
    "meshgw-tunnel": r"lib(mnl|nftnl|yaml)",
}


@dataclass
class Case:
    """One test."""

    name: str
    seconds: float
    passed: bool
    skipped: bool = False


@dataclass
class Step:
    """Something that is run and yields cases; `output` is shown when a case failed."""

    name: str
    work: Callable[[], Iterable[Case]]
    cases: list[Case] = field(default_factory=list)
    output: str = ""

    def run(self) -> None:
        """A step that breaks is one failed case, whatever broke it: others run beside it."""
        begin = time.monotonic()
        try:
            self.cases = list(self.work()) or [Case(f"{self.name}: nothing to check", 0, False)]
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.output = str(error) or repr(error)
            self.cases = [Case(self.name, 0, False)]
        self.report(time.monotonic() - begin)

    def report(self, seconds: float) -> None:
        """One line, and more on failure."""
        bad = [case for case in self.cases if not case.passed]
        word = "FAILED" if bad else "ok"
        text = f"  {self.name:<58} {word} {seconds:.1f} s, {len(self.cases)} checked"
        for case in bad:
            text += f"\n    failed: {case.name}"
        print(f"{text}\n{self.output}" if bad else text, flush=True)


def _command(name: str, *argv: str | Path, nice: bool = True) -> list[Case]:
    """One command is one case; it fails with its output."""
    begin = time.monotonic()
    # No pipe: what the command leaves running would hold it open.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            [*(IDLE if nice else ()), *map(str, argv)],
            cwd=build.SRC, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        output.seek(0)
        text = output.read()
    if done.returncode != 0:
        raise build.BuildError(text[-8000:])
    return [Case(name, time.monotonic() - begin, True)]


def _files(*patterns: str) -> list[Path]:
    """Files of the tree, without what is built, installed or hidden."""
    found = [path for pattern in patterns for path in build.SRC.glob(pattern)]
    ours = [p for p in found if "build" not in p.parts[2:3] and "node_modules" not in p.parts]
    return sorted(path.relative_to(build.SRC) for path in ours)


def _lint(name: str, argv: Sequence[str], files: Sequence[Path]) -> list[Case]:
    """Most of these read standard input when they are given no files, and like it."""
    return _command(name, *argv, *files) if files else []


# Building.


def _build(preset: str, *settings: str, into: str | None = None, nice: bool = False) -> list[Case]:
    begin = time.monotonic()
    prefix = IDLE if nice else ()
    build.build(preset, *settings, into=into, prefix=prefix)
    return [Case(f"build {into or preset}", time.monotonic() - begin, True)]


# Static checks.


def _format() -> list[Case]:
    sources = _files("*/**/*.[ch]", "*/**/*.c.inc")
    return _lint("clang-format", ("clang-format-19", "--dry-run", "-Werror"), sources)


def _tidy() -> list[Case]:
    """Only what it finds is of interest, not which files it read."""
    tidy = (
        f"run-clang-tidy-19 -quiet -j {build.JOBS} -p {build.tree('clang')}"
        " '-warnings-as-errors=*' >$log 2>&1 ||"
        " { grep -vE '^(\\[[ 0-9/]+\\]|[0-9]+ warnings? generated|$)' $log; exit 1; }"
    )
    return _command("clang-tidy", "sh", "-c", f"log={build.LOGS}/clang-tidy.log; {tidy}")


def _shellcheck() -> list[Case]:
    scripts = [p for p in _files("*", ".ci/*", "tests/**/*", "ansible/**/*") if _is_shell(p)]
    return _lint("shellcheck", ("shellcheck", "-x"), scripts)


def _is_shell(path: Path) -> bool:
    file = build.SRC / path
    if not file.is_file():
        return False
    if path.suffix == ".sh":
        return True
    with file.open("rb") as opened:
        return re.match(rb"#!.*\b(ba)?sh\b", opened.readline()) is not None


def _manuals() -> list[Case]:
    pages = _files("gateway/**/*.[1-8]", "httpbridge/*.[1-8]")
    return _lint("mandoc", ("mandoc", "-T", "lint", "-W", "warning"), pages)


def _links() -> list[Case]:
    """Every program of the stage, wherever it is put; one that FORBIDDEN does not know fails."""
    cases = []
    for path in sorted(build.stage("dev").rglob("*")):
        if path.is_symlink() or not path.is_file() or path.read_bytes()[:4] != b"\x7fELF":
            continue
        pattern = FORBIDDEN.get(path.name)
        dynamic = subprocess.run(
            ["readelf", "-d", path], capture_output=True, text=True, check=True
        ).stdout
        needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
        wrong = [name for name in needed if not pattern or re.match(pattern, name)]
        cases.append(Case(f"{path.name} links {' '.join(wrong)}".strip(), 0, not wrong))
    return cases


# Tests.


def _example() -> list[Case]:
    """examples/wrangler as a newcomer has it; its tests run Workers and services on loopback."""
    report = RESULTS / "example.xml"
    report.unlink(missing_ok=True)
    script = (
        f"ip link set lo up && cd {example.make('example')} && {example.SETTINGS} &&"
        " node --run types && node --run check &&"
        f" vitest run --reporter=default --reporter=junit --outputFile.junit={report}"
    )
    cases = _command("types, format, type check", "unshare", "--net", "sh", "-c", script)
    return [*cases, *_junit(report)]


def _junit(path: Path) -> list[Case]:
    cases = []
    for node in ET.parse(path).getroot().iter("testcase"):
        name = ".".join(filter(None, (node.get("classname"), node.get("name"))))
        bad = any(node.find(tag) is not None for tag in ("failure", "error"))
        cases.append(
            Case(
                name,
                float(node.get("time", "0")),
                not bad,
                node.find("skipped") is not None,
            )
        )
    return cases


def _reported(path: Path, name: str, status: int, failed_status: int) -> list[Case]:
    """The report's cases, and one more if the program that wrote it ended otherwise."""
    cases = _junit(path)
    expected = 0 if all(case.passed for case in cases) else failed_status
    if status != expected:
        cases.append(Case(f"{name}: exit status {status}, not {expected}", 0, False))
    return cases


def _ctest(tree: str, labels: Sequence[str]) -> list[Case]:
    """Those that wait come last: nothing of CTest's that needs the processors runs beside them."""
    chosen: tuple[str, ...] = ("--no-tests=error",)
    if labels:
        chosen = ("--no-tests=ignore", "-L", "|".join(f"^{label}$" for label in labels))
    rest = _ctest_part(tree, tree, "-j", build.JOBS, "-LE", f"^{WAITING}$", *chosen)
    waiting = ("-j", WAITING_JOBS, "-L", f"^{WAITING}$")
    return [*rest, *_ctest_part(tree, f"{tree}-{WAITING}", *waiting, *chosen)]


def _ctest_part(tree: str, name: str, *chosen: str) -> list[Case]:
    """In a network namespace of their own: some of them use the kernel."""
    report = RESULTS / f"ctest-{name}.xml"
    report.unlink(missing_ok=True)
    argv = (
        "ctest", "--test-dir", build.tree(tree), "--output-on-failure", "--output-junit", report,
        *chosen,
    )  # fmt: skip
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", 'ip link set lo up; exec "$@"', "sh",
         *map(str, argv)],
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    cases = _reported(report, "ctest", done.returncode, 8)
    return [Case(f"{tree}: {c.name}", c.seconds, c.passed, c.skipped) for c in cases]


def _pytest(
    args: Sequence[str], preset: str, tunnel: str = "relay", name: str = ""
) -> list[Case]:
    report = RESULTS / f"lab-{name or tunnel}.xml"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        ["python3", "-m", "pytest", f"--junit-xml={report}", "-o", "junit_family=xunit1", *args],
        cwd=TESTS / "lab", stdin=subprocess.DEVNULL, check=False,
        env={**os.environ, "MESHGW_LAB_PRESET": preset, "MESHGW_LAB_TUNNEL": tunnel},
    )  # fmt: skip
    if done.returncode == NO_TESTS:
        return []
    return _reported(report, "pytest", done.returncode, 1)


def _lab(args: Sequence[str], preset: str, tunnel: str) -> list[Case]:
    """All of the lab's tests, each once."""
    if tunnel == "relay":
        return _pytest(args, preset)
    return [c for own, which in OVER_MASQUE for c in _pytest(["-m", which, *args], preset, own)]


# All of it.


def _beside(groups: set[str]) -> list[Step]:
    """What needs a processor and nothing else."""
    steps = []
    if "build" in groups or "static" in groups:
        clang = (WERROR, "-DCMAKE_C_COMPILER=clang-19")
        steps.append(
            Step("build: clang", lambda: _build("dev", *clang, into="clang", nice=True))
        )
    if "build" in groups:
        steps.append(Step("build: libFuzzer targets", lambda: _build("fuzz", nice=True)))
    if groups & {"static", "ctest"}:
        steps.append(Step("examples/wrangler", _example))
    if "static" in groups:
        steps += [
            Step("clang-format", _format),
            Step("shellcheck", _shellcheck),
            Step("manual pages", _manuals),
            Step("clang-tidy", _tidy),
        ]
    return steps


def _in_turn(
    groups: set[str], labels: Sequence[str], args: Sequence[str], tunnel: str
) -> list[Step]:
    """What is measured by the clock, or needed by what follows."""
    preset = os.environ.get("MESHGW_LAB_PRESET") or "asan"
    steps = [Step("build: gcc", lambda: _build("dev", WERROR))]
    if groups & {"build", "ctest"} or (groups & {"lab", "masque"} and preset == "asan"):
        sanitizers = "build: gcc, AddressSanitizer and UBSan"
        steps.append(Step(sanitizers, lambda: _build("asan", NO_WERROR)))
    if "static" in groups:
        steps.append(Step("what links what", _links))
    if "ctest" in groups:
        steps += [
            Step("CTest", lambda: _ctest("dev", labels)),
            Step("CTest under the sanitizers", lambda: _ctest("asan", labels)),
        ]
    if "lab" in groups:
        steps.append(Step(f"lab over {tunnel}", lambda: _lab(args, preset, tunnel)))
    if "masque" in groups:
        marked = ("-m", "(masque or both) and not lean")
        steps.append(Step("masque", lambda: _pytest([*marked, *args], preset, "masque")))
    if "lean" in groups:
        lean = ("-m", "lean", *args)
        steps.append(Step("lean", lambda: _pytest(lean, "dev", "masque", "lean")))
    if FAULTS in groups:
        steps.append(Step("faults", _faults))
    # Last: it leaves its lab as it is.
    if "demo" in groups:
        # With what people get: without the sanitizers.
        demo = ("env", "MESHGW_LAB_PRESET=dev", "python3", "-m", "lab", "demo")
        steps.append(Step("demo", lambda: _command("demo", *demo, nice=False)))
    return steps


def _run_faults(args: Sequence[str] = ()) -> int:
    """The fault matrix prints its own sum."""
    return subprocess.run(
        ["python3", TESTS / "faults/run.py", *args], stdin=subprocess.DEVNULL, check=False
    ).returncode


def _faults() -> list[Case]:
    """One of each code, negatives, decoys: what is missed of all, and which cases could be run."""
    report = build.BUILD / "faults/results-all.jsonl"
    report.unlink(missing_ok=True)
    status = _run_faults()
    results = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    cases = [Case(f"faults: {r['name']}", r["seconds"], not r["unfit"]) for r in results]
    return [*cases, Case(f"faults: what must hold, exit status {status}", 0, status == 0)]


def _tunnel(argv: Sequence[str]) -> tuple[str, list[str]]:
    """What carries the packets in the lab's tests, and the other arguments."""
    if not argv or argv[0] != TUNNEL:
        return "relay", list(argv)
    if len(argv) < 2 or argv[1] not in TUNNELS:
        raise build.BuildError(f"{TUNNEL} is one of: {' '.join(TUNNELS)}")
    return argv[1], ["lab", *argv[2:]]


def _selection(argv: Sequence[str]) -> tuple[set[str], list[str], list[str]]:
    """Groups, CTest labels, pytest's arguments; nothing chosen is everything."""
    groups: set[str] = set()
    labels = []
    rest = list(argv)
    while rest and rest[0] in (*GROUPS, *LABELS):
        word = rest.pop(0)
        if word in LABELS:
            labels.append(word)
            word = "ctest"
        groups.add(word)
    if rest and not groups & {"masque", "lean"}:
        groups.add("lab")
    return groups or set(GROUPS), labels, rest


def _summary(steps: Sequence[Step], seconds: float) -> int:
    cases = [case for step in steps for case in step.cases]
    slowest = sorted(cases, key=lambda case: -case.seconds)[:10]
    print("\nthe ten slowest")
    for case in slowest:
        print(f"  {case.seconds:7.1f} s  {case.name}")
    failed = sum(not case.passed for case in cases)
    skipped = sum(case.skipped for case in cases)
    passed = len(cases) - failed - skipped
    print(f"\nall of it took {seconds:.0f} s")
    if seconds > LIMIT_S:
        print(f"that is more than the limit of {LIMIT_S} s")
        failed += 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.stdout.flush()
    return 1 if failed or not passed else 0


def run(argv: Sequence[str]) -> int:
    """The exit status."""
    if argv and argv[0] == FAULTS:
        build.build_all("dev")
        return _run_faults(argv[1:])
    begin = time.monotonic()
    tunnel, argv = _tunnel(argv)
    groups, labels, args = _selection(argv)
    RESULTS.mkdir(parents=True, exist_ok=True)
    beside = _beside(groups)
    in_turn = _in_turn(groups, labels, args, tunnel)
    builds = [step for step in in_turn if step.name.startswith("build")]
    for step in builds:
        step.run()
    if not all(case.passed for step in builds for case in step.cases):
        return _summary(builds, time.monotonic() - begin)
    build.install("dev")
    if any("AddressSanitizer" in step.name for step in builds):
        build.install("asan")
    side = threading.Thread(target=lambda: [step.run() for step in beside])
    side.start()
    for step in in_turn[len(builds) :]:
        step.run()
    side.join()
    return _summary([*in_turn, *beside], time.monotonic() - begin)
