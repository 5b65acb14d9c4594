"""How long one run of the `fast` profile takes, from its own table, into docs/results/paper.md.

    pickem benchmark vnc --profile fast --strategies entropy --rounds 25 --out docs/results/vnc-fast-time
    python -m benchmarks.run_time

The command is run on a machine that does nothing else, with the profile's two threads.
"""

from __future__ import annotations

import csv

from benchmarks.machine import RESULTS
from benchmarks.marked import fill
from pickem.benchmark.configuration import read_configuration

FOLDER = RESULTS / "vnc-fast-time"
PAGE = RESULTS / "paper.md"
AT = (20, 200, 500)  # labelled patches
PARTS = ("train_s", "evaluate_s", "score_s")


def main() -> None:
    """Rewrite the page's table."""
    fill(PAGE, "run time", _table())


def _table() -> str:
    configuration = read_configuration(FOLDER)
    assert configuration is not None  # the folder is in the repository
    with (FOLDER / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| labelled patches | training | evaluation | scoring and picking | together |",
        "|---|---|---|---|---|",
    ]
    for labelled in AT:
        until = [row for row in rows if int(row["labelled_patches"]) <= labelled]
        seconds = [sum(float(row[part] or 0) for row in until) for part in PARTS]
        cells = [f"{part / 60:.1f} min" for part in (*seconds, sum(seconds))]
        lines.append(f"| {labelled} | " + " | ".join(cells) + " |")
    machine, settings = configuration.machines[0], configuration.settings
    about = f"{machine.cpu}, {settings.threads} threads, {settings.precision}."
    return "\n".join(lines) + f"\n\n{about}"


if __name__ == "__main__":
    main()
