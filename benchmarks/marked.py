"""Text of a page of docs/results that a program wrote, between two comments: no number is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.machine import RESULTS, described_machine

LABELLING = RESULTS / "labelling.md"


def fill(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME -->` and the next `<!-- end -->` of a page."""
    marked = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    filled, count = marked.subn(lambda found: f"{found[1]}{text}\n{found[2]}", page.read_text("utf-8"))
    assert count == 1, f"{page} has {count} places for {name}"
    page.write_text(filled, "utf-8")


def filled(page: Path, name: str) -> str:
    """What stands between `<!-- NAME -->` and the next `<!-- end -->` of a page."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)\n<!-- end -->", page.read_text("utf-8"), re.DOTALL)
    assert found, f"{page} has no place for {name}"
    return found[1]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows))


def write_table(name: str, command: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Put a table into docs/results/labelling.md, with how and where it was made, and print it."""
    measured = f"`{command}`, {described_machine()}.\n\n{table(head, rows)}"
    fill(LABELLING, name, measured)
    print(measured)
