# SPDX-License-Identifier: Apache-2.0
"""A node made of a network namespace: its processes see the lab's own root file system."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from lab.shell import Command, Process, run


class Node:
    """Somewhere to run commands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.processes: list[Process] = []

    def prefix(self) -> list[str]:
        """What stands in front of a command to run it here."""
        return ["ip", "netns", "exec", self.name]

    def run(self, command: Command, **options: Any) -> subprocess.CompletedProcess[str]:
        """To the end; options as for shell.run()."""
        return run(self.name, self.prefix(), command, **options)

    def out(self, command: Command, **options: Any) -> str:
        """What a command prints, stripped."""
        return self.run(command, **options).stdout.strip()

    def json(self, command: Command, **options: Any) -> Any:
        """What a command prints, as JSON; nothing printed is an empty list."""
        return json.loads(self.out(command, **options) or "[]")

    def popen(self, command: Command, **options: Any) -> Process:
        """Starts a command; stop_all() ends it if nobody did."""
        process = Process(self.name, self.prefix(), command, **options)
        self.processes.append(process)
        return process

    def stop_all(self) -> None:
        """Ends what popen() started here."""
        while self.processes:
            self.processes.pop().stop()
