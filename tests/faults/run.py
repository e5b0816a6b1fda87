#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fault matrix: ./lab test faults [--all] [-k NAME] [--shard I/N] [--resume] [--gates]
    [--tunnel relay|masque]

Each case passes its gates or is a defect: the flow works before; the fault breaks it (or does not,
where it should not); what the verdict says to do on the gateway mends it; and what was done is
undone without a trace. In between `meshgw diagnose` is asked, on the gateway, as a user would,
while the caller goes on trying. A case that could not be set up is set up once more, on a site made
anew: a verdict never gets a second chance.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import baselines
import score
from case import Case, load_all
from judge import NOTHING, Judgement, judge
from lab.kinds import KINDS
from lab.shell import CommandError, poll_until
from world import World

RESULTS = Path("/src/build/faults")
DIAGNOSE_S = 15.0
# A caller's own patience, in the background: its kernel repeats the SYN after 1 s.
RETRY = {"limit": 3.2, "every": 0.4}
RECALL = "varlinkctl --json=short call /run/meshgw/control io.meshgw.Gateway.Recall '{}'"
BYSTANDER = {"limit": 1.0, "every": 0.1}


class Run:
    """One case in the world."""

    def __init__(self, world: World, case: Case) -> None:
        self.world = world
        self.case = case
        self.caller = world.callers[case.caller]
        self.verdict: dict[str, Any] = {}
        self.record: Any = None
        self.status = -1
        self.took = 0.0
        self.broken: list[str] = []
        self.unmended: list[str] = []
        self.repaired: bool | None = None
        self.ended = ""

    def works(self, spec: dict[str, Any], limit: float) -> bool:
        """One attempt."""
        result = self.caller.tell("try", flow=spec, limit=limit)
        self.ended = result["how"]
        return bool(result["ok"])

    def go(self, gates_only: bool) -> None:
        """Gates and question; the undoing is the caller's."""
        case, world = self.case, self.world
        for action in case.given:
            world.do(action)
        if not self._works_soon(case.flow, 2.0):
            self.broken.append(f"gate 1: the flow does not work before ({self.ended})")
            return
        if case.bystander:
            other = {**case.flow, "source_port": 0}
            world.callers["device"].tell("repeat", flow=other, **BYSTANDER)
        for action in case.inject:
            world.do(action)
        if not self._shows():
            what = "the fault does not break it" if case.breaks else "it breaks the flow"
            self.broken.append(f"gate 2: {what} ({self.ended})")
            return
        if gates_only:
            return
        if case.calls:
            self.caller.tell("repeat", flow=case.then, **RETRY)
        self._ask()
        tried = self.caller.tell("stop")
        if case.breaks and any(one["good"] for one in tried):
            self.broken.append(f"gate 2: it came and went ({tried})")
        self._repair()

    def _works_soon(self, spec: dict[str, Any], seconds: float) -> bool:
        try:
            poll_until(lambda: self.works(spec, max(self.case.limit, 1.0)), seconds, "the flow")
        except AssertionError:
            return False
        return True

    def _shows(self) -> bool:
        """Whether the flow is as it should be with the fault, or comes to be."""
        end = time.monotonic() + self.case.within
        while self.works(self.case.then, self.case.limit) == self.case.breaks:
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        return True

    def _ask(self) -> None:
        begin = time.monotonic()
        command = ["meshgw", "diagnose", *self.case.ask, "--json"]
        try:
            done = self.world.gw.run(command, check=False, timeout=DIAGNOSE_S)
        except CommandError as error:
            self.broken.append(str(error))
            return
        finally:
            self.took = time.monotonic() - begin
        self.status = done.returncode
        try:
            self.verdict = json.loads(done.stdout)
        except ValueError:
            self.broken.append(f"{' '.join(command)}: {done.stdout}{done.stderr}".strip())
            return
        if "code" not in self.verdict:
            self.broken.append(f"{' '.join(command)}: {self.verdict.get('message')}")
            return
        recalled = self.world.gw.run(RECALL, check=False)
        if recalled.returncode == 0:
            self.record = json.loads(recalled.stdout)["record"]

    def _repair(self) -> None:
        if self.case.remedy != "gateway" or not self.verdict:
            return
        self.repaired = False
        commands = (self.verdict.get("remedy") or {}).get("commands") or []
        for command in commands:
            done = self.world.gw.run(command, check=False)
            if done.returncode != 0:
                said = (done.stdout + done.stderr).strip()
                self.unmended.append(f"gate 3: {command}: {said or done.returncode}")
        self.repaired = self._works_soon(self.case.flow, self.case.repair if commands else 0)
        if not self.repaired:
            told = " ; ".join(commands) or "no commands"
            self.unmended.append(f"gate 3: {told}: {self.ended}")


