# SPDX-License-Identifier: Apache-2.0
"""Figures, and the table that shows them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# An aim that is a ratio counts as reached within this much of it: what a run of interleaved rounds
# can tell apart.
TOLERANCE = 0.97


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    """Of at least one value."""
    return statistics.median(values)


def judge(value: float, aim: float) -> str:
    """A ratio that should be at least the aim."""
    if value >= aim:
        return "met"
    return "met within 3 %" if value >= TOLERANCE * aim else "MISSED"


@dataclass
class Report:
    """What a bench found out: data for programs, tables and remarks for people."""

    data: dict[str, Any]
    parts: list[str] = field(default_factory=list)

    def say(self, *remarks: str) -> None:
        """A paragraph."""
        self.parts.append("\n".join(remarks))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Left-aligned in the first column, right-aligned in the others."""
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        out = []
        for row in [head, ["-" * w for w in widths], *rows]:
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            out.append("  ".join(cells).rstrip())
        self.parts.append("\n".join(out))

    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.parts)
