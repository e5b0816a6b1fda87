# SPDX-License-Identifier: Apache-2.0
"""PID 1 of the lab: runs one command, reaps everybody's orphans, ends with the command.

When it ends the kernel ends every process of the namespace, so there is nothing else to clean up.
"""

import os
import signal
import subprocess
import sys
from types import FrameType

GRACE_S = 3


def main() -> int:
    """The command's exit status; 128 + signal when a signal ended it or us."""
    stopped_by = 0

    def stop(signum: int, _frame: FrameType | None) -> None:
        nonlocal stopped_by
        stopped_by = signum
        # From the terminal the command has had it as well; any other signal is for us alone.
        if signum != signal.SIGINT:
            command.terminate()
        signal.alarm(GRACE_S)

    def give_up(_signum: int, _frame: FrameType | None) -> None:
        os._exit(128 + stopped_by)

    # A shell's background jobs begin with SIGINT ignored; a handler here restores it in ours.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    signal.signal(signal.SIGALRM, give_up)
    command = subprocess.Popen(sys.argv[1:])  # pylint: disable=consider-using-with
    while True:
        pid, status = os.wait()
        if pid == command.pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
