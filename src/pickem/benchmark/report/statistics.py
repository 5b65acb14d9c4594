"""The statistics of a report: small pure functions on plain numbers, each with its formula.

They know nothing of strategies, files or figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

LEVEL = 0.95
FEWEST_FOR_INTERVAL = 5  # seeds; with fewer, an interval says more about luck than about the strategy


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance between the two ends."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds; interval and p-value are None with fewer than FEWEST_FOR_INTERVAL seeds."""

    mean: float
    n: int
    interval: Interval | None
    p: float | None  # two-sided, of "the true mean is 0"


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of independent values, its t interval and t test where there are enough of them.

    Given differences of pairs, these are the paired t interval and the paired t test.
    Raises ValueError where there is no value.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    mean = math.fsum(values) / len(values)
    if len(values) < FEWEST_FOR_INTERVAL:
        return Estimate(mean, len(values), None, None)
    return Estimate(mean, len(values), t_interval(values), t_test(values))


def t_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """mean ± t_{(1+level)/2, n−1} · s / √n, with s² = Σ(x − mean)² / (n − 1).

    Student (1908), "The probable error of a mean", Biometrika 6. Needs n ≥ 2.
    """
    mean, error = _mean_and_error(values)
    margin = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    return Interval(mean - margin, mean + margin)


def t_test(values: Sequence[float]) -> float:
    """Two-sided p-value of "the true mean is 0": P(|T| ≥ |mean| √n / s), T with n − 1 degrees of freedom.

    Values without any spread give 1 where they are 0, else 0. Needs n ≥ 2.
    """
    mean, error = _mean_and_error(values)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, len(values) - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for the number of tests in the family, in the order given.

    With p₍₁₎ ≤ … ≤ p₍ₘ₎: adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎).
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def normalised_area(x: ArrayLike, y: ArrayLike, start: float, stop: float) -> float:
    """Area under the line through the points (x, y) from `start` to `stop`, divided by stop − start.

    By the trapezoidal rule, so for points a step apart it is the mean of y with the two ends counted half.
    It has the unit of y: a learning curve that stays at Jaccard 0.7 has the area 0.7.

    x: (n,) increasing. Raises ValueError where [start, stop] is empty or leaves the range of x.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not xs[0] <= start < stop <= xs[-1]:
        raise ValueError(f"[{start}, {stop}] is not a part of [{xs[0]}, {xs[-1]}]")
    inner = (xs > start) & (xs < stop)
    knots = np.concatenate([[start], xs[inner], [stop]])
    heights = np.interp(knots, xs, ys)
    return float(np.trapezoid(heights, knots) / (stop - start))


def first_crossing(x: ArrayLike, y: ArrayLike, target: float) -> float:
    """The smallest x at which the line through the points (x, y) is at `target` or above; else infinity.

    x: (n,) increasing. Between two points the line is straight; before the first there is none, so a line
    that starts at the target or above crosses it at x[0].
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    reached = np.flatnonzero(ys >= target)
    if len(reached) == 0:
        return math.inf
    i = int(reached[0])
    if i == 0:
        return float(xs[0])
    share = (target - ys[i - 1]) / (ys[i] - ys[i - 1])
    return float(xs[i - 1] + share * (xs[i] - xs[i - 1]))


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard error of the mean."""
    mean = math.fsum(values) / len(values)
    if all(value == values[0] for value in values):
        return values[0], 0.0  # rounding in the mean must not look like spread
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))
