"""`pickem report DIR`: make the report of a benchmark and say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table


def report(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of a benchmark (its --out), finished or not.")
    ],
    strategies: Annotated[
        str,
        typer.Option(metavar="A,B,…", help="Strategies shown in Figure 3."),
    ] = "",
    paper: Annotated[
        bool,
        typer.Option("--paper/--no-paper", help="Draw the paper's curves where comparable."),
    ] = True,
) -> None:
    """Write DIR/report: one HTML page, and every figure as PNG and SVG."""
    from pickem.benchmark.report import main_table, write_report  # matplotlib takes a second to start

    names = [name.strip() for name in strategies.split(",") if name.strip()]
    written = write_report(directory, names, paper=paper)
    content = main_table(written.summary)
    table = Table(title=content.caption, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for i, name in enumerate(content.head):
        table.add_column(name, justify="right" if i else "left", no_wrap=i == 0)
    for row in content.rows:
        table.add_row(row.name, *row.cells)
    console = Console()
    console.print(table)
    console.print(f"report: {written.page}", markup=False, highlight=False, soft_wrap=True)
