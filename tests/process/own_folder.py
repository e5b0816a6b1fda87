# SPDX-License-Identifier: Apache-2.0
"""A plugin of pytest: a folder of its own for everything that its tests write.

Without it all pytests of a user share one below /tmp, and each that begins changes that one's mode and
removes what it takes for old, while others are at work. It stays when a test has failed.
"""

from __future__ import annotations

import shutil
import tempfile

import pytest

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not config.option.basetemp:
        config.option.basetemp = tempfile.mkdtemp(prefix="meshgw-test-")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[FAILED] = exitstatus != pytest.ExitCode.OK


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(FAILED, False):
        print(f"kept: {config.option.basetemp}")
    else:
        shutil.rmtree(config.option.basetemp)
