"""The words between predictor and strategies refuse what makes no sense."""

from __future__ import annotations

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.errors import SelectionError
from pickem.geometry import PatchId

finite_columns = arrays.arrays(
    st.sampled_from([np.float16, np.float32, np.float64]),
    st.one_of(st.tuples(st.integers(0, 30)), st.tuples(st.integers(0, 30), st.integers(1, 4))),
    elements=st.floats(-1000, 1000, width=16),
)


def patches(count: int) -> list[PatchId]:
    return [PatchId("volume", 0, 0, 8 * i, 8, 8) for i in range(count)]


class TestPoolFeatures:
    @given(finite_columns)
    def test_finite_columns_are_kept_as_they_are(self, column: NDArray[np.floating]) -> None:
        features = PoolFeatures(patches(len(column)), {Feature.ENTROPY: column})
        assert len(features) == len(column)
        assert features.column(Feature.ENTROPY) is column

    @given(finite_columns.filter(len), st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
    def test_one_value_that_is_no_number_is_refused(
        self, column: NDArray[np.floating], value: float, data: st.DataObject
    ) -> None:
        column.flat[data.draw(st.integers(0, column.size - 1))] = value
        with pytest.raises(SelectionError, match="not finite"):
            PoolFeatures(patches(len(column)), {Feature.EMBEDDING: column})

    def test_the_last_row_of_a_large_pool_is_checked_too(self) -> None:
        column = np.zeros(200_000, dtype=np.float32)
        column[-1] = np.nan
        with pytest.raises(SelectionError, match="not finite"):
            PoolFeatures(patches(1) * len(column), {Feature.MARGIN: column})

    @given(finite_columns, st.integers(0, 30))
    def test_a_column_of_another_length_is_refused(self, column: NDArray[np.floating], count: int) -> None:
        if count == len(column):
            count += 1
        with pytest.raises(SelectionError, match="one row per patch") as caught:
            PoolFeatures(patches(count), {Feature.CONFIDENCE: column})
        assert caught.value.got == f"{len(column)} rows"
        assert caught.value.expected == f"{count} rows"

    @pytest.mark.parametrize("missing", list(Feature))
    def test_a_column_that_was_not_computed_is_named(self, missing: Feature) -> None:
        others = {feature: np.zeros(3) for feature in Feature if feature is not missing}
        with pytest.raises(SelectionError, match=f"feature {missing},"):
            PoolFeatures(patches(3), others).column(missing)

    def test_some_rows_keep_their_patches_and_columns_in_the_order_asked_for(self) -> None:
        column = np.arange(5, dtype=np.float32)
        some = PoolFeatures(patches(5), {Feature.ENTROPY: column}).take(np.array([4, 1]))
        assert list(some.patches) == [patches(5)[4], patches(5)[1]]
        assert some.column(Feature.ENTROPY).tolist() == [4, 1]

    def test_two_pools_one_after_the_other_have_the_columns_of_both(self) -> None:
        both = {Feature.ENTROPY: np.arange(2.0), Feature.EMBEDDING: np.ones((2, 3), np.float16)}
        one, other = (
            PoolFeatures(patches(2), both),
            PoolFeatures(patches(3)[2:], {Feature.ENTROPY: np.ones(1)}),
        )
        joined = one.followed_by(other)
        assert list(joined.patches) == patches(3)
        assert {f: c.tolist() for f, c in joined.columns.items()} == {Feature.ENTROPY: [0, 1, 1]}
        nothing = PoolFeatures([], {Feature.EMBEDDING: np.zeros(0, np.float32)})
        assert nothing.followed_by(one) is one.followed_by(nothing) is one


class TestSelection:
    def test_length_is_the_number_of_picks(self) -> None:
        assert len(Selection(tuple(patches(3)), (0.0,) * 3, ("why",) * 3)) == 3

    @given(st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(lambda n: len(set(n)) > 1))
    def test_each_pick_has_one_utility_and_one_reason(self, lengths: list[int]) -> None:
        picks, utilities, reasons = lengths
        with pytest.raises(SelectionError, match="one utility and one reason"):
            Selection(tuple(patches(picks)), (0.0,) * utilities, ("why",) * reasons)

    def test_no_patch_is_picked_twice(self) -> None:
        twice = (*patches(3), patches(2)[1])
        with pytest.raises(SelectionError, match="twice"):
            Selection(twice, (0.0,) * 4, ("why",) * 4)

    @pytest.mark.parametrize("utility", [np.nan, np.inf, -np.inf])
    def test_a_utility_that_is_no_number_is_refused(self, utility: float) -> None:
        with pytest.raises(SelectionError, match="not a finite number") as raised:
            Selection(tuple(patches(3)), (1.0, utility, 0.0), ("why",) * 3)
        assert str(patches(2)[1]) in str(raised.value.got)
