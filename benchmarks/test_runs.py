"""Keep account of every look at a test split: append what is new in docs/results to test-runs.csv.

    python -m benchmarks.test_runs

Whoever tunes on test data leaves a trace here. A row is one run as far as it went; a run that went on later
gets another row. Rows are only ever added.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import itertools
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from pickem.benchmark.configuration import Configuration, read_configuration

RESULTS = Path(__file__).parents[1] / "docs" / "results"
ACCOUNT = RESULTS / "test-runs.csv"
RUN = ("dataset", "profile", "settings", "strategy", "seed", "labelled_patches", "jaccard")
COLUMNS = ("date", "commit", *RUN)


def main() -> None:
    """Append the benchmark runs that the account does not hold yet."""
    record(_runs())


def record(runs: Iterable[dict[str, str]]) -> None:
    """Append those of the runs, with the columns RUN, that the account does not hold yet."""
    known = {_key(row) for row in _read(ACCOUNT)}
    stamp = {"date": datetime.date.today().isoformat(), "commit": _commit()}
    new = [run for run in runs if _key(run) not in known]
    begun = ACCOUNT.exists()
    with ACCOUNT.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not begun:
            writer.writeheader()
        writer.writerows(stamp | run for run in new)
    print(f"{len(new)} new of {len(known) + len(new)} runs on test splits: {ACCOUNT.name}")


def _key(row: dict[str, str]) -> tuple[str, ...]:
    """Without the settings, whose digits change where a later version knows a setting more."""
    return tuple(row[name] for name in RUN if name != "settings")


def _runs() -> Iterator[dict[str, str]]:
    """Every run on a test split under docs/results, at the last round it has reached."""
    for path in sorted(RESULTS.glob("*/results.csv")):
        configuration = read_configuration(path.parent)
        if configuration is None or configuration.split != "test":
            continue
        settings = _fingerprint(configuration)
        rows = sorted(_read(path), key=_run_of)
        for _, rounds in itertools.groupby(rows, key=_run_of):
            last = max(rounds, key=lambda row: int(row["round"]))
            yield {name: settings if name == "settings" else last[name] for name in RUN}


def _run_of(row: dict[str, str]) -> tuple[str, str]:
    return row["strategy"], row["seed"]


def _fingerprint(configuration: Configuration) -> str:
    """Twelve digits that differ where any setting differs."""
    return hashlib.sha256(configuration.settings.model_dump_json().encode()).hexdigest()[:12]


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _commit() -> str:
    command = ["git", "-C", str(RESULTS), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
