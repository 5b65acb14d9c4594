"""Tables of docs/results/labelling.md, each between two comments, so that no number is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmarks.machine import RESULTS, described_machine

PAGE = RESULTS / "labelling.md"


def write_table(name: str, command: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Replace what stands between `<!-- NAME -->` and the next `<!-- end -->`, and print it."""
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    measured = f"`{command}`, {described_machine()}.\n\n{table}"
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    PAGE.write_text(marked.sub(lambda m: f"{m[1]}{measured}\n{m[2]}", PAGE.read_text("utf-8")), "utf-8")
    print(measured)
