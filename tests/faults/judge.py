# SPDX-License-Identifier: Apache-2.0
"""What a verdict is worth, beside the label that the case carried before anybody looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from case import HEALTHY, Case

# Codes that name no cause.
UNDECIDED = frozenset((
    "inconclusive", "no-traffic-observed", "insufficient-privilege", "observer-limited",
    "recovered", "config-changed-during-analysis",
))  # fmt: skip
UNSURE = ("undetermined", "inconclusive")
# From best to worst; all behind SIBLING are defects but `unanswered`, which only costs recall.
RIGHT, SIBLING, UNANSWERED, WRONG, FALSE_ALARM, OVERCLAIM, NOTHING = (
    "right", "sibling", "unanswered", "wrong", "false alarm", "overclaim", "no verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """The outcome, and in words what is wrong with it."""

    outcome: str
    complaints: tuple[str, ...]


def answered(verdict: dict[str, Any]) -> bool:
    """Whether it names a cause, or health."""
    return verdict.get("code") not in UNDECIDED and verdict.get("confidence") not in UNSURE


def outcome(case: Case, verdict: dict[str, Any]) -> str:
    """One word."""
    code, expect = verdict.get("code", ""), case.expect
    if not code:
        return NOTHING
    if not case.breaks:
        if code == HEALTHY or code == expect.sibling:
            return RIGHT
        return UNANSWERED if code in UNDECIDED else FALSE_ALARM
    if expect.among:
        if verdict.get("confidence") not in UNSURE and code != expect.code:
            return OVERCLAIM if code in expect.among else WRONG
        named = {code, *verdict.get("candidates", ())}
        return RIGHT if code == expect.code or set(expect.among) <= named else UNANSWERED
    if code == expect.code:
        return RIGHT
    if code == expect.sibling:
        return SIBLING
    return WRONG if answered(verdict) else UNANSWERED


def judge(case: Case, verdict: dict[str, Any], status: int) -> Judgement:
    """With all that the label asks for."""
    word, expect = outcome(case, verdict), case.expect
    code = verdict.get("code", "")
    complaints = []
    # With less to see, to say less is right.
    modest = case.kind == "degraded" and word == UNANSWERED
    if word not in (RIGHT, SIBLING) and not modest:
        complaints.append(f"{word}: {code or 'nothing'} ({verdict.get('confidence', '-')})")
    accused = {code if answered(verdict) else "", verdict.get("next") or ""}
    complaints += [f"forbidden: {bad}" for bad in expect.forbidden if bad in accused]
    if expect.next and verdict.get("next") != expect.next:
        complaints.append(f"next is {verdict.get('next')}, not {expect.next}")
    attributes = verdict.get("attributes") or {}
    for name, value in expect.attributes.items():
        if str(attributes.get(name)) != value:
            complaints.append(f"{name}={attributes.get(name)}, not {value}")
    if code and (status == 0) != (code == HEALTHY):
        complaints.append(f"exit status {status} for {code}")
    return Judgement(word, tuple(complaints))
