"""Quality from audit patches alone: the Jaccard, its interval, and what is advised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from pickem.geometry import PatchId
from pickem.project import rounds
from pickem.project.quality import (
    LEAST_PATCHES,
    Gain,
    Quality,
    advice,
    estimate,
    gain,
    paired_gain,
    write_quality,
)
from pickem.project.rounds import AuditCounts
from pickem.project.store import Store
from pickem.web.standing import standing
from pickem.web.supervisor import Activity
from tests.fixtures.tiny_project import answer, selection


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


def paired(gain: int, patches: int, sections: int) -> tuple[dict[int, list[AuditCounts]], ...]:
    """Two networks on the same patches; the later one gets `gain` of 100 pixels more right in each."""
    accuracy = np.random.default_rng(0).integers(10, 90, sections)
    rows = [(p % sections, int(accuracy[p % sections]), 100, 100) for p in range(patches)]
    later = [(z, hit + gain, truth, predicted) for z, hit, truth, predicted in rows]
    return {1: counts(rows)}, {1: counts(later)}


def test_a_gain_is_a_difference_on_the_same_patches() -> None:
    """Sections differ far more from one another than the two networks do, and that cancels."""
    then, now = paired(gain=5, patches=60, sections=20)
    found = paired_gain(then, now)
    assert found is not None
    gain, low, high = found
    before, after = estimate(then), estimate(now)
    assert before is not None
    assert after is not None
    assert gain == pytest.approx(after.jaccard - before.jaccard)
    assert 0 < low <= gain <= high
    assert high - low < (after.high - after.low) / 5


def test_a_network_has_gained_nothing_on_itself() -> None:
    then, _ = paired(gain=0, patches=40, sections=10)
    assert paired_gain(then, then) == (0, 0, 0)


def test_the_doubt_of_a_gain_is_that_of_sections_and_not_of_patches() -> None:
    """Whole sections got better or worse: as many patches in fewer sections say less."""

    def doubt(sections: int) -> float:
        change = np.random.default_rng(0).choice([-10, 10], sections)
        rows = [(p % sections, 50, 100, 100) for p in range(60)]
        later = [(z, hit + int(change[z]), truth, predicted) for z, hit, truth, predicted in rows]
        found = paired_gain({1: counts(rows)}, {1: counts(later)})
        assert found is not None
        return found[2] - found[1]

    assert doubt(60) < doubt(6) / 2


def test_too_few_patches_or_no_foreground_tell_no_gain() -> None:
    assert paired_gain(*paired(5, LEAST_PATCHES, 10)) is not None
    assert paired_gain(*paired(5, LEAST_PATCHES - 1, 10)) is None
    nothing = {1: counts([(z, 0, 0, 0) for z in range(LEAST_PATCHES)])}
    assert paired_gain(nothing, paired(5, LEAST_PATCHES, LEAST_PATCHES)[1]) is None
    assert paired_gain({}, {}) is None


QUERIES = [PatchId("v", 0, 0, x, 2, 2) for x in range(0, 200, 2)]
AUDIT = [PatchId("v", z, 0, 0, 2, 2) for z in range(1, 41)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "project.sqlite") as opened:
        opened.replace_queue(selection(QUERIES), None)
        opened.reserve_audit(AUDIT)
        yield opened


def learned(store: Store, labels: int) -> int:
    """Label so many patches in all, and finish a round with them; returns its number."""
    for queued in store.queue()[: labels - store.count("query", "submitted")]:
        answer(store, queued.stored.id, np.ones((2, 2), np.uint8), "submitted")
    number = rounds.begin_round(store).number
    rounds.finish_round(store, number, f"round-{number:04d}.safetensors", loss=0.5, seconds=2.0)
    return number


def measured(store: Store, number: int, hit: int) -> None:
    """Measure a round's network on all audit masks: `hit` of 100 pixels right in each."""
    table = np.array([[hit, 100, 100]])
    painted = {stored.id: table for stored in store.submitted("audit")}
    rounds.write_audit(store, number, painted, rounds.last_audit_revision(store))
    write_quality(store, number)


def paint(store: Store, audits: int) -> None:
    for stored in store.open_audit()[:audits]:
        answer(store, stored.id, np.ones((2, 2), np.uint8), "submitted")


def test_the_gain_is_that_of_the_last_quarter_of_the_labels(store: Store) -> None:
    """20 labels: compared with the network of 12, the last before 15."""
    paint(store, LEAST_PATCHES)
    for labels, hit in [(4, 30), (12, 60), (16, 70), (20, 80)]:
        measured(store, learned(store, labels), hit)
    found = gain(store)
    assert found is not None
    assert found.labels == 8
    assert found.gain == pytest.approx(80 / 120 - 60 / 140)
    assert "The last 8 patches gained +0.24" in standing(store, Activity("")).advice


def test_an_earlier_network_that_knows_too_few_masks_tells_no_gain_until_it_is_measured_again(
    store: Store,
) -> None:
    first = learned(store, 4)
    paint(store, 10)
    measured(store, first, 50)
    paint(store, LEAST_PATCHES - 10)
    measured(store, learned(store, 8), 60)
    assert gain(store) is None
    assert "not known yet" in standing(store, Activity("")).advice
    measured(store, first, 50)
    found = gain(store)
    assert found is not None
    assert found.labels == 4


def test_no_gain_is_told_below_the_least_number_of_patches(store: Store) -> None:
    paint(store, LEAST_PATCHES - 1)
    for labels, hit in [(4, 30), (8, 60)]:
        measured(store, learned(store, labels), hit)
    assert gain(store) is None
    assert standing(store, Activity("")).advice.startswith("No advice yet: 29 of the 30")


def newest(jaccard: float = 0.6, patches: int = LEAST_PATCHES) -> Quality:
    return Quality(jaccard, jaccard - 0.05, jaccard + 0.05, patches)


@pytest.mark.parametrize("patches", [0, 1, LEAST_PATCHES - 1])
def test_no_advice_before_enough_control_patches_are_painted(patches: int) -> None:
    said = advice(newest(patches=patches) if patches else None, Gain(20, 0.0, -0.01, 0.01))
    assert said.startswith("No advice yet")
    assert f"{patches} of the {LEAST_PATCHES}" in said
    assert not re.search(r"0\.\d\d", said), "and no number that looks like a quality"


def test_one_network_tells_nothing_of_gains() -> None:
    said = advice(newest(0.613), None)
    assert "0.61" in said
    assert "not known yet" in said
    assert "good enough" not in said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Gain(20, 0.10, 0.07, 0.13), "gained +0.10 ± 0.03: going on is worth it."),
        (Gain(40, 0.01, -0.01, 0.03), "gained +0.01 ± 0.02: good enough, unless rare shapes matter to you."),
        (Gain(40, 0.01, -0.05, 0.07), "gained +0.01 ± 0.06: too uncertain to say"),
        (Gain(20, -0.05, -0.08, -0.02), "gained -0.05 ± 0.03: the network got worse."),
    ],
)
def test_what_is_advised(found: Gain, said: str) -> None:
    assert advice(newest(), found).startswith(f"The last {found.labels} patches {said}")
