"""How strategies compare: with each other at fixed numbers of labels, and with a baseline, seed by seed.

All strategies of a seed share the pool, the initial set and the first network, so a strategy and a baseline
are compared within each seed; what is averaged over seeds are differences.
"""

from __future__ import annotations

import math
import statistics as order_statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pickem.benchmark.report.curves import Curves, LabelRange, LearningCurve
from pickem.benchmark.report.statistics import (
    FEWEST_FOR_INTERVAL,
    Estimate,
    estimate,
    first_crossing,
    holm,
    normalised_area,
)

BASELINES = ("random", "random-foreground")


@dataclass(frozen=True, slots=True)
class LabelsNeeded:
    """Labelled patches needed to reach a target, over seeds.

    The median, because it is known as long as more than half of the seeds reach the target: a seed that does
    not is only known to need more than `limit`.
    """

    median: float | None  # None = more than `limit`
    limit: int
    reached: int  # seeds that reach the target
    n: int


@dataclass(frozen=True, slots=True)
class Saving:
    """How many times fewer labels a strategy needs than a baseline: the geometric mean over seeds.

    `log` is the mean of ln(labels the baseline needs / labels the strategy needs). Where the strategy of some
    seed never reaches the target (`censored` > 0), the end of the range stands in for the unknown number; the
    true saving is then smaller than the one given (an upper bound), and no interval or p-value is given,
    because leaving such seeds out would favour the strategy.
    """

    log: Estimate
    censored: int

    @property
    def factor(self) -> float:
        """The saving as a ratio: 2 = half the labels."""
        return math.exp(self.log.mean)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A strategy against a baseline, over the seeds in which both reach the end of the range.

    p-values are Holm-corrected over all strategies compared with the same baseline in the same measure; a
    saving that cannot be tested counts as a test that failed (p = 1).
    """

    strategy: str
    baseline: str
    area: Estimate  # difference of normalised areas under the curve, strategy minus baseline
    saving: Saving

    @property
    def n(self) -> int:
        """Pairs of seeds."""
        return self.area.n


def jaccard_at(curves: Sequence[LearningCurve], labelled: int) -> Estimate | None:
    """Mean Jaccard over the seeds evaluated with exactly this number of labels; None where there is none."""
    values = [row.jaccard for curve in curves if (row := curve.at(labelled)) is not None]
    return estimate(values) if values else None


def class_jaccard_at(curves: Sequence[LearningCurve], labelled: int, class_index: int) -> Estimate | None:
    """As `jaccard_at`, of one foreground class; seeds where it is not defined are left out."""
    rows = [row for curve in curves if (row := curve.at(labelled)) is not None]
    values = [row.jaccard_by_class[class_index] for row in rows]
    defined = [value for value in values if not math.isnan(value)]
    return estimate(defined) if defined else None


def area_under_curve(curves: Sequence[LearningCurve], within: LabelRange) -> Estimate | None:
    """Mean over seeds of the normalised area under the learning curve: the mean Jaccard over the range.

    See `statistics.normalised_area`. Over the seeds that reach the end of the range; None where none does.
    """
    areas = [_area(curve, within) for curve in curves if _spans(curve, within)]
    return estimate(areas) if areas else None


def labels_needed(
    curves: Sequence[LearningCurve], baseline: Sequence[LearningCurve], within: LabelRange
) -> LabelsNeeded | None:
    """Labels with which the curves first reach what `baseline` reaches, in the same seed, at the range's end.

    By linear interpolation. None where no seed has both curves up to there.
    """
    pairs = _pairs(curves, baseline, within)
    needed = [_needed(curve, _target(base, within), within) for curve, base in pairs]
    if not needed:
        return None
    median = order_statistics.median(needed)
    return LabelsNeeded(
        median=None if math.isinf(median) else median,
        limit=within.stop,
        reached=sum(math.isfinite(value) for value in needed),
        n=len(needed),
    )


def compare(curves: Curves, baseline: str, within: LabelRange) -> Mapping[str, Comparison]:
    """Every other strategy against the baseline; strategies without a seed to compare are left out.

    The target of the saving is what the baseline itself reaches at the end of the range in the same seed, and
    both count from their FIRST crossing of it, so that a lucky round helps the baseline as it helps the
    strategy. Empty where the baseline was not run.
    """
    against = curves.get(baseline, ())
    found = {
        name: _compare_pairs(name, baseline, pairs, within)
        for name, group in curves.items()
        if name != baseline and (pairs := _pairs(group, against, within))
    }
    area_p = _corrected({name: one.area.p for name, one in found.items() if one.n >= FEWEST_FOR_INTERVAL})
    saving_p = _corrected(
        {name: one.saving.log.p for name, one in found.items() if one.n >= FEWEST_FOR_INTERVAL}
    )
    return {
        name: replace(
            one,
            area=replace(one.area, p=area_p.get(name)),
            saving=replace(one.saving, log=replace(one.saving.log, p=saving_p.get(name))),
        )
        for name, one in found.items()
    }


def _compare_pairs(
    strategy: str, baseline: str, pairs: Sequence[tuple[LearningCurve, LearningCurve]], within: LabelRange
) -> Comparison:
    area = estimate([_area(curve, within) - _area(base, within) for curve, base in pairs])
    savings, censored = [], 0
    for curve, base in pairs:
        target = _target(base, within)
        ours = _needed(curve, target, within)
        theirs = min(_needed(base, target, within), within.stop)
        censored += math.isinf(ours)
        savings.append(math.log(theirs / min(ours, within.stop)))
    log = estimate(savings)
    if censored:
        log = replace(log, interval=None, p=None)
    return Comparison(strategy, baseline, area, Saving(log, censored))


def _corrected(p_values: Mapping[str, float | None]) -> Mapping[str, float | None]:
    adjusted = holm([1.0 if p is None else p for p in p_values.values()])
    return {
        name: None if p is None else corrected
        for (name, p), corrected in zip(p_values.items(), adjusted, strict=True)
    }


def _pairs(
    curves: Sequence[LearningCurve], baseline: Sequence[LearningCurve], within: LabelRange
) -> list[tuple[LearningCurve, LearningCurve]]:
    """Curves of the same seed that both span the range."""
    by_seed = {base.seed: base for base in baseline if _spans(base, within)}
    return [
        (curve, by_seed[curve.seed]) for curve in curves if curve.seed in by_seed and _spans(curve, within)
    ]


def _spans(curve: LearningCurve, within: LabelRange) -> bool:
    return curve.first <= within.start and curve.last >= within.stop


def _area(curve: LearningCurve, within: LabelRange) -> float:
    return normalised_area(curve.labelled, curve.jaccard, within.start, within.stop)


def _target(curve: LearningCurve, within: LabelRange) -> float:
    """What the curve reaches at the end of the range."""
    return float(np.interp(within.stop, curve.labelled, curve.jaccard))


def _needed(curve: LearningCurve, target: float, within: LabelRange) -> float:
    """Labels at which the curve first reaches the target; infinite where it does not within the range."""
    crossing = first_crossing(curve.labelled, curve.jaccard, target)
    return crossing if crossing <= within.stop else math.inf
