"""Copy the numbers of the evidence runs into docs/results/paper.md, so that none is typed by hand.

    python -m benchmarks.evidence_tables

Between the marks `<!-- NAME -->` and `<!-- end -->` of the page stands the table of docs/results/NAME.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pickem.benchmark.report import Table, main_table, write_report

RESULTS = Path(__file__).parents[1] / "docs" / "results"
PAGE = RESULTS / "paper.md"
MARKED = re.compile(r"(<!-- ([\w+-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Rewrite the page's tables and copy its learning curves."""
    PAGE.write_text(MARKED.sub(_filled, PAGE.read_text("utf-8")), "utf-8")


def _filled(match: re.Match[str]) -> str:
    folder = RESULTS / match[2]
    report = write_report(folder)
    shutil.copyfile(folder / "report" / "figure-2.png", RESULTS / f"{match[2]}.png")
    return f"{match[1]}{markdown(main_table(report.summary))}\n{match[3]}"


def markdown(table: Table) -> str:
    """A table of the report as Markdown."""
    lines = [table.head, ("---",) * len(table.head), *((row.name, *row.cells) for row in table.rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
