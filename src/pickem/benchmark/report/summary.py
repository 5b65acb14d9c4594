"""Everything that the report says in numbers, computed once, for the page and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pickem.benchmark.report.comparison import (
    BASELINES,
    Comparison,
    LabelsNeeded,
    area_under_curve,
    class_jaccard_at,
    compare,
    jaccard_at,
    labels_needed,
)
from pickem.benchmark.report.curves import (
    Curves,
    LabelRange,
    LearningCurve,
    common_range,
    learning_curves,
)
from pickem.benchmark.report.results_table import Results
from pickem.benchmark.report.statistics import FEWEST_FOR_INTERVAL, Estimate, estimate

COUNTS = (40, 100, 200, 500)  # labelled patches at which the tables give the Jaccard


@dataclass(frozen=True)
class StrategySummary:
    """One line of the main table."""

    strategy: str
    seeds: int
    jaccard: tuple[Estimate | None, ...]  # at each of Summary.counts; None where no seed has reached it
    area: Estimate | None  # over Summary.within
    needed: LabelsNeeded | None  # to reach what `random` reaches at the end of Summary.within


@dataclass(frozen=True)
class Summary:
    """The numbers of a report. Parts that the results do not allow are None or empty."""

    results: Results
    curves: Curves
    counts: tuple[int, ...]
    within: LabelRange | None
    strategies: tuple[StrategySummary, ...]
    full_supervision: Mapping[str, Estimate]
    by_class: Mapping[str, Mapping[str, tuple[Estimate | None, ...]]]  # strategy → class → at `counts`
    comparisons: Mapping[str, Mapping[str, Comparison]]  # baseline → strategy
    unfinished: tuple[str, ...]  # runs, in words

    @property
    def fewest_seeds(self) -> int:
        """Seeds of the strategy that has fewest; 0 without any learning curve."""
        return min((len(group) for group in self.curves.values()), default=0)

    @property
    def most_seeds(self) -> int:
        """Seeds of the strategy that has most; 0 without any learning curve."""
        return max((len(group) for group in self.curves.values()), default=0)

    @property
    def has_points_only(self) -> bool:
        """Whether some strategy has too few seeds for intervals."""
        return self.fewest_seeds < FEWEST_FOR_INTERVAL


def summarise(results: Results) -> Summary:
    """Compute every number of the report."""
    curves = learning_curves(results)
    within = common_range(curves)
    counts = _counts(curves, within)
    full = {name: estimate([row.jaccard for row in rows]) for name, rows in results.full_supervision.items()}
    return Summary(
        results=results,
        curves=curves,
        counts=counts,
        within=within,
        strategies=tuple(_strategy(name, curves, counts, within) for name in curves),
        full_supervision=full,
        by_class={name: _by_class(group, results.classes, counts) for name, group in curves.items()},
        comparisons={name: compare(curves, name, within) for name in BASELINES} if within else {},
        unfinished=tuple(_unfinished(results, curves)),
    )


def _counts(curves: Curves, within: LabelRange | None) -> tuple[int, ...]:
    """COUNTS, and where the comparison ends if that is another number.

    A run that never comes to the first of COUNTS (a small demonstration) is shown at its own numbers.
    """
    reached = sorted({int(n) for group in curves.values() for curve in group for n in curve.labelled})
    stop = {within.stop} if within else set()
    if any(count in reached for count in COUNTS) or not reached:
        return tuple(sorted({*COUNTS, *stop}))
    return tuple(sorted({reached[0], reached[len(reached) // 2], reached[-1], *stop}))


def _strategy(name: str, curves: Curves, counts: Sequence[int], within: LabelRange | None) -> StrategySummary:
    group = curves[name]
    return StrategySummary(
        strategy=name,
        seeds=len(group),
        jaccard=tuple(jaccard_at(group, count) for count in counts),
        area=area_under_curve(group, within) if within else None,
        needed=labels_needed(group, curves.get("random", ()), within) if within else None,
    )


def _by_class(
    group: Sequence[LearningCurve], classes: Sequence[str], counts: Sequence[int]
) -> Mapping[str, tuple[Estimate | None, ...]]:
    return {
        name: tuple(class_jaccard_at(group, count, i) for count in counts) for i, name in enumerate(classes)
    }


def _unfinished(results: Results, curves: Curves) -> list[str]:
    planned, run = results.run.rounds, results.run
    said = []
    for name, group in curves.items():
        at = {curve.seed: curve for curve in group}
        missing = [seed for seed in run.seeds if seed not in at]
        short = [curve for curve in group if planned is not None and len(curve.evaluations) < planned]
        said += [f"{name}, seed {curve.seed}: at {curve.last} labels" for curve in short]
        said += [f"{name}, seed {seed}: not begun" for seed in missing]
    done = {*curves, *results.full_supervision}
    said += [f"{name}: not begun" for name in run.strategies if name not in done]
    return said
