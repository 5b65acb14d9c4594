"""The tables of the report as words in cells, for whoever prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pickem.benchmark.report import wording
from pickem.benchmark.report.comparison import Comparison
from pickem.benchmark.report.paper import PaperResults
from pickem.benchmark.report.statistics import FEWEST_FOR_INTERVAL
from pickem.benchmark.report.summary import Summary

SIGNIFICANT = 0.05  # Holm-corrected p below which a difference is set in bold


@dataclass(frozen=True, slots=True)
class Row:
    """A line: the name at its head and its cells."""

    name: str
    cells: tuple[str, ...]
    bold: frozenset[int] = frozenset()  # indices of cells
    reference: bool = False  # not one of our strategies: full supervision, the paper


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `head` names the first column and then the cells."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]


def main_table(summary: Summary) -> Table:
    """Jaccard at fixed numbers of labels, area under the curve, labels to reach the end of `random`."""
    full = bool(summary.full_supervision)
    rows = [
        Row(
            line.strategy,
            (
                str(line.seeds),
                *(wording.jaccard(value, line.seeds) for value in line.jaccard),
                *([wording.NOTHING] if full else []),
                wording.jaccard(line.area, line.seeds),
                wording.labels(line.needed),
            ),
        )
        for line in summary.strategies
    ]
    blank = (wording.NOTHING,) * len(summary.counts)
    rows += [
        Row(
            name,
            (str(value.n), *blank, wording.jaccard(value, value.n), wording.NOTHING, wording.NOTHING),
            reference=True,
        )
        for name, value in summary.full_supervision.items()
    ]
    area = f"AUC {summary.within.start}–{summary.within.stop}" if summary.within else "AUC"
    counts = [f"at {count}" for count in summary.counts]
    head = ("strategy", "seeds", *counts, *(["at all"] if full else []), area, "labels to random’s end")
    margin = "mean" if summary.most_seeds < FEWEST_FOR_INTERVAL else "mean ± half the 95 % interval"
    return _without_empty_columns(
        f"Jaccard at so many labelled patches, {margin} over seeds; blank where no seed has come yet.",
        head,
        rows,
    )


def comparison_table(summary: Summary, baseline: str) -> Table | None:
    """Every strategy against a baseline; None where nothing can be compared."""
    found = summary.comparisons.get(baseline, {})
    if not found:
        return None
    caption = (
        f"Against {baseline}, seed by seed, over the seeds that both have finished. "
        "Label saving: how many times fewer labels than the baseline, geometric mean."
    )
    if min(one.n for one in found.values()) < FEWEST_FOR_INTERVAL:
        caption += f" With fewer than {FEWEST_FOR_INTERVAL} pairs: points only, no interval and no test."
    if max(one.n for one in found.values()) < FEWEST_FOR_INTERVAL:
        points = tuple(
            Row(one.strategy, (str(one.n), wording.difference(one.area), wording.saving(one.saving)))
            for one in found.values()
        )
        return Table(caption, ("strategy", "pairs", "AUC difference", "label saving"), points)
    head = ("strategy", "pairs", "AUC difference [95 %]", "p (Holm)", "label saving [95 %]", "p (Holm)")
    return Table(caption, head, tuple(_tested_row(one) for one in found.values()))


def class_table(summary: Summary) -> Table | None:
    """The Jaccard of each foreground class; None where there is only one."""
    classes = summary.results.classes
    if len(classes) < 2:
        return None
    rows = [
        Row(strategy, (name, *(wording.jaccard(value, len(summary.curves[strategy])) for value in values)))
        for strategy, by_class in summary.by_class.items()
        for name, values in by_class.items()
    ]
    head = ("strategy", "class", *(f"at {n}" for n in summary.counts))
    return _without_empty_columns(
        "Jaccard of each class at so many labelled patches. The Jaccard everywhere else is their mean.",
        head,
        rows,
    )


def paper_table(summary: Summary, paper: PaperResults) -> Table:
    """The paper's own numbers at the same numbers of labels, strategies run here first."""
    names = [*(name for name in summary.curves if name in paper.curves)]
    names += [name for name in paper.curves if name not in names]
    found = {name: [paper.curves[name].at(count) for count in summary.counts] for name in names}
    rows = [
        Row(name, tuple(wording.NOTHING if value is None else f"{value:.3f}" for value in values))
        for name, values in found.items()
    ]
    caption = (
        "The paper’s own results, apparently one run each, read off its Figure 2 (± 0.005; blank below its "
        f"range). Its full supervision: {paper.full_supervision:.3f}."
    )
    return _without_empty_columns(caption, ("strategy", *(f"at {n}" for n in summary.counts)), rows)


def verdict(summary: Summary, baseline: str) -> str | None:
    """One sentence on which differences of area are beyond chance; None where nothing can be tested."""
    found = summary.comparisons.get(baseline, {}).values()
    groups: dict[str, list[str]] = {"better": [], "worse": [], "not told apart": [], "not tested": []}
    for one in found:
        groups[_outcome(one)].append(one.strategy)
    if len(groups["not tested"]) == len(found):
        return None
    said = "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in groups.items() if names)
    return f"Against {baseline} (area under the curve, p < {SIGNIFICANT}) – {said}."


def _without_empty_columns(caption: str, head: Sequence[str], rows: Sequence[Row]) -> Table:
    """The table of rows without anything bold; a count that nobody has reached takes no room."""
    kept = [i for i in range(len(head) - 1) if any(row.cells[i] != wording.NOTHING for row in rows)]
    return Table(
        caption,
        (head[0], *(head[i + 1] for i in kept)),
        tuple(replace(row, cells=tuple(row.cells[i] for i in kept)) for row in rows),
    )


def _outcome(one: Comparison) -> str:
    if one.area.p is None:
        return "not tested"
    if one.area.p >= SIGNIFICANT:
        return "not told apart"
    return "better" if one.area.mean > 0 else "worse"


def _tested_row(one: Comparison) -> Row:
    cells = (
        str(one.n),
        wording.difference(one.area),
        wording.p_value(one.area.p),
        wording.saving(one.saving),
        wording.p_value(one.saving.log.p),
    )
    p_values = {1: one.area.p, 3: one.saving.log.p}
    bold = frozenset(i for i, p in p_values.items() if p is not None and p < SIGNIFICANT)
    return Row(one.strategy, cells, bold)
