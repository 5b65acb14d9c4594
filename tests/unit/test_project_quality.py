"""Quality from audit patches alone: the Jaccard, its interval, and what is advised."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from pickem.project.quality import LEAST_PATCHES, Quality, advice, estimate
from pickem.project.rounds import AuditCounts


def counts(rows: Sequence[tuple[int, int, int, int]], volume: str = "v") -> list[AuditCounts]:
    """From (section, hit, truth, predicted)."""
    return [AuditCounts((volume, z), hit, truth, predicted) for z, hit, truth, predicted in rows]


def random_counts(patches: int, sections: int, rng: np.random.Generator) -> list[AuditCounts]:
    truth = rng.integers(0, 400, patches)
    predicted = rng.integers(0, 400, patches)
    hit = rng.binomial(np.minimum(truth, predicted), 0.7)
    z = np.arange(patches) % sections
    return counts(list(zip(z.tolist(), hit.tolist(), truth.tolist(), predicted.tolist(), strict=True)))


def width(quality: Quality | None) -> float:
    assert quality is not None
    return quality.high - quality.low


def test_the_jaccard_is_over_all_pixels_at_once() -> None:
    """Hits 30 + 10, unions 40 + 60: 40 / 100, and not the mean of 30/40 and 10/60."""
    quality = estimate({1: counts([(0, 30, 30, 40), (1, 10, 50, 20)])})
    assert quality is not None
    assert quality.jaccard == pytest.approx(0.4)
    assert quality.patches == 2


def test_several_classes_count_alike() -> None:
    """40 / 100 and 5 / 10, whatever their pixels."""
    first = counts([(0, 30, 30, 40), (1, 10, 50, 20)])
    second = counts([(0, 5, 5, 10), (1, 0, 0, 0)])
    quality = estimate({1: first, 2: second})
    assert quality is not None
    assert quality.jaccard == pytest.approx((0.4 + 0.5) / 2)
    assert quality.patches == 2


def test_a_class_that_is_nowhere_does_not_count() -> None:
    quality = estimate({1: counts([(0, 3, 4, 4)]), 2: counts([(0, 0, 0, 0)])})
    assert quality is not None
    assert quality.jaccard == pytest.approx(3 / 5)


@pytest.mark.parametrize("of_class", [{}, {1: counts([(0, 0, 0, 0)])}])
def test_without_any_foreground_there_is_no_quality(of_class: dict[int, list[AuditCounts]]) -> None:
    assert estimate(of_class) is None


@pytest.mark.parametrize("hit", [0, 50])
def test_all_wrong_and_all_right_are_0_and_1(hit: int) -> None:
    quality = estimate({1: counts([(z, hit, 50, 50) for z in range(4)])})
    assert quality is not None
    assert quality.jaccard == quality.low == quality.high == hit / 50


@pytest.mark.parametrize("seed", range(30))
def test_the_interval_holds_the_estimate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    quality = estimate({1: random_counts(40, int(rng.integers(1, 40)), rng)})
    assert quality is not None
    assert 0 <= quality.low <= quality.jaccard <= quality.high <= 1


def test_the_interval_leaves_out_a_fortieth_on_either_side() -> None:
    """Three sections: all draws are the worst one in 1 of 27. Four: in 1 of 256, which is left out."""
    three = estimate({1: counts([(z, hit, 100, 100) for z, hit in enumerate((0, 50, 100))])})
    four = estimate({1: counts([(z, hit, 100, 100) for z, hit in enumerate((0, 50, 50, 100))])})
    assert three is not None
    assert four is not None
    assert (three.low, three.high) == (0, 1)
    assert 0 < four.low < four.high < 1


def test_the_same_counts_give_the_same_interval() -> None:
    rows = random_counts(40, 20, np.random.default_rng(0))
    assert estimate({1: rows}) == estimate({1: rows})
    assert estimate({1: rows}, seed=1) != estimate({1: rows}, seed=2)


def test_patches_of_one_section_are_not_taken_for_independent() -> None:
    """The same forty patches: the fewer sections they lie in, the less is known.

    Each section has an accuracy of its own, which all of its patches share.
    """
    rng = np.random.default_rng(0)

    def within(sections: int) -> float:
        widths = []
        for _ in range(20):
            accuracy = rng.uniform(0.3, 0.9, sections)
            rows = [(p % sections, int(100 * accuracy[p % sections]), 100, 100) for p in range(40)]
            widths.append(width(estimate({1: counts(rows)})))
        return float(np.mean(widths))

    assert within(40) < within(10) < within(4)


def test_sections_of_two_volumes_are_different_ones() -> None:
    low, high = ([(z, hit, 100, 100) for z in (0, 1)] for hit in (10, 90))
    assert width(estimate({1: counts(low) + counts(high)})) == 0, "two sections, each half low, half high"
    assert width(estimate({1: counts(low, "v") + counts(high, "w")})) > 0.3


def test_patches_of_a_2d_image_vary_among_themselves() -> None:
    """All in its one section: an interval of no width would claim to know everything."""
    one = counts([(0, hit, 100, 100) for hit in (10, 30, 50, 70, 90)])
    quality = estimate({1: one})
    assert quality is not None
    assert quality.low < quality.jaccard < quality.high
    assert width(quality) == pytest.approx(width(estimate({1: [*one] * 4})) * 2, rel=0.2)


def test_a_single_patch_says_nothing_of_any_other() -> None:
    quality = estimate({1: counts([(0, 10, 50, 50)])})
    assert quality is not None
    assert (quality.low, quality.high) == (0, 1)


def course(*jaccards: float, patches: int = LEAST_PATCHES, doubt: float = 0.02) -> list[Quality]:
    return [Quality(j, j - doubt, j + doubt, patches) for j in jaccards]


@pytest.mark.parametrize("patches", [0, 1, LEAST_PATCHES - 1])
def test_no_advice_before_enough_control_patches_are_painted(patches: int) -> None:
    said = advice(course(0.5, 0.6, patches=patches) if patches else [], [20, 40] if patches else [])
    assert said.startswith("No advice yet")
    assert f"{patches} of the {LEAST_PATCHES}" in said
    assert not re.search(r"0\.\d\d", said), "and no number that looks like a quality"


def test_one_network_tells_nothing_of_gains() -> None:
    said = advice(course(0.613), [20])
    assert "0.61" in said
    assert "not known yet" in said
    assert "good enough" not in said


def test_a_gain_is_worth_going_on() -> None:
    said = advice(course(0.40, 0.50, 0.60, 0.70), [20, 40, 60, 80])
    assert said == "The last 20 patches gained +0.10 ± 0.03: going on is worth it."


def test_no_gain_is_good_enough() -> None:
    said = advice(course(0.40, 0.70, 0.70, 0.704), [20, 40, 60, 80])
    assert said == "The last 20 patches gained +0.00 ± 0.03: good enough, unless rare shapes matter to you."


def test_a_loss_is_said_as_it_is() -> None:
    assert "gained -0.05" in advice(course(0.70, 0.65), [20, 40])


def test_the_gain_is_that_of_the_last_quarter_of_the_labels() -> None:
    """100 labels: compared with the network of 60, the last before 75."""
    said = advice(course(0.3, 0.5, 0.6, 0.7, 0.8), [20, 60, 80, 90, 100])
    assert "The last 40 patches gained +0.30" in said


def test_the_doubt_grows_with_the_intervals() -> None:
    said = advice(course(0.5, 0.6, doubt=0.06), [20, 40])
    assert f"± {np.hypot(0.12, 0.12) / 2:.2f}" in said
