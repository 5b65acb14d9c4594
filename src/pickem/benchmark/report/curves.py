"""Learning curves: Jaccard against what the labels cost, one per strategy and seed, and their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pickem.benchmark.report.results_table import Evaluation, Results
from pickem.benchmark.report.statistics import Estimate, estimate


class Cost(StrEnum):
    """What labels are counted in: the horizontal axis of a learning curve."""

    PATCHES = "patches"
    PIXELS = "pixels"  # distinct: overlaps of patches count once
    EFFORT = "effort"  # estimated seconds of a person's time


@dataclass(frozen=True)
class LearningCurve:
    """One run: the evaluations of a strategy and a seed, by increasing number of labelled patches."""

    strategy: str
    seed: int
    evaluations: tuple[Evaluation, ...]

    @property
    def labelled(self) -> NDArray[np.int64]:
        """(n,) labelled patches, increasing."""
        return np.array([row.labelled_patches for row in self.evaluations], dtype=np.int64)

    @property
    def jaccard(self) -> NDArray[np.float64]:
        """(n,) Jaccard at each of `labelled`."""
        return np.array([row.jaccard for row in self.evaluations], dtype=np.float64)

    @property
    def first(self) -> int:
        """Labelled patches of the first evaluation."""
        return int(self.labelled[0])

    @property
    def last(self) -> int:
        """Labelled patches of the last evaluation so far."""
        return int(self.labelled[-1])

    def at(self, labelled: int) -> Evaluation | None:
        """The evaluation with exactly this number of labelled patches; None where there is none."""
        return next((row for row in self.evaluations if row.labelled_patches == labelled), None)


Curves = Mapping[str, Sequence[LearningCurve]]  # strategy → its curves, by increasing seed


@dataclass(frozen=True, slots=True)
class MeanPoint:
    """A point of a mean curve: the seeds that reached this number of labelled patches, averaged."""

    labelled: int
    cost: float  # mean over the seeds, in the unit of the Cost
    jaccard: Estimate


def learning_curves(results: Results) -> Curves:
    """Curves by strategy, in the order of `run.toml`, then of the table. Full supervision has none."""
    rows = [row for row in results.evaluations if row.labelled_patches is not None]
    named = [name for name in results.run.strategies if any(row.strategy == name for row in rows)]
    order = list(dict.fromkeys([*named, *(row.strategy for row in rows)]))
    return {
        name: _curves_of(name, sorted((row for row in rows if row.strategy == name), key=_seed_and_labelled))
        for name in order
    }


def mean_curve(curves: Sequence[LearningCurve], cost: Cost) -> list[MeanPoint]:
    """The mean over seeds at each number of labelled patches, over the seeds that have reached it.

    Seeds are matched by labelled patches, whatever the cost: they differ in pixels and effort, so both the
    cost and the Jaccard of a point are means. Points at which the cost is not known are left out.
    """
    counts = sorted({int(count) for curve in curves for count in curve.labelled})
    points = []
    for count in counts:
        rows = [row for curve in curves if (row := curve.at(count)) is not None]
        costs = [value for row in rows if (value := cost_of(row, cost)) is not None]
        if len(costs) == len(rows):
            points.append(MeanPoint(count, float(np.mean(costs)), estimate([row.jaccard for row in rows])))
    return points


def cost_of(row: Evaluation, cost: Cost) -> float | None:
    """What the labels of an evaluation cost; None where the table does not say."""
    match cost:
        case Cost.PATCHES:
            return row.labelled_patches
        case Cost.PIXELS:
            return row.labelled_pixels
        case Cost.EFFORT:
            return row.effort_seconds


@dataclass(frozen=True, slots=True)
class LabelRange:
    """The numbers of labelled patches over which curves are compared, both ends included."""

    start: int
    stop: int


def common_range(curves: Curves) -> LabelRange | None:
    """The labels over which strategies are compared.

    It starts where every curve has started. It ends at the count that allows most comparison: the number of
    pairs of strategies of which a seed has reached it, times the length of the range; of equals the longest.
    For complete runs that is the whole range; a strategy that has only just begun does not shorten it for
    the others, it is left out until it gets there.

    None where no curve has two evaluations.
    """
    everything = [curve for group in curves.values() for curve in group]
    if not everything:
        return None
    start = max(curve.first for curve in everything)
    reach = [max(curve.last for curve in group) for group in curves.values()]
    stops = [stop for stop in set(reach) if stop > start]
    if not stops:
        return None

    def comparison(stop: int) -> tuple[int, int]:
        strategies = sum(last >= stop for last in reach)
        pairs = strategies * (strategies - 1) // 2
        return pairs * (stop - start), stop

    return LabelRange(start, max(stops, key=comparison))


def _curves_of(strategy: str, rows: Sequence[Evaluation]) -> list[LearningCurve]:
    by_seed = groupby(rows, key=lambda row: row.seed)
    return [LearningCurve(strategy, seed, tuple(group)) for seed, group in by_seed]


def _seed_and_labelled(row: Evaluation) -> tuple[int, int]:
    return row.seed, row.labelled_patches or 0
