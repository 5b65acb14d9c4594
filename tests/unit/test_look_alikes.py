"""Without look-alikes: nothing near another pick or what is labelled, for every strategy there is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.errors import SelectionError
from pickem.geometry import PatchId
from pickem.strategies import strategy
from pickem.strategies.catalogue import BUILT_IN
from pickem.strategies.look_alikes import WithoutLookAlikes
from pickem.strategies.nearness import Neighbours
from pickem.strategies.testing import make_features

SIDE = 16
NAMES = st.sampled_from(sorted(BUILT_IN))
SEEDS = st.integers(0, 2**32)
places = st.builds(
    lambda volume, z, y, x: PatchId(volume, z, y, x, SIDE, SIDE),
    *(st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 40), st.integers(0, 40)),
)
pools = st.lists(places, min_size=1, max_size=40, unique=True)


def features(name: str, patches: Sequence[PatchId], seed: int) -> PoolFeatures:
    made = make_features(strategy(name).needs, len(patches), seed=seed)
    return PoolFeatures(list(patches), made.columns)


def near(a: PatchId, b: PatchId) -> bool:
    """By the rule's words: at most two sections apart, a quarter of the area or more in common."""
    common = max(0, SIDE - abs(a.y - b.y)) * max(0, SIDE - abs(a.x - b.x))
    return a.volume == b.volume and abs(a.z - b.z) <= 2 and common > 0.25 * SIDE * SIDE


@given(pools, pools)
def test_neighbours_are_those_that_are_near(pool: list[PatchId], asked: list[PatchId]) -> None:
    neighbours = Neighbours(pool)
    for patch in [*asked, *pool]:
        found = neighbours.of(patch)
        assert sorted(found.tolist()) == [i for i, other in enumerate(pool) if near(patch, other)]
        assert [pool[i] for i in neighbours.same_as(patch)] == [patch] * (patch in pool)


@given(NAMES, pools, pools, pools, st.integers(1, 12), SEEDS)
def test_no_pick_is_near_another_as_long_as_there_is_anything_else(
    name: str, pool: list[PatchId], labelled: list[PatchId], taken: list[PatchId], k: int, seed: int
) -> None:
    labelled = [patch for patch in labelled if patch not in pool]
    rule = WithoutLookAlikes(strategy(name), taken)
    picks = rule.select(
        features(name, pool, seed), features(name, labelled, seed + 1), k, np.random.default_rng(seed)
    ).patches
    left = [patch for patch in pool if patch not in taken]
    assert len(picks) == min(k, len(left))
    assert set(picks) <= set(left)
    known = [*labelled, *taken]
    for pick in picks:
        if any(near(pick, other) for other in known):
            assert all(any(near(patch, other) for other in known) for patch in left)
        known.append(pick)


@given(NAMES, st.integers(1, 12), SEEDS)
def test_where_nothing_is_near_the_picks_are_the_strategys_own(name: str, k: int, seed: int) -> None:
    pool = features(name, [PatchId("a", 0, SIDE * i, 0, SIDE, SIDE) for i in range(30)], seed)
    labelled = features(name, [PatchId("a", 7, SIDE * i, 0, SIDE, SIDE) for i in range(5)], seed + 1)
    own, without = (
        rule.select(pool, labelled, k, np.random.default_rng(seed))
        for rule in (strategy(name), WithoutLookAlikes(strategy(name)))
    )
    assert without == own


def test_the_most_uncertain_place_is_picked_once_and_the_next_ones_follow() -> None:
    """Nine sections of a column at 0, five at 64: 0 can be picked from thrice, 64 twice."""
    patches = [
        PatchId("v", z, 0, x, SIDE, SIDE) for x, sections in ((0, 9), (64, 5)) for z in range(sections)
    ]
    entropy = np.array([2.0 - 0.01 * z for z in range(9)] + [1.0 - 0.01 * z for z in range(5)])
    pool = PoolFeatures(patches, {Feature.ENTROPY: entropy})
    nothing = PoolFeatures([], {Feature.ENTROPY: np.zeros(0)})
    picks = WithoutLookAlikes(strategy("entropy")).select(pool, nothing, 5, np.random.default_rng(0))
    assert [(p.x, p.z) for p in picks.patches] == [(0, 0), (0, 3), (0, 6), (64, 0), (64, 3)]
    assert list(picks.utilities) == pytest.approx([2.0, 1.97, 1.94, 1.0, 0.97])


class Picks:
    """A third party's strategy that does what it should not."""

    needs: frozenset[Feature] = frozenset()

    def __init__(self, *patches: PatchId) -> None:
        self._patches = patches

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        return Selection(self._patches, (0.0,) * len(self._patches), ("",) * len(self._patches))


@pytest.mark.parametrize("picks", [(), (PatchId("elsewhere", 0, 0, 0, SIDE, SIDE),)], ids=["none", "foreign"])
def test_a_strategy_that_picks_what_is_not_there_is_refused(picks: tuple[PatchId, ...]) -> None:
    """And nobody waits for it for ever."""
    pool = PoolFeatures([PatchId("a", z, 0, 0, SIDE, SIDE) for z in range(9)], {})
    with pytest.raises(SelectionError, match="does not pick as it has to"):
        WithoutLookAlikes(Picks(*picks)).select(pool, PoolFeatures([], {}), 2, np.random.default_rng(0))
