"""Run `pickem` as a user does, and look at its output and exit code."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pickem.cli.main import run

END_OF_INPUT = b"\x04"  # Ctrl-D
REPOSITORY = Path(__file__).resolve().parents[2]


def pickem(
    *arguments: object, module: str = "pickem.cli", **options: object
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own; never raises for a non-zero exit code."""
    return subprocess.run(
        [sys.executable, "-m", *module.split(), *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,  # type: ignore[call-overload]
    )


@dataclass(frozen=True)
class Outcome:
    """What a command line left behind."""

    returncode: int
    stdout: str
    stderr: str


def pickem_here(*arguments: object) -> Outcome:
    """Run the same entry point in this process: quicker by the seconds that importing torch takes."""
    stdout, stderr, before = io.StringIO(), io.StringIO(), (sys.argv, sys.stdin)
    sys.argv, sys.stdin = ["pickem", *map(str, arguments)], io.StringIO()
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = _exit_code()
    finally:
        sys.argv, sys.stdin = before
    return Outcome(code, stdout.getvalue(), stderr.getvalue())


def pickem_at_terminal(*arguments: object, typed: Sequence[str]) -> Outcome:
    """Run the entry point in this process with a pseudo-terminal for input and output, on which `typed` is
    answered line by line, and nothing after that. `stdout` is all that a person sees, their answers included.
    """
    keyboard, terminal = os.openpty()
    shown = bytearray()
    reader = threading.Thread(target=_read_all, args=(keyboard, shown))
    before = (sys.argv, sys.stdin)
    sys.argv = ["pickem", *map(str, arguments)]
    os.write(keyboard, "".join(f"{line}\n" for line in typed).encode() + END_OF_INPUT)
    reader.start()
    try:
        with (
            open(terminal, "w") as screen,  # noqa: PTH123  (a number)
            open(os.dup(terminal)) as sys.stdin,  # noqa: PTH123
            contextlib.redirect_stdout(screen),
            contextlib.redirect_stderr(screen),
        ):
            code = _exit_code()
    finally:
        sys.argv, sys.stdin = before
        reader.join()
        os.close(keyboard)
    return Outcome(code, shown.decode().replace("\r\n", "\n"), "")


def _read_all(keyboard: int, into: bytearray) -> None:
    with contextlib.suppress(OSError):  # how the end of a terminal is told
        while part := os.read(keyboard, 4096):
            into += part


def _exit_code() -> int:
    try:
        run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def rows(out: Path, table: str = "results.csv") -> list[dict[str, str]]:
    """The rows of a table of a benchmark's folder."""
    with (out / table).open(newline="") as file:
        return list(csv.DictReader(file))


TIMES = {"train_s", "score_s", "evaluate_s"}


def without_times(table: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows, sorted, less what differs from one run of the same thing to the next."""
    kept = [{k: v for k, v in row.items() if k not in TIMES} for row in table]
    return sorted(kept, key=lambda row: sorted(row.items()))
