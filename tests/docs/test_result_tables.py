"""The tables about fewer labels are those that the committed results give: no number was typed by hand."""

from __future__ import annotations

from types import ModuleType

import pytest

from benchmarks import bars, fewer_labels_search, fewer_labels_tables, savings
from benchmarks.marked import filled


@pytest.mark.parametrize("program", [bars, savings, fewer_labels_tables, fewer_labels_search])
def test_tables_are_what_the_results_give(program: ModuleType) -> None:
    for name, text in program.tables().items():
        assert filled(program.PAGE, name) == text, f"python -m {program.__name__} fills {name} again"
