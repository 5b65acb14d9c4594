"""Start the real command line in a process to which the operating system says no.

    python -m tests.integration.under_pressure full-disk N ARGUMENTS…        the N-th and later writes: ENOSPC
    python -m tests.integration.under_pressure no-permission FOLDER ARGUMENTS…   making FOLDER: EACCES

The refusals are raised where the operating system would raise them, in the calls that pickem makes.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any


def fill_disk_after(number: int) -> None:
    """From the N-th flush of a file on, there is no space left."""
    flush, count = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal count
        count += 1
        if count >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    os.fsync = fsync


def forbid(folder: Path) -> None:
    """The folder cannot be made."""
    make = Path.mkdir

    def mkdir(path: Path, *arguments: Any, **options: Any) -> None:
        if path == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        make(path, *arguments, **options)

    Path.mkdir = mkdir  # type: ignore[method-assign]


if __name__ == "__main__":
    from pickem.cli.main import run

    kind, value, *arguments = sys.argv[1:]
    if kind == "full-disk":
        fill_disk_after(int(value))
    else:
        forbid(Path(value))
    sys.argv = ["pickem", *arguments]
    run()
