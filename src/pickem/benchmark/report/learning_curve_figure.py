"""Figure 2: learning curves, against labelled patches, distinct labelled pixels or a person's time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pickem.benchmark.report.curves import Cost, Curves, MeanPoint, cost_of, mean_curve
from pickem.benchmark.report.paper import PaperResults
from pickem.benchmark.report.results_table import Evaluation
from pickem.benchmark.report.statistics import FEWEST_FOR_INTERVAL
from pickem.benchmark.report.style import BLACK, new_figure, style_of

WIDTH_MM, AXES_MM = 90.0, 66.0  # a journal's single column, and the height of what is not the legend
_ROW_MM = 3.9
_FULL = {
    "full-converged": ("full, converged", "-"),
    "full-matched": ("full, matched", "-."),
}
_LIGHT, _FAINT = 0.3, 0.7
_SIDEWAYS, _FEWEST_PLACES = 0.6, 8  # of the distance between two rounds, and so many places in it at least


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a horizontal axis: the axis' label, and how many of the table's units make one of it."""

    label: str
    size: float


def learning_curve_figure(
    curves: Curves,
    full_supervision: Mapping[str, Sequence[Evaluation]],
    cost: Cost,
    paper: PaperResults | None = None,
) -> Figure | None:
    """Mean Jaccard over seeds against the cost of labels; None where no curve knows this cost.

    With FEWEST_FOR_INTERVAL seeds or more at a point: the 95 % t interval as a band. With fewer: the seeds as
    points, side by side against patches, and the mean as a faint line. The mean is drawn lighter still where
    not all seeds of the strategy have arrived yet. The paper's
    curves are thin and dashed, in the colours of their strategies, for strategies that were run here; what
    lies far below all of ours is cut off.
    """
    means = {name: points for name, group in curves.items() if (points := mean_curve(group, cost))}
    if not means:
        return None
    unit = unit_of(cost, max(points[-1].cost for points in means.values()))
    seeds = _single_seeds(means, curves, cost, unit)
    drawn_paper = paper if cost is Cost.PATCHES else None
    entries = len(means) + len(full_supervision) + (2 if drawn_paper else 0)
    figure = new_figure(WIDTH_MM, AXES_MM + _ROW_MM * -(-entries // 2) + 2)
    axes = figure.add_subplot()
    handles = [
        *(_draw_strategy(axes, name, points, seeds[name], unit) for name, points in means.items()),
        *(_draw_full(axes, name, rows) for name, rows in full_supervision.items()),
        *(_draw_paper(axes, drawn_paper, curves) if drawn_paper else ()),
    ]
    if drawn_paper:
        axes.set_ylim(bottom=_bottom(curves))
    axes.set_xlabel(unit.label)
    axes.set_ylabel("Jaccard index (foreground)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=cost is Cost.PATCHES))
    axes.grid(axis="y", linewidth=0.4, color="0.9")
    axes.set_axisbelow(True)
    figure.legend(handles=handles, loc="outside lower left", ncols=2, handlelength=2.6, columnspacing=1.2)
    return figure


def unit_of(cost: Cost, largest: float) -> Unit:
    """A unit in which costs up to `largest` are numbers that can be read."""
    match cost:
        case Cost.PATCHES:
            return Unit("labelled patches", 1)
        case Cost.PIXELS if largest >= 1e6:
            return Unit("distinct labelled pixels (millions)", 1e6)
        case Cost.PIXELS:
            return Unit("distinct labelled pixels (thousands)", 1e3)
        case Cost.EFFORT if largest >= 2 * 3600:
            return Unit("estimated time of a person (hours)", 3600)
        case Cost.EFFORT:
            return Unit("estimated time of a person (minutes)", 60)


def _draw_strategy(
    axes: Axes,
    name: str,
    points: Sequence[MeanPoint],
    dots: Sequence[tuple[float, float]],
    unit: Unit,
) -> Line2D:
    """Draw the mean, its band, and single seeds at `dots`; returns the strategy's line for the legend."""
    style = style_of(name)
    symbol: dict[str, Any] = {
        "marker": style.marker,
        "color": style.colour,
        "markerfacecolor": style.colour if style.filled else "white",
    }
    x = np.array([point.cost / unit.size for point in points])
    y = np.array([point.jaccard.mean for point in points])
    seeds = np.array([point.jaccard.n for point in points])
    whole = seeds == seeds.max()
    label = f"{name} ({_seeds(seeds.min(), seeds.max())})"
    axes.plot(x, y, color=style.colour, linewidth=0.7, alpha=_LIGHT, zorder=2)
    banded = [point for point in points if point.jaccard.interval is not None]
    axes.fill_between(
        [point.cost / unit.size for point in banded],
        [point.jaccard.interval.low for point in banded if point.jaccard.interval],
        [point.jaccard.interval.high for point in banded if point.jaccard.interval],
        color=style.colour,
        alpha=0.12,
        linewidth=0,
    )
    if dots:
        axes.plot(*zip(*dots, strict=True), **symbol, linestyle="none", markersize=2.2, markeredgewidth=0.5)
    if (
        1 < seeds.max() < FEWEST_FOR_INTERVAL
    ):  # the seeds are the symbols, and the mean is no more than a guide
        axes.plot(x[whole], y[whole], color=style.colour, linewidth=0.9, alpha=_FAINT, zorder=2)
        return Line2D([], [], **symbol, linewidth=0.7, markersize=2.2, markeredgewidth=0.5, label=label)
    (line,) = axes.plot(
        x[whole],
        y[whole],
        **symbol,
        linewidth=1.0,
        markersize=3.2,
        markeredgewidth=0.7,
        label=label,
        zorder=3,
    )
    return line


def _single_seeds(
    means: Mapping[str, Sequence[MeanPoint]], curves: Curves, cost: Cost, unit: Unit
) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Where to draw the seeds of each strategy, where it has several but too few for an interval.

    Strategies are evaluated at the same numbers of patches: there each has its place beside the true one.
    """
    lonely = {
        name: {point.labelled for point in points if 1 < point.jaccard.n < FEWEST_FOR_INTERVAL}
        for name, points in means.items()
    }
    beside = _sideways([name for name in means if lonely[name]], means) if cost is Cost.PATCHES else {}
    return {
        name: [
            (value / unit.size + beside.get(name, 0.0), row.jaccard)
            for curve in curves[name]
            for row in curve.evaluations
            if row.labelled_patches in lonely[name] and (value := cost_of(row, cost)) is not None
        ]
        for name in means
    }


def _sideways(names: Sequence[str], means: Mapping[str, Sequence[MeanPoint]]) -> Mapping[str, float]:
    """Patches by which each strategy is moved, left to right in this order, within a share of a round."""
    counts = sorted({point.labelled for points in means.values() for point in points})
    step = min(np.diff(counts), default=0) * _SIDEWAYS / max(len(names), _FEWEST_PLACES)
    return {name: float(step * (i - (len(names) - 1) / 2)) for i, name in enumerate(names)}


def _draw_full(axes: Axes, name: str, rows: Sequence[Evaluation]) -> Line2D:
    label, dashes = _FULL[name]
    mean = float(np.mean([row.jaccard for row in rows]))
    text = f"{label}: {mean:.3f} ({_seeds(len(rows), len(rows))})"
    return axes.axhline(mean, color="0.35", linewidth=0.9, linestyle=dashes, label=text, zorder=1)


def _draw_paper(axes: Axes, paper: PaperResults, curves: Curves) -> list[Line2D]:
    last = max(curve.last for group in curves.values() for curve in group)
    for name, curve in paper.curves.items():
        if name in curves:
            inside = curve.labelled <= last
            axes.plot(
                curve.labelled[inside],
                curve.jaccard[inside],
                color=style_of(name).colour,
                alpha=_FAINT,
                linewidth=0.5,
                linestyle=(0, (4, 2)),
                zorder=1,
            )
    full = axes.axhline(
        paper.full_supervision,
        color="0.35",
        linewidth=0.6,
        linestyle=(0, (1, 2)),
        label=f"paper, full: {paper.full_supervision:.3f}",
        zorder=1,
    )
    dashed = Line2D(
        [],
        [],
        color=BLACK,
        alpha=_FAINT,
        linewidth=0.5,
        linestyle=(0, (4, 2)),
        label="paper (apparently n = 1)",
    )
    return [dashed, full]


def _bottom(curves: Curves) -> float:
    """Where the vertical axis begins, so that early networks of the paper do not flatten everything else."""
    values = np.concatenate([curve.jaccard for group in curves.values() for curve in group])
    return float(values.min() - 0.5 * max(np.ptp(values), 0.05))


def _seeds(fewest: int, most: int) -> str:
    return f"n = {most}" if fewest == most else f"n = {fewest}–{most}"
