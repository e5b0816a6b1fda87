# SPDX-License-Identifier: Apache-2.0
"""How a test waits: until something is so, and never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TIMEOUT_S = 20.0  # of whatever must happen; a busy machine is slow


def poll(what: str, check: Callable[[], Any], seconds: float = TIMEOUT_S) -> Any:
    """The first true value of check."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.01)
    return value
