# SPDX-License-Identifier: Apache-2.0
"""examples/wrangler in a folder where it can be worked with: the tree itself is read-only here."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import build

PACKAGES = build.BUILD / "npm/node_modules"
# Nothing is told to anybody, and no other Node is used than the one that is pinned.
SETTINGS = f"export WRANGLER_SEND_METRICS=false NO_COLOR=1 PATH={PACKAGES}/.bin:$PATH"


def make(name: str) -> Path:
    """A copy with the packages that its lock file pins."""
    work = build.BUILD / "lab" / name
    shutil.rmtree(work, ignore_errors=True)
    made = shutil.ignore_patterns("node_modules", ".wrangler", "*-configuration.d.ts")
    shutil.copytree(build.SRC / "examples/wrangler", work, ignore=made)
    (work / "node_modules").symlink_to(PACKAGES)
    return work
