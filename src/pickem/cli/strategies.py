"""`pickem strategies`: every strategy, a line each."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from pickem.strategies import catalogue


def strategies() -> None:
    """List every strategy with a line about it, those of other installed packages included."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what it picks", "from"):
        table.add_column(heading)
    for name, listing in catalogue().items():
        table.add_row(name, listing.about, listing.origin)
    console = Console()
    console.print(table)
    console.print("\nNot strategies, but runs to compare with: full-matched, full-converged (all labels).")
