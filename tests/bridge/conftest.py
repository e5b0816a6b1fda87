# SPDX-License-Identifier: Apache-2.0
"""Every test has a bridge of its own; it ends well, or the test has failed. For root, who may, all of
it is in a network of its own, where nobody else has a port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import Bridge, Daemon, Upstream, echo
from network import enter_network


def pytest_configure() -> None:
    if os.geteuid() == 0:
        enter_network()


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
