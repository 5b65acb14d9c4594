"""The order in which batches are drawn."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import UNLABELLED
from pickem.errors import ConfigError
from pickem.predictor import ArrayTrainingSet
from pickem.predictor.training_set import batches


def training_set(with_foreground: int, without: int) -> ArrayTrainingSet:
    n = with_foreground + without
    labels = np.zeros((n, 2, 2), np.uint8)
    labels[:with_foreground, 0, 0] = 1
    labels[with_foreground:, 1, 1] = UNLABELLED
    return ArrayTrainingSet(np.zeros((n, 2, 2), np.uint8), labels)


@given(n=st.integers(1, 12), size=st.integers(1, 5), seed=st.integers(0, 99))
def test_every_patch_comes_once_per_pass(n: int, size: int, seed: int) -> None:
    drawn = islice(batches(training_set(0, n), size, "none", np.random.default_rng(seed)), n)
    counts = Counter(int(i) for batch in drawn for i in batch)
    assert set(counts.values()) == {size}
    assert set(counts) == set(range(n))


@given(foreground=st.integers(1, 5), background=st.integers(1, 20), size=st.integers(1, 7))
def test_balanced_batches_are_half_foreground(foreground: int, background: int, size: int) -> None:
    patches = training_set(foreground, background)
    for batch in islice(batches(patches, size, "foreground", np.random.default_rng(0)), 5):
        assert len(batch) == size
        assert patches.has_foreground[batch].sum() == -(-size // 2)


@given(foreground=st.integers(0, 8), background=st.integers(0, 8), seed=st.integers(0, 99))
def test_at_least_half_is_half_where_there_is_less_and_all_alike_where_there_is_more(
    foreground: int, background: int, seed: int
) -> None:
    patches = training_set(foreground, max(background, 1))
    same_as = "none" if foreground >= max(background, 1) else "foreground"
    drawn, expected = (
        list(islice(batches(patches, 4, balance, np.random.default_rng(seed)), 5))
        for balance in ("at-least-half", same_as)
    )
    np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize(("foreground", "background"), [(0, 3), (3, 0)])
def test_balance_takes_what_there_is(foreground: int, background: int) -> None:
    patches = training_set(foreground, background)
    drawn = list(islice(batches(patches, 4, "foreground", np.random.default_rng(0)), 3))
    assert {int(i) for batch in drawn for i in batch} == {0, 1, 2}


def test_images_and_labels_must_belong_together() -> None:
    with pytest.raises(ConfigError, match="belong together"):
        ArrayTrainingSet(np.zeros((2, 4, 4), np.uint8), np.zeros((3, 4, 4), np.uint8))
