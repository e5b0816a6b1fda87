# SPDX-License-Identifier: Apache-2.0
"""URI templates up to level 3 (RFC 6570), with what RFC 9484 3 takes away."""

from __future__ import annotations

import re
from urllib.parse import quote

UNRESERVED = "-._~"


def _encode(value: str) -> str:
    return quote(value, safe=UNRESERVED)


def _expression(found: re.Match[str], values: dict[str, str]) -> str:
    operator, names = found.group(1), found.group(2).split(",")
    given = [(n, _encode(values[n])) for n in names if n in values]
    if operator == "":
        return ",".join(v for _, v in given)
    assert operator in "?&", f"not allowed: {operator}"
    return "".join((operator if i == 0 else "&") + f"{n}={v}" for i, (n, v) in enumerate(given))


def expand(template: str, target: str = "*", ipproto: str = "*") -> str:
    """`*` stays as it is in the examples of RFC 9484 4.4: `quote` would encode it, and both are the
    same URI only after normalisation."""
    values = {"target": target, "ipproto": ipproto}
    text = re.sub(r"\{([?&+#./;]?)([^}]*)\}", lambda m: _expression(m, values), template)
    return text.replace("%2A", "*")
