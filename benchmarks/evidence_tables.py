"""Copy the numbers of the evidence runs into docs/results/paper.md, so that none is typed by hand.

    python -m benchmarks.evidence_tables

Between the marks `<!-- NAME -->` and `<!-- end -->` of the page stands the report's table of
docs/results/NAME, between `<!-- NAME picks -->` and `<!-- end -->` what was picked there, and what that did
to the predictions.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from pickem.benchmark.report import Table, main_table, write_report

RESULTS = Path(__file__).parents[1] / "docs" / "results"
PAGE = RESULTS / "paper.md"
MARKED = re.compile(r"(<!-- ([\w+-]+)( picks)? -->\n).*?(<!-- end -->)", re.DOTALL)
AT = (40, 200)  # labelled patches


def main() -> None:
    """Rewrite the page's tables and copy its learning curves."""
    PAGE.write_text(MARKED.sub(_filled, PAGE.read_text("utf-8")), "utf-8")


def _filled(match: re.Match[str]) -> str:
    folder = RESULTS / match[2]
    if match[3]:
        return f"{match[1]}{_picks(folder)}\n{match[4]}"
    report = write_report(folder)
    shutil.copyfile(folder / "report" / "figure-2.png", RESULTS / f"{match[2]}.png")
    return f"{match[1]}{markdown(main_table(report.summary))}\n{match[4]}"


def markdown(table: Table) -> str:
    """A table of the report as Markdown."""
    return _markdown(table.head, [(row.name, *row.cells) for row in table.rows])


def _picks(folder: Path) -> str:
    """Foreground among the labelled pixels, precision and recall, each a mean over the seeds."""
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["labelled_patches"]]
    head = ["strategy"]
    for labelled in AT:
        head += [f"foreground at {labelled}", f"precision at {labelled}", f"recall at {labelled}"]
    lines = []
    for name in dict.fromkeys(row["strategy"] for row in rows):
        cells = [name]
        for labelled in AT:
            there = [r for r in rows if r["strategy"] == name and int(r["labelled_patches"]) == labelled]
            cells.append(f"{fmean(float(row['foreground_share']) for row in there):.1%}")
            cells += [f"{fmean(float(row[score]) for row in there):.2f}" for score in ("precision", "recall")]
        lines.append(cells)
    return _markdown(head, lines)


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines))


if __name__ == "__main__":
    main()
