# SPDX-License-Identifier: Apache-2.0
"""No UDP for half a minute. It takes as long as that, so it is not done under the sanitizers."""

from __future__ import annotations

import time

from world import Pair, drop, mend, poll

BLOCK_S = 30.0


def test_blocked(pair: Pair) -> None:
    """No UDP for half a minute, with packets waiting to get through all the time."""
    pair.start()
    assert pair.ping()
    begin = time.monotonic()
    drop(pair, "meta l4proto udp")
    seen: set[bool] = set()
    while time.monotonic() < begin + BLOCK_S:
        assert not pair.ping()
        seen.add(pair.gateway.named("silent") and pair.edge.named("silent"))
    mend(pair)
    poll("the way back", pair.ping)
    assert True in seen
    poll("nothing more to say", lambda: not pair.gateway.named("silent"))
