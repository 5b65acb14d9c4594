"""What each strategy between uncertainty and exploration promises beyond the common contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import Feature, PoolFeatures
from pickem.geometry import PatchId
from pickem.strategies import strategy
from pickem.strategies.nearness import OVERLAP, SECTIONS, far_apart
from pickem.strategies.uncertain_core_set import UncertainCoreSet

SIDE = 16


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def in_a_row(count: int, plane: int = 0) -> list[PatchId]:
    return [PatchId("v", plane, 0, SIDE * i, SIDE, SIDE) for i in range(count)]


def test_power_entropy_draws_in_proportion_to_the_entropy() -> None:
    pool = PoolFeatures(in_a_row(3), {Feature.ENTROPY: np.array([0.1, 0.2, 0.6])})
    nothing = PoolFeatures([], {Feature.ENTROPY: np.zeros(0)})
    drawn = np.zeros(3)
    generator = rng()
    for _ in range(3000):
        first = strategy("power-entropy").select(pool, nothing, 1, generator).patches[0]
        drawn[first.x // SIDE] += 1
    assert drawn / 3000 == pytest.approx([1 / 9, 2 / 9, 6 / 9], abs=0.03)


positions = st.tuples(st.integers(0, 6), st.integers(0, 40), st.integers(0, 40))


@given(drawn=st.lists(positions, min_size=1, max_size=40, unique=True), k=st.integers(1, 10))
def test_what_is_near_comes_last(drawn: list[tuple[int, int, int]], k: int) -> None:
    patches = [PatchId("v", z, y, x, SIDE, SIDE) for z, y, x in drawn]
    labelled = [PatchId("v", 0, 0, 0, SIDE, SIDE)]
    order = far_apart(patches, range(len(patches)), labelled, k)
    assert len(order) == len(set(order)) == min(k, len(patches))
    apart = [
        index
        for place, index in enumerate(order)
        if not any(near(patches[index], other) for other in labelled + [patches[i] for i in order[:place]])
    ]
    assert order[: len(apart)] == apart  # those that are apart come first, in the order of the ranking
    assert apart == sorted(apart)
    if len(apart) < len(order):  # near ones are taken only where nothing else is left
        chosen = labelled + [patches[i] for i in apart]
        assert all(any(near(p, other) for other in chosen) for p in patches if p not in chosen)


def near(a: PatchId, b: PatchId) -> bool:
    common = max(0, SIDE - abs(a.y - b.y)) * max(0, SIDE - abs(a.x - b.x))
    return abs(a.z - b.z) <= SECTIONS and common > OVERLAP * SIDE * SIDE


def test_entropy_apart_passes_over_the_next_section() -> None:
    above, below, elsewhere = (
        PatchId("v", 5, 0, 0, 16, 16),
        PatchId("v", 6, 2, 2, 16, 16),
        PatchId("v", 5, 90, 0, 16, 16),
    )
    pool = PoolFeatures([above, below, elsewhere], {Feature.ENTROPY: np.array([0.6, 0.5, 0.1])})
    nothing = PoolFeatures([], {Feature.ENTROPY: np.zeros(0)})
    assert strategy("entropy-apart").select(pool, nothing, 2, rng()).patches == (above, elsewhere)
    assert strategy("entropy").select(pool, nothing, 2, rng()).patches == (above, below)


def test_class_entropy_serves_the_rare_class_too() -> None:
    patches = in_a_row(30)
    columns = np.zeros((30, 3))
    columns[:, 0] = np.linspace(0.5, 0.6, 30)
    columns[7, 1] = columns[8, 2] = 0.01  # the two places where a foreground class is predicted at all
    pool = PoolFeatures(patches, {Feature.CLASS_ENTROPY: columns})
    many = PoolFeatures(in_a_row(300, plane=50), {Feature.CLASS_ENTROPY: np.zeros((300, 3))})
    picked = strategy("class-entropy").select(pool, many, 3, rng()).patches
    assert {patches[7], patches[8]} <= set(picked)


def test_cluster_margin_takes_one_of_each_kind() -> None:
    kinds = np.repeat(np.eye(4) * 100, 5, axis=0) + rng().normal(size=(20, 4))
    margin = np.linspace(0.1, 0.2, 20)
    pool = PoolFeatures(in_a_row(20), {Feature.MARGIN: margin, Feature.EMBEDDING: kinds})
    nothing = PoolFeatures([], {Feature.MARGIN: np.zeros(0), Feature.EMBEDDING: np.zeros((0, 4))})
    picked = strategy("cluster-margin").select(pool, nothing, 2, rng()).patches
    assert len({p.x // SIDE // 5 for p in picked}) == 2


def test_uncertain_core_set_explores_only_among_the_uncertain() -> None:
    entropy = np.full(200, 0.01)
    entropy[:30] = 0.5
    embeddings = rng().normal(size=(200, 2))
    embeddings[150] = 10_000.0  # an outlier that the network is sure of
    embeddings[3] = 50.0
    pool = PoolFeatures(in_a_row(200), {Feature.ENTROPY: entropy, Feature.EMBEDDING: embeddings})
    labelled = PoolFeatures(
        in_a_row(5, plane=9), {Feature.ENTROPY: np.zeros(5), Feature.EMBEDDING: np.zeros((5, 2))}
    )
    picked = strategy("uncertain-core-set").select(pool, labelled, 4, rng()).patches
    assert picked[0] == pool.patches[3]
    assert all(p.x // SIDE < 30 for p in picked)
    assert strategy("core-set").select(pool, labelled, 1, rng()).patches[0] == pool.patches[150]
    among_all = UncertainCoreSet(shortlist=1.0).select(pool, labelled, 1, rng())
    assert among_all.patches[0] == pool.patches[150]
