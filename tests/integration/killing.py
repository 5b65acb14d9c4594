"""Start the real command line in a process that kills itself (SIGKILL) at a chosen durable write.

    python -m tests.integration.killing POINT N ARGUMENTS…

Every durable write of pickem ends in one rename. POINT is "before" or "after": the process dies just before,
or just after, its N-th rename (counted from 1). So each N and POINT is a deterministic crash point.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any


def die_at(point: str, number: int) -> None:
    """Arm the process."""
    rename, count = os.replace, 0

    def replace(*arguments: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        if count == number and point == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        rename(*arguments, **options)
        if count == number and point == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace


if __name__ == "__main__":
    from pickem.cli.main import run

    die_at(sys.argv[1], int(sys.argv[2]))
    sys.argv = ["pickem", *sys.argv[3:]]
    run()
