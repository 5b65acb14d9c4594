"""The thinned pool of a fold in which foreground is rare; runs that are the same by two profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.carry_over import same_batches
from benchmarks.folds import thinned

SHARES = arrays.arrays(np.float64, st.integers(1, 50), elements=st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0]))


@given(SHARES, st.floats(0.01, 0.5), st.integers(0, 2**32))
def test_patches_without_foreground_all_stay_in_their_order(
    shares: np.ndarray, target: float, seed: int
) -> None:
    kept = thinned(shares, target, np.random.default_rng(seed))
    assert np.all(np.diff(kept) > 0)
    assert set(np.flatnonzero(shares == 0)) <= set(kept)


def test_what_is_left_holds_as_much_foreground_as_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    shares = np.where(rng.random(20_000) < 0.4, rng.uniform(0.01, 0.4, 20_000), 0.0)
    kept = thinned(shares, 0.01, rng)
    assert abs(shares[kept].mean() - 0.01) < 0.001
    assert np.ptp(shares[kept]) > 0.35  # and rich patches are among it


def test_a_pool_that_holds_less_is_left_as_it_is() -> None:
    shares = np.array([0.0, 0.01, 0.0])
    assert thinned(shares, 0.02, np.random.default_rng(0)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("with_foreground", "as_none", "as_balanced"),
    [(0, True, True), (4, False, True), (5, True, False), (6, True, False), (10, True, True)],
)
def test_a_run_is_carried_over_only_where_its_batches_are_the_same(
    with_foreground: int, as_none: bool, as_balanced: bool
) -> None:
    shown = np.arange(10) < with_foreground
    assert same_batches(shown, 8, "none", "at-least-half") == as_none
    assert same_batches(shown, 8, "foreground", "at-least-half") == as_balanced
