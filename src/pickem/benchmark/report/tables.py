"""The tables of the report as words in cells, for whoever prints them."""

from __future__ import annotations

from dataclasses import dataclass

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
                *map(wording.jaccard, line.jaccard),
                *([wording.NOTHING] if full else []),
                wording.jaccard(line.area),
                wording.labels(line.needed),
            ),
        )
        for line in summary.strategies
    ]
    blank = (wording.NOTHING,) * len(summary.counts)
    rows += [
        Row(name, (str(value.n), *blank, wording.jaccard(value), "", ""), reference=True)
        for name, value in summary.full_supervision.items()
    ]
    area = f"AUC {summary.within.start}–{summary.within.stop}" if summary.within else "AUC"
    counts = [f"{count} labels" for count in summary.counts]
    head = ("strategy", "seeds", *counts, *(["all labels"] if full else []), area, "labels to random’s end")
    margin = "mean" if summary.most_seeds < FEWEST_FOR_INTERVAL else "mean ± half the 95 % interval"
    return Table(f"Jaccard, {margin} over seeds; blank where no seed has come yet.", head, tuple(rows))


def comparison_table(summary: Summary, baseline: str) -> Table | None:
    """Every strategy against a baseline; None where nothing can be compared."""
    found = summary.comparisons.get(baseline, {})
    if not found:
        return None
    fewest = min(one.n for one in found.values())
    interval = " [95 %]" if max(one.n for one in found.values()) >= FEWEST_FOR_INTERVAL else ""
    head = (
        "strategy",
        "pairs",
        f"AUC difference{interval}",
        "p (Holm)",
        f"label saving{interval}",
        "p (Holm)",
    )
    caption = (
        f"Against {baseline}, seed by seed, over the seeds that both have finished. "
        "Label saving: how many times fewer labels than the baseline, geometric mean."
    )
    if fewest < FEWEST_FOR_INTERVAL:
        caption += f" With fewer than {FEWEST_FOR_INTERVAL} pairs: points only, no interval and no test."
    return Table(caption, head, tuple(_comparison_row(one) for one in found.values()))


def class_table(summary: Summary) -> Table | None:
    """The Jaccard of each foreground class; None where there is only one."""
    classes = summary.results.classes
    if len(classes) < 2:
        return None
    rows = [
        Row(strategy, (name, *map(wording.jaccard, values)))
        for strategy, by_class in summary.by_class.items()
        for name, values in by_class.items()
    ]
    head = ("strategy", "class", *(f"{n} labels" for n in summary.counts))
    return Table("Jaccard of each class. The Jaccard everywhere else is their mean.", head, tuple(rows))


def paper_table(summary: Summary, paper: PaperResults) -> Table:
    """The paper's own numbers at the same numbers of labels, strategies run here first."""
    names = [*(name for name in summary.curves if name in paper.curves)]
    names += [name for name in paper.curves if name not in names]
    found = {name: [paper.curves[name].at(count) for count in summary.counts] for name in names}
    rows = [
        Row(name, tuple("" if value is None else f"{value:.3f}" for value in values))
        for name, values in found.items()
    ]
    caption = (
        "The paper’s own results, one run each, read off its Figure 2 (± 0.005; blank below its range). "
        f"Its full supervision: {paper.full_supervision:.3f}."
    )
    return Table(caption, ("strategy", *(f"{n} labels" for n in summary.counts)), tuple(rows))


def verdict(summary: Summary, baseline: str) -> str | None:
    """One sentence on which differences of area are not chance; None where nothing can be tested."""
    tested = [one for one in summary.comparisons.get(baseline, {}).values() if one.area.p is not None]
    if not tested:
        return None
    sure = [one for one in tested if one.area.p is not None and one.area.p < SIGNIFICANT]
    better = [one.strategy for one in sure if one.area.mean > 0]
    worse = [one.strategy for one in sure if one.area.mean < 0]
    if not sure:
        return (
            f"Against {baseline}, no difference of area under the curve is beyond chance (p ≥ {SIGNIFICANT})."
        )
    parts = [f"better: {', '.join(better)}" if better else "", f"worse: {', '.join(worse)}" if worse else ""]
    others = len(tested) - len(sure)
    rest = f"; not told apart: {others}" if others else ""
    return f"Against {baseline}, by area under the curve: {'; '.join(filter(None, parts))}{rest}."


def _comparison_row(one: Comparison) -> Row:
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
