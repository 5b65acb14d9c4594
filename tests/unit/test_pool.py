"""The state of the pool, kept once as the round in which each patch was labelled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import UNLABELLED
from pickem.errors import ConfigError
from pickem.geometry import PatchId
from pickem.learning import Pool, distinct_pixels

PATCHES = [PatchId("v", 0, 0, x, 4, 4) for x in range(0, 24, 4)]


def empty_mask() -> np.ndarray:
    return np.zeros((4, 4), np.uint8)


def test_labelled_and_unlabelled_are_derived_from_the_round() -> None:
    pool = Pool(PATCHES)
    assert pool.round == -1
    pool.store({PATCHES[2]: empty_mask(), PATCHES[0]: empty_mask()}, 0, ranked_by=None)
    pool.store({PATCHES[5]: empty_mask()}, 1, ranked_by="round 0")
    assert pool.labelled == [PATCHES[2], PATCHES[0], PATCHES[5]]
    assert pool.unlabelled == [PATCHES[1], PATCHES[3], PATCHES[4]]
    assert [pool.round_acquired(p) for p in PATCHES[:3]] == [0, None, 0]
    assert pool.label(PATCHES[5]).ranked_by == "round 0"
    assert pool.round == 1


@pytest.mark.parametrize(
    "masks",
    [
        {PATCHES[1]: empty_mask(), PATCHES[0]: empty_mask()},
        {PATCHES[1]: empty_mask(), PatchId("other", 0, 0, 0, 4, 4): empty_mask()},
        {PATCHES[1]: empty_mask(), PATCHES[2]: np.zeros((5, 4), np.uint8)},
    ],
    ids=["labelled already", "not in the pool", "wrong size"],
)
def test_a_wrong_answer_stores_nothing(masks: dict[PatchId, np.ndarray]) -> None:
    pool = Pool(PATCHES)
    pool.store({PATCHES[0]: empty_mask()}, 0, ranked_by=None)
    with pytest.raises(ConfigError):
        pool.store(masks, 1, ranked_by=None)
    assert pool.labelled == [PATCHES[0]]


def test_a_patch_is_in_the_pool_once() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Pool([*PATCHES, PATCHES[0]])


def _mask(*classes: int) -> np.ndarray:
    return np.resize(np.array(classes, np.uint8), (4, 4))


@pytest.mark.parametrize(
    ("first", "second", "classes", "is_new"),
    [
        (_mask(0), _mask(0, 1), 2, True),
        (_mask(1), _mask(0), 2, True),
        (_mask(UNLABELLED), _mask(0, 2), 2, True),
        (_mask(0), _mask(0), 1, False),
        (_mask(0, UNLABELLED), _mask(0), 1, False),
        (_mask(0, 1), _mask(0, 1), 2, False),
        (_mask(0, 1), _mask(2), 3, False),
    ],
)
def test_a_second_class_is_new_in_the_round_in_which_it_comes(
    first: np.ndarray, second: np.ndarray, classes: int, is_new: bool
) -> None:
    pool = Pool(PATCHES)
    pool.store({PATCHES[0]: first}, 0, ranked_by=None)
    assert not pool.second_class_is_new, "there was no network before"
    pool.store({PATCHES[1]: second}, 1, ranked_by=None)
    assert (pool.classes(), pool.second_class_is_new) == (classes, is_new)
    pool.store({PATCHES[2]: first}, 2, ranked_by=None)
    assert not pool.second_class_is_new, "it came before"


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 9), st.integers(0, 9)), min_size=1
    )
)
def test_distinct_pixels_counts_overlaps_once(places: list[tuple[str, int, int, int]]) -> None:
    patches = [PatchId(volume, z, y, x, 4, 5) for volume, z, y, x in places]
    covered = {
        (p.volume, p.z, y, x) for p in patches for y in range(p.y, p.y + 4) for x in range(p.x, p.x + 5)
    }
    assert distinct_pixels(patches) == len(covered)
