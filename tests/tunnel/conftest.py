# SPDX-License-Identifier: Apache-2.0
"""Every test has a gateway and an edge of its own; the programs end well, or the test has failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from world import Pair, check_ended_well, enter_private_network


def pytest_configure() -> None:
    try:
        enter_private_network()
    except OSError as error:
        pytest.exit(f"skipped: no network namespaces or TUN devices here: {error}", returncode=77)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    try:
        yield made
        for node in (made.gateway, made.edge):
            check_ended_well(node)
    finally:
        made.close()
