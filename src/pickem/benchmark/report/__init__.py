"""The report of a benchmark: what its learning curves say, as a page, figures fit for a paper, and tables.

run.toml, results.csv ──► results_table ──► curves ──► comparison ──► summary ──┬─► page
runs/…/views/*.npz ─────► stored_views ───────────────────────────► *_figure ──┘
"""

from __future__ import annotations

from pickem.benchmark.report.report import Report, write_report
from pickem.benchmark.report.summary import Summary
from pickem.benchmark.report.tables import Row, Table, main_table

__all__ = ["Report", "Row", "Summary", "Table", "main_table", "write_report"]
