# SPDX-License-Identifier: Apache-2.0
"""Every test has a bridge of its own; it ends well, or the test has failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import Bridge, Daemon, Upstream, echo


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path)
    yield made
    if made.process:
        status = made.stop()
        assert status == 0, made.log.read_text(encoding="utf-8")[-4000:]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture
def echoing() -> Iterator[Upstream]:
    made = Upstream(echo)
    yield made
    made.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    made.stop()
