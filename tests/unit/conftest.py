# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of meshgw as a process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import GOOD, Cli


@pytest.fixture
def cli() -> Iterator[Cli]:
    """Not below tmp_path: each pytest that begins closes the folder of them all to other users."""
    with tempfile.TemporaryDirectory(prefix="meshgw-") as top:
        folder = Path(top) / "run"
        folder.mkdir()
        yield Cli(folder)


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return str(path)
