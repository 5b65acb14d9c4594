"""A table of the report in a terminal of any width: wide ones are continued below, numbers are never cut."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as TerminalTable

from pickem.benchmark.report import Table

_NARROWEST_HEAD = 6  # so that "at 40" and "at 100" look alike


def print_table(console: Console, table: Table) -> None:
    """Print the caption, and below it as many columns side by side as fit; the others follow, named again.

    A cell is never broken, so a terminal narrower than the names and one column wraps lines itself.
    """
    console.print(table.caption, markup=False, highlight=False)
    for columns in _side_by_side(console, table):
        console.print()
        console.print(_block(console, table, columns), crop=False)


def _side_by_side(console: Console, table: Table) -> Iterator[Sequence[int]]:
    """Indices of cells, group by group: as many as the console is wide enough for, one at least."""
    group: list[int] = []
    for column in range(len(table.head) - 1):
        wider = [*group, column]
        if group and (_block(console, table, wider).width or 0) > console.width:
            yield group
            wider = [column]
        group = wider
    yield group


def _block(console: Console, table: Table, columns: Sequence[int]) -> TerminalTable:
    block = TerminalTable(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    rows = [row for row in table.rows if any(row.cells[column] for column in columns)]
    block.add_column(table.head[0], no_wrap=True)
    for column in columns:
        cells = [row.cells[column] for row in rows]
        head = _wrapped(table.head[column + 1], max(map(len, cells), default=0))
        block.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        block.add_row(row.name, *(row.cells[column] for column in columns))
    unlimited = console.options.update(max_width=10_000)
    block.width = Measurement.get(console, unlimited, block).maximum
    return block


def _wrapped(head: str, width: int) -> str:
    """The head in lines of at most this width, or that of its longest word."""
    widest = max(width, _NARROWEST_HEAD, *map(len, head.split()))
    return "\n".join(textwrap.wrap(head, widest, break_on_hyphens=False))
