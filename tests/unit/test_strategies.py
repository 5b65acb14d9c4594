"""Each strategy on cases small enough to be worked out by hand, and against independent references."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from pickem.acquisition import Feature, PoolFeatures, Selection, Strategy
from pickem.geometry import PatchId
from pickem.strategies import CoreSet, KMeansSampling, strategy

# Four patches of two pixels each; p(foreground) of the pixels: A 0.5 0.5, B 0.9 0.9, C 0.5 1.0, D 0.76 0.76.
ENTROPY = [0.6931, 0.3251, 0.3466, 0.5511]  # nats; of a pixel: 0.5 → 0.6931, 0.9 → 0.3251, 0.76 → 0.5511
CONFIDENCE = [0.50, 0.90, 0.75, 0.76]
MARGIN = [0.00, 0.80, 0.50, 0.52]


def patches(count: int, plane: int = 0) -> list[PatchId]:
    return [PatchId("volume", plane, 0, 8 * i, 8, 8) for i in range(count)]


def features(feature: Feature, values: object, plane: int = 0) -> PoolFeatures:
    column = np.asarray(values)
    return PoolFeatures(patches(len(column), plane), {feature: column})


def positions(selection: Selection) -> list[int]:
    """Where in the pool the picks were: `patches` lays them 8 pixels apart."""
    return [patch.x // 8 for patch in selection.patches]


def nothing(feature: Feature) -> PoolFeatures:
    return features(feature, np.empty((0, 2) if feature is Feature.EMBEDDING else 0))


def select(rule: Strategy, feature: Feature, values: object, k: int, seed: int = 0) -> Selection:
    return rule.select(features(feature, values), nothing(feature), k, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "feature", "column", "order", "utilities"),
    [
        ("entropy", Feature.ENTROPY, ENTROPY, [0, 3, 2], [0.6931, 0.5511, 0.3466]),
        ("least-confidence", Feature.CONFIDENCE, CONFIDENCE, [0, 2, 3], [-0.50, -0.75, -0.76]),
        ("margin", Feature.MARGIN, MARGIN, [0, 2, 3], [0.0, -0.50, -0.52]),
        ("bald-entropy", Feature.MC_ENTROPY, [0.10, 0.69, 0.30, 0.31], [1, 3, 2], [0.69, 0.31, 0.30]),
        ("bald", Feature.MUTUAL_INFORMATION, [0.00, 0.02, 0.25, 0.01], [2, 1, 3], [0.25, 0.02, 0.01]),
    ],
)
def test_uncertainty_ranks_its_column(
    name: str, feature: Feature, column: object, order: list[int], utilities: list[float]
) -> None:
    selection = select(strategy(name), feature, column, 3)
    assert positions(selection) == order
    assert selection.utilities == pytest.approx(utilities, abs=1e-6)


def test_the_reason_names_the_value_and_the_rank() -> None:
    reasons = select(strategy("entropy"), Feature.ENTROPY, ENTROPY, 2).reasons
    assert "number 1 of 4 patches (mean entropy 0.69 nats)" in reasons[0]
    assert "number 2 of 4 patches (mean entropy 0.55 nats)" in reasons[1]


class TestRandom:
    def test_every_patch_is_as_likely(self) -> None:
        pool = PoolFeatures(patches(5), {})
        rng = np.random.default_rng(0)
        counts = np.zeros(5)
        for _ in range(2000):
            counts[positions(strategy("random").select(pool, PoolFeatures([], {}), 2, rng))] += 1
        # 2000 · 2/5 = 800 expected, standard deviation √(2000 · 0.4 · 0.6) ≈ 22
        assert np.abs(counts - 800).max() < 5 * 22

    @pytest.mark.parametrize(
        ("k", "with_foreground"),
        [(4, 2), (5, 3), (1, 1), (10, 3)],  # half, rounded up; all three once ten are asked for
    )
    def test_half_of_the_picks_show_foreground(self, k: int, with_foreground: int) -> None:
        shares = [0, 0.2, 0, 0.01, 0, 0, 0, 0, 1.0, 0]  # patches 1, 3 and 8
        selection = select(strategy("random-foreground"), Feature.ORACLE_FOREGROUND, shares, k)
        assert len(set(positions(selection)) & {1, 3, 8}) == with_foreground
        assert sum(selection.utilities) == with_foreground

    def test_foreground_fills_up_where_background_runs_out(self) -> None:
        selection = select(strategy("random-foreground"), Feature.ORACLE_FOREGROUND, [0.1, 0.2, 0.3, 0], 4)
        assert sorted(positions(selection)) == [0, 1, 2, 3]


class TestKMeans:
    def test_one_patch_of_each_group_the_largest_first(self) -> None:
        embeddings = [[0, 0], [10, 0], [10.2, 0], [0, 10], [0, 10.2], [0, 9.8]]
        # groups {0}, {1, 2}, {3, 4, 5}; the mean of the third is its patch 3
        selection = select(KMeansSampling(), Feature.EMBEDDING, embeddings, 3)
        first, second, third = positions(selection)
        assert first == 3
        assert second in {1, 2}
        assert third == 0
        assert selection.utilities == pytest.approx((3 / 6, 2 / 6, 1 / 6))

    def test_picks_what_scikit_learn_finds(self) -> None:
        embeddings = np.random.default_rng(5).normal(size=(300, 8)).astype(np.float32)
        picked = positions(select(KMeansSampling(), Feature.EMBEDDING, embeddings, 6, seed=3))
        seed = int(np.random.default_rng(3).integers(2**31))
        centres = KMeans(6, n_init=1, random_state=seed).fit(embeddings).cluster_centers_
        distances = np.linalg.norm(embeddings[None] - centres[:, None], axis=2)
        assert sorted(picked) == sorted(distances.argmin(axis=1))

    def test_a_large_pool_is_clustered_in_batches(self) -> None:
        corners = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
        embeddings = np.repeat(corners, [50, 40, 30], axis=0)
        embeddings += np.random.default_rng(0).normal(scale=0.1, size=embeddings.shape)
        selection = select(KMeansSampling(large_pool=100), Feature.EMBEDDING, embeddings, 3)
        assert [np.searchsorted([50, 90], i, side="right") for i in positions(selection)] == [0, 1, 2]
        assert selection.utilities == pytest.approx((50 / 120, 40 / 120, 30 / 120))

    def test_two_centres_never_share_a_patch(self) -> None:
        selection = select(KMeansSampling(), Feature.EMBEDDING, [[0, 0]] * 4 + [[1, 1]], 4)
        assert len(set(positions(selection))) == 4


class TestCoreSet:
    def test_picks_the_farthest_from_labelled_and_picked(self) -> None:
        pool = features(Feature.EMBEDDING, [[1, 0], [4, 0], [9, 0], [10, 0]])
        labelled = features(Feature.EMBEDDING, [[0, 0]], plane=1)
        selection = CoreSet().select(pool, labelled, 3, np.random.default_rng(0))
        # distances 1 4 9 10 → patch 3; then 1 4 1 → patch 1; then 1 (to 0) and 1 (to 10) are equal
        assert positions(selection)[:2] == [3, 1]
        assert positions(selection)[2] in {0, 2}
        assert selection.utilities == pytest.approx((10, 4, 1))

    def test_starts_in_the_middle_without_a_labelled_set(self) -> None:
        selection = select(CoreSet(), Feature.EMBEDDING, [[0, 0], [4, 0], [5, 0], [11, 0]], 3)
        # mean (5, 0) → patch 2; then distances 5 1 0 6 → patch 3; then 5 1 → patch 0
        assert positions(selection) == [2, 3, 0]
        assert selection.utilities == pytest.approx((6, 6, 5))  # the first's: what it leaves to be reached
        assert "middle" in selection.reasons[0]
        assert "distance 6 " in selection.reasons[1]

    def test_a_labelled_lookalike_is_picked_last(self) -> None:
        pool = features(Feature.EMBEDDING, [[5, 5], [0, 0], [2, 2]])
        labelled = features(Feature.EMBEDDING, [[5, 5]], plane=1)
        assert positions(CoreSet().select(pool, labelled, 3, np.random.default_rng(0))) == [1, 2, 0]

    @given(data=st.data())
    def test_is_within_twice_the_optimum(self, data: st.DataObject) -> None:
        points = st.integers(2, 8).flatmap(
            lambda n: arrays.arrays(np.float64, (n, 2), elements=st.integers(-20, 20).map(float))
        )
        embeddings = data.draw(points)
        seeds = data.draw(points)[: data.draw(st.integers(0, 2))]
        k = data.draw(st.integers(1, len(embeddings)))
        selection = CoreSet().select(
            features(Feature.EMBEDDING, embeddings),
            features(Feature.EMBEDDING, seeds, plane=1),
            k,
            np.random.default_rng(0),
        )
        greedy = _radius(embeddings, seeds, positions(selection))
        optimum = min(
            _radius(embeddings, seeds, chosen) for chosen in itertools.combinations(range(len(embeddings)), k)
        )
        assert greedy <= 2 * optimum + 1e-4

    def test_near_duplicates_far_from_the_origin_are_told_apart(self) -> None:
        embeddings = np.array([[1000.0, 0], [1000.25, 0], [1001.0, 0]], dtype=np.float32)
        selection = select(CoreSet(), Feature.EMBEDDING, embeddings, 3)
        assert positions(selection) == [1, 2, 0]
        assert selection.utilities[1:] == pytest.approx((0.75, 0.25))


def _radius(embeddings: NDArray[np.float64], seeds: NDArray[np.float64], chosen: Sequence[int]) -> float:
    """The largest distance of any patch to its nearest centre."""
    centres = np.concatenate([seeds, embeddings[list(chosen)]])
    return float(np.linalg.norm(embeddings[:, None] - centres[None], axis=2).min(axis=1).max())


@pytest.mark.parametrize("name", ["k-means", "core-set"])
def test_half_precision_embeddings_pick_what_their_values_say(name: str) -> None:
    embeddings = np.random.default_rng(1).normal(size=(100, 16)).astype(np.float16)
    half = select(strategy(name), Feature.EMBEDDING, embeddings, 8)
    single = select(strategy(name), Feature.EMBEDDING, embeddings.astype(np.float32), 8)
    assert half == single


@pytest.mark.parametrize(
    ("name", "row"),
    [("entropy", 0.3), ("least-confidence", 0.3), ("k-means", [1.0, 2.0]), ("core-set", [1.0, 2.0])],
)
def test_position_does_not_decide_ties(name: str, row: object) -> None:
    rule = strategy(name)
    (feature,) = rule.needs
    firsts = {positions(select(rule, feature, [row] * 8, 1, seed))[0] for seed in range(200)}
    assert firsts == set(range(8))  # one of eight stays away from 200 fair draws once in 10¹¹
