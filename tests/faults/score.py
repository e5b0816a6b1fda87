# SPDX-License-Identifier: Apache-2.0
"""How good the diagnosis is, in numbers.

Precision: of the faults that were answered with a cause, how many with the right one. Recall: of
all faults, how many. Undecided verdicts are not answers, and are missed. Negatives and decoys that
break nothing count in neither: their measure is the false alarm.

What must hold is missed(): no false alarm, no overclaim, no case without a verdict or with gates
that fail, and the aims. A single miss is no failure of the whole: on a busy machine packets are
late. Of the selection with one case of each code siblings count as right: the codes that no gateway
can tell apart are there as often as those that it can.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Sequence
from typing import Any

from judge import FALSE_ALARM, NOTHING, OVERCLAIM, RIGHT, SIBLING, UNANSWERED

Result = dict[str, Any]
PRECISION, RECALL, REMEDIES = 0.97, 0.95, 0.98


def precision_recall(results: Sequence[Result], *good: str) -> tuple[float, float]:
    """With these outcomes as good ones."""
    faults = [r for r in results if r["breaks"]]
    hits = sum(r["outcome"] in good for r in faults)
    answers = sum(r["outcome"] not in (UNANSWERED, NOTHING) for r in faults)
    return hits / answers if answers else 1.0, hits / len(faults) if faults else 1.0


def percentile(values: Sequence[float], part: float) -> float:
    """Of sorted or unsorted values."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


def confusion(results: Sequence[Result]) -> None:
    """Rows: what it was; columns: what was said. The diagonal is only counted."""
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for result in results:
        table[result["code"]][result["verdict"].get("code") or "-"] += 1
    print("\nconfusion matrix: what it was, how often it was told, and what else was said")
    for code in sorted(table):
        row = table[code]
        others = ", ".join(f"{said} {n}" for said, n in row.most_common() if said != code)
        print(f"  {code:<36} {row[code]:3}/{row.total():<3} {others}")


def numbers(results: Sequence[Result]) -> dict[str, float]:
    """What is printed, by name."""
    strict = precision_recall(results, RIGHT)
    kin = precision_recall(results, RIGHT, SIBLING)
    quiet = [r for r in results if not r["breaks"]]
    repairs = [r["repaired"] for r in results if r["repaired"] is not None]
    times = [r["took"] for r in results if r["verdict"]]
    return {
        "precision": strict[0],
        "recall": strict[1],
        "precision with siblings": kin[0],
        "recall with siblings": kin[1],
        "false alarms": sum(r["outcome"] == FALSE_ALARM for r in quiet),
        "quiet cases": len(quiet),
        "overclaims": sum(r["outcome"] == OVERCLAIM for r in results),
        "remedies": sum(repairs) / len(repairs) if repairs else 1.0,
        "repairs": len(repairs),
        "median s": statistics.median(times) if times else 0.0,
        "p95 s": percentile(times, 0.95),
    }


def missed(results: Sequence[Result], *, strict: bool) -> list[str]:
    """What must hold and does not."""
    found = [
        f"{r['name']}: {r['outcome']}" for r in results
        if r["outcome"] in (FALSE_ALARM, OVERCLAIM, NOTHING)
    ]  # fmt: skip
    found += [f"{r['name']}: {r['unfit'][0].splitlines()[-1]}" for r in results if r["unfit"]]
    have = numbers(results)
    kin = "" if strict else " with siblings"
    aims = {f"precision{kin}": PRECISION, f"recall{kin}": RECALL, "remedies": REMEDIES}
    found += [
        f"{name} {have[name]:.3f}, the aim is {aim}" for name, aim in aims.items()
        if have[name] < aim
    ]  # fmt: skip
    return found if results else ["nothing was run"]


def report(results: Sequence[Result], seconds: float, *, gates_only: bool) -> None:
    """All of it."""
    bad = [r for r in results if r["unfit"] or r["wrong"]]
    if not gates_only:
        confusion(results)
        n = numbers(results)
        print(
            f"\nprimary precision {n['precision']:.3f}, recall {n['recall']:.3f} (with siblings"
            f" {n['precision with siblings']:.3f}, {n['recall with siblings']:.3f})\n"
            f"false alarms {n['false alarms']:.0f} of {n['quiet cases']:.0f},"
            f" overclaims {n['overclaims']:.0f},"
            f" remedies that mend {n['remedies']:.3f} of {n['repairs']:.0f}\n"
            f"time to a verdict: median {n['median s']:.2f} s, p95 {n['p95 s']:.2f} s"
        )
    codes = {r["code"] for r in results}
    each = statistics.mean(r["seconds"] for r in results) if results else 0
    print(
        f"\n{len(results)} cases, {len(codes)} codes, {len(bad)} with something wrong;"
        f" {seconds:.0f} s, {each:.1f} s a case"
    )
    for result in bad:
        what = (result["unfit"] + result["wrong"])[0]
        print(f"  {result['name']}: {what.splitlines()[-1]}")