def attempt(world: World, case: Case, gates_only: bool) -> dict[str, Any]:
    """A result, whatever a case does."""
    world.become(case)
    begin = time.monotonic()
    world.forget()
    run = Run(world, case)
    before = world.look(world.touched(case))
    try:
        run.go(gates_only)
    except (CommandError, AssertionError, OSError, ValueError) as error:
        run.broken.append(f"{type(error).__name__}: {error}")
    for caller in world.callers.values():
        caller.tell("stop")
    left = world.restore(case, before, mended=run.repaired is not None)
    if gates_only:
        judged = Judgement("", ())
    else:
        judged = judge(case, run.verdict, run.status)
    return {
        "name": case.name,
        "kind": case.kind,
        "code": case.expect.code,
        "breaks": case.breaks,
        "ask": list(case.ask),
        "outcome": judged.outcome,
        "unfit": [*run.broken, *(f"left: {line}" for line in left)],
        "wrong": [*run.unmended, *judged.complaints],
        "repaired": run.repaired,
        "status": run.status,
        "took": round(run.took, 3),
        "seconds": round(time.monotonic() - begin, 2),
        "verdict": run.verdict,
        "record": run.record,
    }


def one(world: World, case: Case, gates_only: bool) -> dict[str, Any]:
    """A result, whatever happens."""
    try:
        result = attempt(world, case, gates_only)
        if result["unfit"]:
            print(f"  {case.name} once more: {result['unfit']}", flush=True)
            world.spoilt()
            result = attempt(world, case, gates_only)
        return result
    except Exception:  # pylint: disable=broad-exception-caught
        # The lab itself: one case is lost, and the next makes its site anew.
        world.spoilt()
        return {
            "name": case.name, "kind": case.kind, "code": case.expect.code,
            "breaks": case.breaks, "outcome": NOTHING, "repaired": None, "status": -1,
            "unfit": [traceback.format_exc()], "wrong": [], "took": 0, "seconds": 0,
            "verdict": {}, "record": None, "ask": [],
        }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    """A line, and more where something is wrong."""
    said = result["verdict"].get("code", "-")
    wrong = result["unfit"] + result["wrong"]
    mark = "FAILED" if wrong else "ok"
    times = f"{result['seconds']:5.1f} s {result['took']:5.2f} s"
    print(f"  {result['name']:<54} {mark:<7}{times}  {said}", flush=True)
    for line in wrong:
        print(f"      {line}", flush=True)


def chosen(args: argparse.Namespace, done: set[str]) -> list[Case]:
    """What is to be run."""
    cases = load_all()
    if args.k:
        cases = [case for case in cases if any(word in case.name for word in args.k.split(","))]
    elif not args.all:
        cases = [case for case in cases if case.ci]
    index, count = map(int, (args.shard or "0/1").split("/"))
    return [c for n, c in enumerate(cases) if n % count == index and c.name not in done]


def parsed() -> argparse.Namespace:
    """Our own arguments."""
    parser = argparse.ArgumentParser(prog="./lab test faults")
    parser.add_argument("--all", action="store_true", help="every variant, and the baselines")
    parser.add_argument("--tunnel", choices=KINDS, default="relay", help="what carries the packets")
    parser.add_argument("-k", metavar="NAME[,NAME]", help="cases with this in their names")
    parser.add_argument("--shard", metavar="I/N", help="of N parts the one with number I, from 0")
    parser.add_argument("--resume", action="store_true", help="go on where the last run ended")
    parser.add_argument("--gates", action="store_true", help="ask nobody: only look at the cases")
    parser.add_argument("--recorded", action="store_true", help="the sum of all shards, run before")
    return parser.parse_args()


def stored(path: Path) -> list[dict[str, Any]]:
    """Results of an earlier run; a last line may be cut off."""
    results = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            results.append(json.loads(line))
        except ValueError:
            break
    return results


def main() -> int:
    """The exit status."""
    args = parsed()
    shard = (args.shard or "all").replace("/", "-")
    file = RESULTS / f"results-{shard}.jsonl"
    RESULTS.mkdir(parents=True, exist_ok=True)
    if args.recorded:
        found = [r for path in sorted(RESULTS.glob("*.jsonl")) for r in stored(path)]
        score.report(found, sum(r["seconds"] for r in found), gates_only=False)
        return baselines.report(found)
    results = stored(file) if args.resume else []
    cases = chosen(args, {result["name"] for result in results})
    world = World(args.tunnel)
    fitting = [case for case in cases if world.fits(case)]
    if len(fitting) < len(cases):
        print(f"  {len(cases) - len(fitting)} cases of {len(cases)} cannot be over {args.tunnel}")
    world.start()
    begin = time.monotonic()
    with file.open("a" if args.resume else "w", encoding="utf-8") as out:
        for result in results:
            show(result)
        for case in fitting:
            result = one(world, case, args.gates)
            show(result)
            out.write(json.dumps(result) + "\n")
            out.flush()
            results.append(result)
    world.stop()
    score.report(results, time.monotonic() - begin, gates_only=args.gates)
    if args.all and not args.gates:
        baselines.report(results)
    if args.k or args.gates:
        return int(any(r["unfit"] or r["wrong"] for r in results) or not results)
    missed = score.missed(results, strict=args.all)
    for line in missed:
        print(f"missed: {line}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
