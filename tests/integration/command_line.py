"""Run `pickem` as a user does: a process of its own, its output and exit code."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def pickem(
    *arguments: object, module: str = "pickem.cli", **options: object
) -> subprocess.CompletedProcess[str]:
    """Run the command line; never raises for a non-zero exit code."""
    return subprocess.run(
        [sys.executable, "-m", *module.split(), *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def rows(out: Path, table: str = "results.csv") -> list[dict[str, str]]:
    """The rows of a table of a benchmark's folder."""
    with (out / table).open(newline="") as file:
        return list(csv.DictReader(file))


TIMES = {"train_s", "score_s"}


def without_times(table: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows, sorted, less what differs from one run of the same thing to the next."""
    kept = [{k: v for k, v in row.items() if k not in TIMES} for row in table]
    return sorted(kept, key=lambda row: sorted(row.items()))
