"""Which patches may be labelled: distinct, inside the volume, never near the audit; and what comes first."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.errors import ConfigError
from pickem.geometry import PatchId, Shape3, whole
from pickem.project.candidates import (
    LEAST_SHARE,
    Candidates,
    audit_patches,
    first_picks,
)

SIZE = 16
SHAPES = st.dictionaries(
    st.sampled_from("abc"),
    st.tuples(st.integers(1, 6), st.integers(SIZE, 70), st.integers(SIZE, 70)),
    min_size=1,
)
SEEDS = st.integers(0, 2**32)
TERABYTE = {"huge": (5_000, 20_000, 10_000), "more": (100, 300, 400)}


def touches(a: PatchId, b: PatchId, gap: int) -> bool:
    """Whether a pixel of one is a pixel of the other, `gap` sections to either side counted as one."""
    return (
        a.volume == b.volume
        and abs(a.z - b.z) <= gap
        and not (a.y + a.height <= b.y or b.y + b.height <= a.y)
        and not (a.x + a.width <= b.x or b.x + b.width <= a.x)
    )


@given(SHAPES, SEEDS)
def test_all_candidates_tile_every_section(shapes: dict[str, Shape3], seed: int) -> None:
    candidates = Candidates(shapes, SIZE, [], gap=0)
    drawn = candidates.draw(len(candidates), np.random.default_rng(seed))
    assert len(set(drawn)) == len(drawn) == len(candidates)
    covered = {name: np.zeros(shape, bool) for name, shape in shapes.items()}
    for patch in drawn:
        assert whole(shapes[patch.volume]).contains(patch.box)
        covered[patch.volume][patch.box.slices] = True
    assert all(mask.all() for mask in covered.values())


@given(SHAPES, SEEDS, st.integers(0, 8), st.integers(0, 2), st.integers(1, 60))
def test_what_is_drawn_is_distinct_inside_and_away_from_the_audit(
    shapes: dict[str, Shape3], seed: int, audits: int, gap: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    audit = audit_patches(shapes, SIZE, audits, gap, rng)
    candidates = Candidates(shapes, SIZE, audit, gap)
    drawn = candidates.draw(count, rng)
    assert len(set(drawn)) == len(drawn) <= count
    for patch in drawn:
        assert (patch.height, patch.width) == (SIZE, SIZE)
        assert whole(shapes[patch.volume]).contains(patch.box)
        assert not any(touches(patch, other, gap) for other in audit)
        assert candidates.allows(patch)


@given(SHAPES, SEEDS, st.integers(1, 8), st.integers(0, 2))
def test_everything_that_the_audit_leaves_can_be_drawn(
    shapes: dict[str, Shape3], seed: int, audits: int, gap: int
) -> None:
    rng = np.random.default_rng(seed)
    audit = audit_patches(shapes, SIZE, audits, gap, rng)
    tiling = Candidates(shapes, SIZE, [], 0)
    left = {p for p in tiling.draw(len(tiling), rng) if not any(touches(p, a, gap) for a in audit)}
    candidates = Candidates(shapes, SIZE, audit, gap)
    assert set(candidates.draw(len(candidates), rng)) == left


@given(SHAPES, SEEDS, st.integers(0, 8), st.integers(0, 2))
def test_section_by_section_every_candidate_comes_once(
    shapes: dict[str, Shape3], seed: int, audits: int, gap: int
) -> None:
    rng = np.random.default_rng(seed)
    candidates = Candidates(shapes, SIZE, audit_patches(shapes, SIZE, audits, gap, rng), gap)
    numbers = candidates.numbers_by_section(10**6, rng)
    assert sorted(numbers.tolist()) == list(range(len(candidates)))
    listed = candidates.allowed(numbers.tolist())
    assert sorted(listed) == candidates.draw(len(candidates), rng)
    sections = [section for section, _ in itertools.groupby(listed, lambda patch: (patch.volume, patch.z))]
    assert len(sections) == len(set(sections)), "a section is begun again"


@given(SHAPES, SEEDS, st.integers(1, 60))
def test_of_more_than_wanted_come_whole_sections_and_part_of_the_last(
    shapes: dict[str, Shape3], seed: int, most: int
) -> None:
    candidates = Candidates(shapes, SIZE, [], gap=0)
    every = candidates.numbers_by_section(10**6, np.random.default_rng(seed))
    some = candidates.numbers_by_section(most, np.random.default_rng(seed))
    assert some.tolist() == every[:most].tolist()


def test_a_million_of_a_terabyte_come_from_sections_all_over_it() -> None:
    numbers = Candidates(TERABYTE, 128, [], gap=2).numbers_by_section(10**6, np.random.default_rng(0))
    assert len(numbers) == 10**6
    sections = np.unique(numbers // (157 * 79))
    assert 80 <= len(sections) <= 120, "80 whole ones of 12,403 candidates, and some of the small volume"
    assert np.diff(sections).max() < 600


@given(SHAPES, SEEDS, st.integers(0, 30), st.integers(0, 3))
def test_audit_patches_are_distinct_inside_and_leave_most_of_the_volume(
    shapes: dict[str, Shape3], seed: int, count: int, gap: int
) -> None:
    audit = audit_patches(shapes, SIZE, count, gap, np.random.default_rng(seed))
    assert len(set(audit)) == len(audit) <= count
    for patch in audit:
        assert whole(shapes[patch.volume]).contains(patch.box)
    if audit:
        candidates = Candidates(shapes, SIZE, audit, gap)
        free = len(candidates.draw(len(candidates), np.random.default_rng(0)))
        assert free >= (LEAST_SHARE - 0.05) * len(candidates), "up to what a sample may err"


def test_a_large_volume_gets_as_many_audit_patches_as_were_asked_for() -> None:
    assert len(audit_patches({"v": (100, 2000, 2000)}, 128, 60, 2, np.random.default_rng(0))) == 60


def test_audit_patches_are_spread_over_volumes_by_their_size() -> None:
    shapes = {"large": (90, 500, 500), "small": (10, 500, 500)}
    audit = audit_patches(shapes, 16, 400, 0, np.random.default_rng(0))
    share = np.mean([patch.volume == "large" for patch in audit])
    assert 0.85 < share < 0.95


@given(SHAPES, SEEDS, st.integers(1, 30))
def test_the_same_seed_draws_the_same(shapes: dict[str, Shape3], seed: int, count: int) -> None:
    candidates = Candidates(shapes, SIZE, [], gap=0)
    first, second = (candidates.draw(count, np.random.default_rng(seed)) for _ in range(2))
    assert first == second


def test_another_seed_draws_others() -> None:
    candidates = Candidates(TERABYTE, SIZE, [], gap=0)
    first, second = (candidates.draw(20, np.random.default_rng(seed)) for seed in (0, 1))
    assert not set(first) & set(second)


@pytest.mark.parametrize("count", [1, 10, 100, 990])
def test_as_many_are_drawn_as_were_asked_for_though_the_audit_keeps_many(count: int) -> None:
    shapes = {"v": (10, 320, 320)}
    audit = audit_patches(shapes, SIZE, 500, 1, np.random.default_rng(0))
    candidates = Candidates(shapes, SIZE, audit, gap=1)
    assert len(candidates.draw(len(candidates), np.random.default_rng(0))) < 0.8 * len(candidates)
    for seed in range(5):
        assert len(candidates.draw(count, np.random.default_rng(seed))) == count


def test_candidates_are_drawn_uniformly() -> None:
    """Each of 200 is drawn about 60 times in 600 draws of 20; six standard deviations are 44."""
    candidates = Candidates({"v": (20, 32, 80)}, SIZE, [], gap=0)
    rng = np.random.default_rng(0)
    seen = dict.fromkeys(candidates.draw(len(candidates), rng), 0)
    for _ in range(600):
        for patch in candidates.draw(20, rng):
            seen[patch] += 1
    assert len(seen) == 200
    assert 16 < min(seen.values()) <= max(seen.values()) < 104


@pytest.mark.parametrize("shape", [(5, 15, 100), (5, 100, 15), (1, 1, 1)])
def test_a_volume_smaller_than_a_patch_is_refused(shape: Shape3) -> None:
    with pytest.raises(ConfigError, match="smaller than a patch") as raised:
        Candidates({"good": (1, 16, 16), "bad": shape}, SIZE, [], gap=0)
    assert "bad" in str(raised.value)
    assert "at least 16 × 16" in str(raised.value)
    Candidates({"just": (1, 16, 16)}, SIZE, [], gap=0)


def test_a_terabyte_is_numbered_and_not_held() -> None:
    """62 million candidates; a list of them would take gigabytes."""
    tracemalloc.start()
    rng = np.random.default_rng(0)
    audit = audit_patches(TERABYTE, 128, 60, 2, rng)
    candidates = Candidates(TERABYTE, 128, audit, gap=2)
    drawn = candidates.draw(2000, rng)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(candidates) == 5_000 * 157 * 79 + 100 * 3 * 4
    assert len(set(drawn)) == 2000
    assert len(audit) == 60
    assert peak < 8e6, f"{peak} bytes"


@given(st.integers(1, 300), st.integers(0, 80), SEEDS)
def test_first_picks_lie_everywhere_from_the_first_few_on(patches: int, k: int, seed: int) -> None:
    """However few are labelled before the rest: no stretch of the volume waits for its turn."""
    drawn = [PatchId("v", z, 0, 32 * z, 32, 32) for z in range(patches)]
    picks = first_picks(drawn, k, np.random.default_rng(seed)).patches
    assert len(set(picks)) == len(picks) == min(k, patches)
    for first in (4, 16, 64):
        if first <= min(k, patches // 4):
            quarters = np.bincount([4 * p.z // patches for p in picks[:first]], minlength=4)
            assert quarters.max() - quarters.min() <= 2


def test_no_two_first_picks_show_nearly_the_same() -> None:
    column = [PatchId("v", z, 0, 0, 32, 32) for z in range(60)]
    picks = first_picks(column, 8, np.random.default_rng(0)).patches
    sections = sorted(p.z for p in picks)
    assert min(np.diff(sections)) > 2
