"""Start the real command line in a process that kills itself (SIGKILL) at a chosen durable write.

    python -m tests.integration.killing POINT WHICH ARGUMENTS…

Every durable write of pickem ends in one rename. POINT is "before" or "after": the process dies just before,
or just after, the rename WHICH: a number, counted from 1, or the name of a file, at its first rename. So each
POINT and WHICH is a deterministic crash point.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def die_at(point: str, which: str) -> None:
    """Arm the process."""
    rename, count = os.replace, 0

    def replace(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        here = which in (str(count), Path(target).name)
        if here and point == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)
        if here and point == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace


if __name__ == "__main__":
    from pickem.cli.main import run

    die_at(sys.argv[1], sys.argv[2])
    sys.argv = ["pickem", *sys.argv[3:]]
    run()
