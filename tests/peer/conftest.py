# SPDX-License-Identifier: Apache-2.0
"""Programs that end well, or the test has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from stage import Stage
from world import ending_well, enter_private_network


def pytest_configure() -> None:
    enter_private_network()


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stage]]:
    """One of each kind for a whole file."""
    made: dict[str, Stage] = {}
    with ExitStack() as stack:

        def stage(kind: str) -> Stage:
            if kind not in made:
                made[kind] = stack.enter_context(ending_well(Stage(tmp_path_factory.mktemp(kind))))
            return made[kind]

        yield stage


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
    with ending_well(Stage(tmp_path)) as made:
        yield made
