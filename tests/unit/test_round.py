"""The loop: propose, commit, train, evaluate."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.errors import ConfigError
from pickem.geometry import PatchId, random_patches
from pickem.learning import ActiveLearner, Pool, Regions, SimulatedOracle, evaluate
from pickem.predictor import (
    ArrayTrainingSet,
    Backend,
    MeasuringSettings,
    NetworkPredictor,
    Normalisation,
    Phase,
    TrainingSettings,
    UNetSettings,
    unet_predictor,
)
from tests.conftest import new_tiny_predictor

PHASE = Phase(learning_rate=1e-2, steps=2)


class TakeFirst:
    """Picks the first patches and remembers what it was shown."""

    def __init__(self, *needs: Feature) -> None:
        self.needs = frozenset(needs)
        self.pool: PoolFeatures | None = None
        self.labelled: PoolFeatures | None = None

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        self.pool, self.labelled = pool, labelled
        picks = tuple(pool.patches[:k])
        return Selection(picks, tuple(rng.random(len(picks))), ("the first",) * len(picks))


class Person:
    """An oracle that can be asked for labels and nothing else."""

    supplies: frozenset[Feature] = frozenset()

    def answer(self, patches: list[PatchId]) -> dict[PatchId, np.ndarray]:
        return {patch: np.zeros((patch.height, patch.width), np.uint8) for patch in patches}

    def measure(self, patches: list[PatchId], needs: set[Feature]) -> dict[Feature, np.ndarray]:
        return {}


def patches_of(regions: Regions, count: int = 10) -> list[PatchId]:
    boxes = [(region.volume, region.box) for region in regions.loaded]
    return random_patches(boxes, count, 32, 32, np.random.default_rng(0))


def learner(
    regions: Regions, strategy: TakeFirst, predictor: NetworkPredictor, oracle: object = None
) -> ActiveLearner:
    return ActiveLearner(
        predictor,
        strategy,
        Pool(patches_of(regions)),
        regions,
        oracle or SimulatedOracle(regions),  # type: ignore[arg-type]
        first=PHASE,
        following=PHASE,
        seed=0,
        progress=lambda stage, done, total: None,
    )


def start(loop: ActiveLearner, regions: Regions, count: int = 4) -> None:
    loop.commit(SimulatedOracle(regions).answer(loop.pool.patches[:count]), ranked_by=None)


def test_a_round_moves_the_picks_from_the_pool_to_the_labelled_set(
    demo_regions: Regions, tiny_predictor: NetworkPredictor
) -> None:
    strategy = TakeFirst(Feature.ENTROPY)
    loop = learner(demo_regions, strategy, tiny_predictor)
    start(loop, demo_regions)
    loop.train()
    selection = loop.propose(3)
    assert selection.patches == loop.pool.patches[4:7]
    loop.commit(SimulatedOracle(demo_regions).answer(selection.patches), ranked_by="round 0")
    assert [loop.pool.round_acquired(p) for p in loop.pool.patches] == [0] * 4 + [1] * 3 + [None] * 3
    truth = demo_regions.labels(selection.patches)
    assert np.array_equal(loop.pool.masks()[4:], truth)


def test_propose_changes_nothing_and_answers_the_same_again(
    demo_regions: Regions, tiny_predictor: NetworkPredictor
) -> None:
    loop = learner(demo_regions, TakeFirst(Feature.MC_ENTROPY), tiny_predictor)
    start(loop, demo_regions)
    assert loop.propose(2) == loop.propose(2)
    assert loop.pool.round == 0


class AllBackground(SimulatedOracle):
    """Nobody finds anything."""

    def answer(self, patches: Sequence[PatchId]) -> dict[PatchId, np.ndarray]:
        return {patch: np.zeros_like(mask) for patch, mask in super().answer(patches).items()}


@pytest.mark.parametrize(
    ("needs", "asked"),
    [
        ({Feature.ENTROPY}, False),
        ({Feature.EMBEDDING}, False),
        ({Feature.ORACLE_FOREGROUND}, True),
        ((), True),
    ],
)
def test_a_network_that_was_shown_one_class_is_not_asked(
    needs: Iterable[Feature], asked: bool, demo_regions: Regions, tiny_predictor: NetworkPredictor
) -> None:
    strategy = TakeFirst(*needs)
    loop = learner(demo_regions, strategy, tiny_predictor)
    loop.commit(AllBackground(demo_regions).answer(loop.pool.patches[:4]), ranked_by=None)
    picks = loop.propose(3)
    assert (strategy.pool is not None) == asked
    assert len(picks) == 3
    assert not set(picks.patches) & set(loop.pool.labelled)
    assert picks == loop.propose(3)
    loop.commit(SimulatedOracle(demo_regions).answer(picks.patches), ranked_by="round 0")
    loop.propose(1)
    assert strategy.pool is not None, "now it has been shown others"


def test_the_strategy_sees_what_it_needs_and_no_more(
    demo_regions: Regions, tiny_predictor: NetworkPredictor
) -> None:
    strategy = TakeFirst(Feature.CONFIDENCE, Feature.ORACLE_FOREGROUND)
    loop = learner(demo_regions, strategy, tiny_predictor)
    start(loop, demo_regions)
    loop.propose(1)
    assert strategy.pool is not None
    assert strategy.labelled is not None
    assert set(strategy.pool.columns) == set(strategy.labelled.columns) == strategy.needs
    assert (len(strategy.pool), len(strategy.labelled)) == (6, 4)
    truth = demo_regions.labels(list(strategy.pool.patches))
    np.testing.assert_allclose(
        strategy.pool.column(Feature.ORACLE_FOREGROUND), (truth > 0).mean(axis=(1, 2)), rtol=1e-6
    )


def test_only_the_simulated_oracle_knows_the_foreground(
    demo_regions: Regions, tiny_predictor: NetworkPredictor
) -> None:
    with pytest.raises(ConfigError, match="know the labels"):
        learner(demo_regions, TakeFirst(Feature.ORACLE_FOREGROUND), tiny_predictor, oracle=Person())


def test_a_person_can_drive_the_same_loop(demo_regions: Regions, tiny_predictor: NetworkPredictor) -> None:
    loop = learner(demo_regions, TakeFirst(Feature.ENTROPY), tiny_predictor, oracle=Person())
    loop.commit(Person().answer(list(loop.pool.patches[:2])), ranked_by=None)
    loop.train()
    loop.commit(Person().answer(list(loop.propose(2).patches)), ranked_by="round 0")
    assert loop.pool.round == 1


def test_evaluation_counts_all_voxels_of_all_regions(
    demo_regions: Regions, demo_patches: ArrayTrainingSet
) -> None:
    predictor = new_tiny_predictor(demo_patches)
    loop = learner(demo_regions, TakeFirst(), predictor)
    told: list[tuple[int, int]] = []
    loop._progress = lambda stage, done, total: told.append((done, total))
    two = demo_regions.loaded[:2]
    scores = loop.evaluate(two)
    hits = ends = 0
    for region in two:
        predicted = predictor.predict_plane(region.images[0]).argmax(axis=0)
        hits += int(((predicted == 1) & (region.labels[0] == 1)).sum())
        ends += int(((predicted == 1) | (region.labels[0] == 1)).sum())
    assert scores.jaccard_by_class[0] == pytest.approx(hits / ends)
    assert told == [(1, 2), (2, 2)]


def test_the_best_threshold_is_told_where_there_is_one_foreground_class(
    demo_regions: Regions, demo_patches: ArrayTrainingSet
) -> None:
    three = evaluate(new_tiny_predictor(demo_patches), demo_regions.loaded[:1], lambda *_: None)
    assert three.best_threshold is None
    two = unet_predictor(
        UNetSettings(feature_maps=2, depth=1),
        2,
        Normalisation.of(region.images for region in demo_regions.loaded),
        Backend("cpu", "fp32"),
        TrainingSettings(),
        MeasuringSettings(),
        np.random.default_rng(0),
    )
    region = demo_regions.loaded[0]
    axons = dataclasses.replace(region, labels=(region.labels == 1).astype(np.uint8))
    scores = evaluate(two, [axons], lambda *_: None)
    assert scores.best_threshold is not None
    assert scores.best_threshold.jaccard > scores.jaccard  # an untrained network's 0.5 is nobody's best
