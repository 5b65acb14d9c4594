"""Curves of several seeds, incomplete ones among them, and their comparison with a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from pickem.benchmark.report.comparison import area_under_curve, compare, jaccard_at, labels_needed
from pickem.benchmark.report.curves import Cost, LabelRange, LearningCurve, common_range, mean_curve
from pickem.benchmark.report.results_table import Evaluation
from pickem.benchmark.report.statistics import holm, t_test


def curve(strategy: str, seed: int, jaccards: Sequence[float], effort: float | None = 10.0) -> LearningCurve:
    rows = tuple(
        Evaluation(
            strategy=strategy,
            seed=seed,
            round=i,
            labelled_patches=20 * (i + 1),
            labelled_pixels=1000 * (i + 1) + 100 * seed,
            effort_seconds=None if effort is None else effort * (i + 1) * (seed + 1),
            jaccard=value,
            jaccard_by_class=(value,),
        )
        for i, value in enumerate(jaccards)
    )
    return LearningCurve(strategy, seed, rows)


def curves(values: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, list[LearningCurve]]:
    return {
        name: [curve(name, seed, jaccards) for seed, jaccards in enumerate(group)]
        for name, group in values.items()
    }


def test_the_mean_is_over_the_seeds_that_came_so_far() -> None:
    points = mean_curve([curve("random", 0, [0.5, 0.6, 0.7]), curve("random", 1, [0.4, 0.5])], Cost.PATCHES)
    assert [point.labelled for point in points] == [20, 40, 60]
    assert [point.jaccard.n for point in points] == [2, 2, 1]
    assert [point.jaccard.mean for point in points] == pytest.approx([0.45, 0.55, 0.7])
    assert all(point.jaccard.interval is None for point in points)


def test_cost_is_averaged_over_the_same_seeds_as_the_jaccard() -> None:
    group = [curve("random", 0, [0.5, 0.6]), curve("random", 1, [0.4, 0.5])]
    assert [point.cost for point in mean_curve(group, Cost.PIXELS)] == pytest.approx([1050, 2050])
    assert [point.cost for point in mean_curve(group, Cost.EFFORT)] == pytest.approx([15, 30])


def test_points_of_unknown_cost_are_left_out() -> None:
    group = [curve("random", 0, [0.5, 0.6], effort=None)]
    assert mean_curve(group, Cost.EFFORT) == []
    assert len(mean_curve(group, Cost.PATCHES)) == 2


def test_common_range_of_complete_runs_is_all_of_it() -> None:
    assert common_range(curves({"a": [[0.5] * 5], "b": [[0.5] * 5]})) == LabelRange(20, 100)


def test_a_strategy_that_has_just_begun_does_not_shorten_the_range() -> None:
    ran = curves({"a": [[0.5] * 10], "b": [[0.5] * 10], "c": [[0.5]]})
    assert common_range(ran) == LabelRange(20, 200)


def test_a_strategy_that_ran_on_alone_does_not_lengthen_the_range() -> None:
    assert common_range(curves({"a": [[0.5] * 25], "b": [[0.5] * 10]})) == LabelRange(20, 200)


def test_one_seed_that_stopped_does_not_shorten_the_range() -> None:
    ran = curves({"a": [[0.5] * 10, [0.5] * 3], "b": [[0.5] * 10]})
    assert common_range(ran) == LabelRange(20, 200)


@pytest.mark.parametrize("ran", [{}, {"a": [[0.5]], "b": [[0.4]]}])
def test_without_two_evaluations_there_is_no_range(ran: dict[str, list[list[float]]]) -> None:
    assert common_range(curves(ran)) is None


def test_jaccard_is_blank_where_no_seed_was_evaluated() -> None:
    group = [curve("random", 0, [0.5, 0.6])]
    found = jaccard_at(group, 40)
    assert found is not None
    assert found.mean == 0.6
    assert jaccard_at(group, 100) is None


def test_area_counts_only_seeds_that_span_the_range() -> None:
    group = [curve("random", 0, [0.5, 0.7, 0.7]), curve("random", 1, [0.1, 0.1])]
    found = area_under_curve(group, LabelRange(20, 60))
    assert found is not None
    assert found.n == 1
    assert found.mean == pytest.approx((0.6 * 20 + 0.7 * 20) / 40)
    assert area_under_curve(group, LabelRange(20, 80)) is None


def test_labels_needed_are_paired_by_seed_and_censored_ones_are_said() -> None:
    # seed 0: target 0.7 reached halfway between 20 and 40; seed 1: target 0.6 never reached
    ran = curves(
        {"random": [[0.5, 0.6, 0.7], [0.5, 0.5, 0.6]], "entropy": [[0.6, 0.8, 0.8], [0.5, 0.5, 0.5]]}
    )
    needed = labels_needed(ran["entropy"], ran["random"], LabelRange(20, 60))
    assert needed is not None
    assert (needed.median, needed.limit, needed.reached, needed.n) == (None, 60, 1, 2)
    alone = labels_needed(ran["entropy"][:1], ran["random"], LabelRange(20, 60))
    assert alone is not None
    assert alone.median == pytest.approx(30)


def test_saving_compares_first_crossings_of_the_baselines_own_end() -> None:
    # random has 0.7 first at 60, entropy at 30: half the labels
    ran = curves({"random": [[0.5, 0.6, 0.7]], "entropy": [[0.6, 0.8, 0.8]]})
    found = compare(ran, "random", LabelRange(20, 60))["entropy"]
    assert found.saving.factor == pytest.approx(2)
    assert found.saving.censored == 0
    assert found.area.mean == pytest.approx((0.7 * 20 + 0.8 * 20) / 40 - (0.55 * 20 + 0.65 * 20) / 40)
    assert found.area.interval is None


def test_a_censored_saving_is_an_upper_bound_without_interval_or_test() -> None:
    base = [[0.5, 0.6, 0.70 + seed / 100] for seed in range(5)]
    ours = [[0.5, 0.8, 0.8]] * 4 + [[0.5, 0.5, 0.5]]
    found = compare(curves({"random": base, "entropy": ours}), "random", LabelRange(20, 60))["entropy"]
    assert found.saving.censored == 1
    assert found.saving.log.n == 5, "a seed that never gets there is not left out"
    assert found.saving.log.interval is None
    assert found.saving.log.p is None
    assert found.area.interval is not None
    reached = [math.log(60 / (20 + 20 * (0.2 + s / 100) / 0.3)) for s in range(4)]
    assert found.saving.log.mean == pytest.approx(sum([*reached, 0.0]) / 5)


def test_p_values_are_holm_corrected_over_the_strategies_and_a_censored_one_counts() -> None:
    base = [[0.50, 0.60, 0.70 + seed / 100] for seed in range(5)]
    good = [[0.50, 0.70 + seed / 50, 0.80 - seed / 70] for seed in range(5)]
    fair = [[0.50, 0.62 + seed / 90, 0.75] for seed in range(5)]
    bad = [[0.50, 0.50 + seed / 99, 0.52] for seed in range(5)]
    ran = curves({"random": base, "good": good, "fair": fair, "bad": bad})
    within = LabelRange(20, 60)
    found = compare(ran, "random", within)

    def area(group: Sequence[LearningCurve]) -> list[float]:
        found = [area_under_curve([one], within) for one in group]
        return [one.mean for one in found if one is not None]

    plain = [
        t_test([a - b for a, b in zip(area(ran[name]), area(ran["random"]), strict=True)])
        for name in ("good", "fair", "bad")
    ]
    assert [found[name].area.p for name in ("good", "fair", "bad")] == pytest.approx(holm(plain))
    assert found["bad"].saving.censored == 5
    alone = [
        compare({name: ran[name] for name in ("random", one)}, "random", within)[one].saving.log.p
        for one in ("good", "fair")
    ]
    untested = 1.0
    corrected = holm([*(p for p in alone if p is not None), untested])[:2]
    assert [found[name].saving.log.p for name in ("good", "fair")] == pytest.approx(corrected)
    assert found["bad"].saving.log.p is None


def test_only_seeds_that_both_have_are_compared() -> None:
    ran = curves({"random": [[0.5, 0.6, 0.7]] * 3, "entropy": [[0.6, 0.8, 0.8], [0.6]]})
    assert compare(ran, "random", LabelRange(20, 60))["entropy"].n == 1
    assert compare(ran, "random-foreground", LabelRange(20, 60)) == {}
