# SPDX-License-Identifier: Apache-2.0
"""Programs that end well, or the test has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stage import Stage
from world import check_ended_well, enter_private_network


def pytest_configure() -> None:
    try:
        enter_private_network()
    except OSError as error:
        pytest.exit(f"skipped: no network namespaces or TUN devices here: {error}", returncode=77)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stage]]:
    """One of each kind for a whole file."""
    made: dict[str, Stage] = {}

    def stage(kind: str) -> Stage:
        if kind not in made:
            made[kind] = Stage(tmp_path_factory.mktemp(kind))
        return made[kind]

    yield stage
    for one in made.values():
        one.part()
        for node in (one.gateway, one.edge):
            check_ended_well(node)
        one.close()


@pytest.fixture
def edge(stages: Callable[[str], Stage]) -> Iterator[Stage]:
    """Our edge, running; each test brings its own client."""
    stage = stages("edge")
    stage.edge.tell(stage.server())
    if not stage.edge.process:
        stage.edge.start()
    yield stage
    stage.part()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Nothing of ours runs yet."""
    made = Stage(tmp_path)
    yield made
    made.part()
    for node in (made.gateway, made.edge):
        check_ended_well(node)
    made.close()
