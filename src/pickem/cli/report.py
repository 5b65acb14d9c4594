"""`pickem report DIR`: make the report of a benchmark and say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


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
    # matplotlib takes a second to start
    from pickem.benchmark.report import main_table, write_report
    from pickem.cli.terminal_table import print_table

    names = [name.strip() for name in strategies.split(",") if name.strip()]
    written = write_report(directory, names, paper=paper)
    console = Console()
    print_table(console, main_table(written.summary))
    console.print(f"\nreport: {written.page}", markup=False, highlight=False, soft_wrap=True)
