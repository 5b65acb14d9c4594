"""Run `pickem` as a user does, and look at its output and exit code."""

from __future__ import annotations

import contextlib
import csv
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pickem.cli.main import run

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
            run()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.argv, sys.stdin = before
    return Outcome(code, stdout.getvalue(), stderr.getvalue())


def rows(out: Path, table: str = "results.csv") -> list[dict[str, str]]:
    """The rows of a table of a benchmark's folder."""
    with (out / table).open(newline="") as file:
        return list(csv.DictReader(file))


TIMES = {"train_s", "score_s"}


def without_times(table: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows, sorted, less what differs from one run of the same thing to the next."""
    kept = [{k: v for k, v in row.items() if k not in TIMES} for row in table]
    return sorted(kept, key=lambda row: sorted(row.items()))
