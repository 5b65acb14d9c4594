"""The contract of a strategy as a test suite: inherit it, name the strategy, run pytest.

    class TestMine(StrategyContract):
        @pytest.fixture
        def strategy(self) -> Strategy:
            return Mine()

Imports pytest, which pickem itself does not depend on; nothing else in pickem imports this module.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection, Strategy
from pickem.errors import SelectionError
from pickem.geometry import PatchId

SEED = 20
POOL = 60  # patches
LABELLED = 12
DIMENSIONS = 6  # of an embedding
_WIDTHS = {Feature.EMBEDDING: (DIMENSIONS,), Feature.CLASS_ENTROPY: (3,)}


def make_features(
    needs: frozenset[Feature], count: int, *, seed: int = SEED, plane: int = 0, equal: bool = False
) -> PoolFeatures:
    """`count` patches of the plane z = `plane` with the columns `needs`, float32.

    equal: whether all patches have the same row, as those of a featureless region have.
    """
    rng = np.random.default_rng(seed)
    patches = [PatchId("volume", plane, 0, 16 * i, 16, 16) for i in range(count)]
    return PoolFeatures(patches, {feature: _column(feature, count, rng, equal) for feature in sorted(needs)})


def _column(feature: Feature, count: int, rng: np.random.Generator, equal: bool) -> NDArray[np.float32]:
    shape = (count, *_WIDTHS[feature]) if feature in _WIDTHS else (count,)
    column = rng.random(shape, dtype=np.float32)
    if feature is Feature.ORACLE_FOREGROUND:
        column[rng.random(count) < 0.5] = 0  # many real patches show none
    if equal:
        column[:] = column[:1]
    return column


class StrategyContract:
    """What the loop, the benchmark and the labelling page rely on. Override the fixture `strategy`."""

    @pytest.fixture
    def strategy(self) -> Strategy:
        """The strategy under test."""
        raise NotImplementedError("override the fixture `strategy`")

    @pytest.fixture
    def pool(self, strategy: Strategy) -> PoolFeatures:
        """Unlabelled patches, with the columns that the strategy declares and no others."""
        return make_features(strategy.needs, POOL)

    @pytest.fixture
    def labelled(self, strategy: Strategy) -> PoolFeatures:
        """Labelled patches, none of them in the pool, with the same columns."""
        return make_features(strategy.needs, LABELLED, seed=SEED + 1, plane=1)

    def test_needs_are_features(self, strategy: Strategy) -> None:
        assert isinstance(strategy.needs, frozenset), "`needs` is not a frozenset"
        assert all(isinstance(need, Feature) for need in strategy.needs), "`needs` holds more than features"

    @pytest.mark.parametrize("k", [1, 7, POOL - 1, POOL])
    def test_picks_k_distinct_unlabelled_patches(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures, k: int
    ) -> None:
        picked = pick(strategy, pool, labelled, k).patches
        assert len(picked) == k, f"{len(picked)} picks instead of {k}"
        assert len(set(picked)) == k, "a patch was picked twice"
        assert set(picked) <= set(pool.patches), "a pick is not a patch of the pool"

    @pytest.mark.parametrize("size", [0, 1, 5])
    def test_picks_all_of_a_pool_smaller_than_k(
        self, strategy: Strategy, labelled: PoolFeatures, size: int
    ) -> None:
        pool = make_features(strategy.needs, size)
        picked = pick(strategy, pool, labelled, size + 1).patches
        assert sorted(picked) == sorted(pool.patches), "not exactly the whole of the small pool"

    @pytest.mark.parametrize("k", [0, -1])
    def test_refuses_k_below_1(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures, k: int
    ) -> None:
        with pytest.raises(SelectionError):
            pick(strategy, pool, labelled, k)

    def test_works_before_anything_is_labelled(self, strategy: Strategy, pool: PoolFeatures) -> None:
        nothing = make_features(strategy.needs, 0)
        assert len(pick(strategy, pool, nothing, 7)) == 7, "not 7 picks without a labelled set"

    def test_same_seed_same_picks(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures
    ) -> None:
        first, second = (pick(strategy, pool, labelled, 7) for _ in range(2))
        assert first == second, "two calls with the same seed picked differently"

    def test_columns_it_did_not_ask_for_change_nothing(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures
    ) -> None:
        with_all = pick(strategy, _with_every_column(pool), _with_every_column(labelled), 7)
        assert with_all == pick(strategy, pool, labelled, 7), "undeclared columns change the picks"

    def test_refuses_a_missing_column(self, strategy: Strategy, labelled: PoolFeatures) -> None:
        bare = make_features(frozenset(), POOL)
        if strategy.needs:
            with pytest.raises(SelectionError):
                pick(strategy, bare, labelled, 7)
        else:
            assert len(pick(strategy, bare, bare, 7)) == 7, "`needs` is empty, yet it is not enough"

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_is_never_given_nan(self, strategy: Strategy, value: float) -> None:
        needs = strategy.needs or frozenset({Feature.ENTROPY})
        sound = make_features(needs, POOL)
        for feature, column in sound.columns.items():
            damaged = column.copy()
            damaged[POOL // 2] = value
            with pytest.raises(SelectionError):
                PoolFeatures(sound.patches, {**sound.columns, feature: damaged})

    def test_works_where_all_patches_are_alike(self, strategy: Strategy) -> None:
        pool = make_features(strategy.needs, POOL, equal=True)
        labelled = make_features(strategy.needs, LABELLED, plane=1, equal=True)
        assert len(pick(strategy, pool, labelled, 7)) == 7, "not 7 picks among equal patches"

    @pytest.mark.parametrize("dtype", [np.float16, np.float64])
    def test_works_at_every_precision(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures, dtype: type[np.floating]
    ) -> None:
        picks = pick(strategy, _as_type(pool, dtype), _as_type(labelled, dtype), 7)
        assert len(picks) == 7, f"not 7 picks from {dtype.__name__} columns"

    def test_utilities_are_finite(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures
    ) -> None:
        utilities = pick(strategy, pool, labelled, 7).utilities
        assert np.isfinite(utilities).all(), f"utilities that are not finite: {utilities}"

    def test_reasons_are_single_lines(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures
    ) -> None:
        for reason in pick(strategy, pool, labelled, 7).reasons:
            assert reason.strip(), "an empty reason: the annotator would not know why"
            assert len(reason.splitlines()) == 1, f"a reason of several lines: {reason!r}"

    def test_leaves_its_input_alone(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures
    ) -> None:
        before = [(features, list(features.patches), _copies(features)) for features in (pool, labelled)]
        pick(strategy, pool, labelled, 7)
        for features, patches, columns in before:
            assert list(features.patches) == patches, "the list of patches was changed"
            assert features.columns.keys() == columns.keys(), "columns were added or removed"
            for feature, column in columns.items():
                assert np.array_equal(features.columns[feature], column), f"the column {feature} was changed"

    def test_accepts_columns_that_cannot_be_written(
        self, strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures
    ) -> None:
        for column in (*pool.columns.values(), *labelled.columns.values()):
            column.flags.writeable = False  # as a memory-mapped file is
        assert len(pick(strategy, pool, labelled, 7)) == 7, "not 7 picks from read-only columns"


def pick(strategy: Strategy, pool: PoolFeatures, labelled: PoolFeatures, k: int) -> Selection:
    """The picks of a strategy at the suite's fixed seed."""
    return strategy.select(pool, labelled, k, np.random.default_rng(SEED))


def _with_every_column(features: PoolFeatures) -> PoolFeatures:
    extra = make_features(frozenset(Feature), len(features), seed=SEED + 2).columns
    return PoolFeatures(features.patches, {**extra, **features.columns})


def _as_type(features: PoolFeatures, dtype: type[np.floating]) -> PoolFeatures:
    return PoolFeatures(
        features.patches, {name: column.astype(dtype) for name, column in features.columns.items()}
    )


def _copies(features: PoolFeatures) -> dict[Feature, NDArray[np.floating]]:
    return {feature: column.copy() for feature, column in features.columns.items()}
