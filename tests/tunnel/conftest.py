# SPDX-License-Identifier: Apache-2.0
"""Every test has a gateway and an edge of its own; the programs end well, or the test has failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from world import Pair, ending_well, enter_private_network


def pytest_configure() -> None:
    enter_private_network()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ending_well(Pair(tmp_path)) as made:
        yield made
