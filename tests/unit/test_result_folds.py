"""The thinned pool of a fold in which foreground is rare."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

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
