"""The report's statistics: hand-computed values, and scipy as a second opinion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from pickem.benchmark.report.statistics import (
    FEWEST_FOR_INTERVAL,
    estimate,
    first_crossing,
    holm,
    normalised_area,
    t_interval,
    t_test,
)

numbers = st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3))
samples = st.lists(numbers, min_size=2, max_size=12)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=10)


def test_t_interval_of_one_to_five() -> None:
    # mean 3, s² = 10/4, s/√5 = 0.70711, t(0.975, 4) = 2.77645 (any table)
    interval = t_interval([1, 2, 3, 4, 5])
    assert interval.low == pytest.approx(3 - 2.77645 * 0.70711, abs=1e-4)
    assert interval.high == pytest.approx(3 + 2.77645 * 0.70711, abs=1e-4)
    assert interval.half_width == pytest.approx(1.96324, abs=1e-4)


@given(samples)
def test_interval_and_p_value_agree_with_scipy(values: list[float]) -> None:
    assume(float(np.std(values)) > 1e-3)
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)
    assert t_test(values) == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert t_interval(values).low == pytest.approx(interval.low, rel=1e-6, abs=1e-9)
    assert t_interval(values).high == pytest.approx(interval.high, rel=1e-6, abs=1e-9)


@given(samples)
def test_interval_holds_zero_exactly_when_p_is_above_five_percent(values: list[float]) -> None:
    assume(float(np.std(values)) > 1e-3)
    p, interval = t_test(values), t_interval(values)
    assume(abs(p - 0.05) > 1e-6)
    assert (interval.low <= 0 <= interval.high) == (p > 0.05)


@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.1, 0.0)])
def test_values_without_spread_are_certain(value: float, p: float) -> None:
    values = [value] * 7
    assert t_test(values) == p
    assert t_interval(values).half_width == 0


def test_too_few_values_give_a_mean_and_nothing_else() -> None:
    few = estimate([0.1] * (FEWEST_FOR_INTERVAL - 1))
    assert few.mean == pytest.approx(0.1)
    assert few.interval is None
    assert few.p is None
    enough = estimate([0.1, 0.2, 0.3, 0.2, 0.1])
    assert enough.interval is not None
    assert enough.p is not None


def test_no_values_have_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one"):
        estimate([])


def test_holm_by_hand() -> None:
    # sorted 0.01 0.03 0.04: 3·0.01 = 0.03, 2·0.03 = 0.06, max(0.06, 0.04) = 0.06
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


@given(p_values)
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    adjusted = holm(p)
    for plain, corrected in zip(p, adjusted, strict=True):
        assert plain <= corrected <= min(1.0, plain * len(p)) + 1e-12
    order = np.argsort(p, kind="stable")
    assert all(a <= b for a, b in zip(np.array(adjusted)[order], np.array(adjusted)[order][1:], strict=False))
    assert min(adjusted) == pytest.approx(min(1.0, min(p) * len(p)))


def test_area_by_hand() -> None:
    # trapezia: (0.5+0.7)/2·20 + (0.7+0.8)/2·20 = 12 + 15 = 27, over 40
    assert normalised_area([20, 40, 60], [0.5, 0.7, 0.8], 20, 60) == pytest.approx(27 / 40)
    # from 30, halfway: 0.6 at the start
    assert normalised_area([20, 40, 60], [0.5, 0.7, 0.8], 30, 60) == pytest.approx((6.5 + 15) / 30)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_area_lies_between_the_extremes_and_of_a_flat_curve_is_its_height(y: list[float]) -> None:
    x = [20 * (i + 1) for i in range(len(y))]
    area = normalised_area(x, y, x[0], x[-1])
    assert min(y) - 1e-12 <= area <= max(y) + 1e-12
    assert normalised_area(x, [0.7] * len(x), x[0], x[-1]) == pytest.approx(0.7)


@pytest.mark.parametrize(("start", "stop"), [(10, 60), (20, 80), (40, 40)])
def test_area_outside_the_curve_is_refused(start: float, stop: float) -> None:
    with pytest.raises(ValueError, match="not a part of"):
        normalised_area([20, 40, 60], [0.5, 0.7, 0.8], start, stop)


def test_first_crossing_by_hand() -> None:
    x, y = [20, 40, 60, 80], [0.5, 0.7, 0.6, 0.8]
    assert first_crossing(x, y, 0.6) == pytest.approx(30)  # the first of three
    assert first_crossing(x, y, 0.75) == pytest.approx(75)
    assert first_crossing(x, y, 0.4) == 20
    assert first_crossing(x, y, 0.81) == math.inf


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0, 1))
def test_the_curve_is_at_the_target_where_it_first_crosses_and_below_before(
    y: list[float], target: float
) -> None:
    x = [20 * (i + 1) for i in range(len(y))]
    crossing = first_crossing(x, y, target)
    if math.isinf(crossing):
        assert max(y) < target
        return
    assert np.interp(crossing, x, y) >= target - 1e-9
    assert all(value < target for position, value in zip(x, y, strict=True) if position < crossing)
