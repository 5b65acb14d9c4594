"""The loop of the paper's Figure 1, cut where a page has to wait for a person.

         ┌──────────────► train ──► evaluate ───┐
         │                                      ▼
      commit ◄── labels ◄── ORACLE ◄────── propose(k)

A benchmark calls the four in turn. A labelling page serves what `propose` returned and calls `commit` as
the answers come in; `train` and `propose` run in a process of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection, Strategy
from pickem.errors import ConfigError
from pickem.geometry import PatchId
from pickem.learning.evaluation import Evaluation, confusion, evaluate_confusion
from pickem.learning.exploring import exploring
from pickem.learning.oracle import OracleFeatures
from pickem.learning.pool import Pool
from pickem.learning.regions import ImageSource, LoadedRegion
from pickem.learning.streams import Purpose, stream
from pickem.learning.surroundings import labels_with_context
from pickem.learning.thresholds import ProbabilityCounts
from pickem.predictor import ArrayTrainingSet, FitReport, Phase, Predictor, score

Stage = Literal["pretraining", "training", "evaluating", "scoring", "looking through the volume"]
StageProgress = Callable[[Stage, int, int], None]  # (what is being done, units done, units in all)


class ActiveLearner:
    """A predictor, a strategy and a pool, learning from the labels that are committed to it.

    Parameters
    ----------
    images: reads the grey values of the pool's patches.
    oracle: asked only for features that the predictor cannot measure; labels come through `commit`.
    first, following: how to train on the initial set, and after each further round.
    seed: names all random streams of the run (see `pickem.learning.streams`).

    Raises ConfigError where the strategy needs a feature that only another oracle could supply.
    """

    def __init__(
        self,
        predictor: Predictor,
        strategy: Strategy,
        pool: Pool,
        images: ImageSource,
        oracle: OracleFeatures,
        first: Phase,
        following: Phase,
        seed: int,
        progress: StageProgress,
    ) -> None:
        self.predictor = predictor
        self.pool = pool
        self._strategy = strategy
        self._images = images
        self._oracle = oracle
        self._first = first
        self._following = following
        self._seed = seed
        self._progress = progress
        if Feature.ORACLE_FOREGROUND in strategy.needs - oracle.supplies:
            raise ConfigError(
                "This strategy has to know the labels before it picks; only a benchmark can offer that.",
                got=f"needs {Feature.ORACLE_FOREGROUND}",
                expected="features that can be measured without labels",
                todo="choose another strategy",
            )

    def train(self) -> FitReport:
        """Fit the predictor to all labels, from its present weights.

        Where the pool's second class is new, as at first: a network that was shown one class alone says it
        everywhere and hardly comes back from there, so whoever calls has let it start over.
        """
        context = self.predictor.context
        images = self._images.images(self.pool.labelled, context)
        patches = ArrayTrainingSet(images, labels_with_context(self.pool.masks(), context))
        phase = self._first if self.pool.round == 0 or self.pool.second_class_is_new else self._following
        rng = stream(self._seed, Purpose.TRAIN, self.pool.round)
        return self.predictor.fit(patches, phase, rng, self._stage("training"))

    def evaluate(self, regions: Sequence[LoadedRegion]) -> Evaluation:
        """Scores of the present predictor over all voxels of the regions."""
        return evaluate(self.predictor, regions, self._stage("evaluating"))

    def propose(self, k: int) -> Selection:
        """The next `k` patches to label; changes nothing, and gives the same answer when asked again."""
        strategy = exploring(self._strategy, self.pool.classes())
        return self._select(strategy, self._features(self.pool.unlabelled, strategy.needs), k)

    def choose(self, measured: PoolFeatures, k: int) -> Selection:
        """As the strategy says, among patches that were measured already; the pool need not name them."""
        return self._select(self._strategy, measured, k)

    def commit(self, masks: Mapping[PatchId, NDArray[np.uint8]], ranked_by: str | None) -> None:
        """Store the answers as the next round's labels, and nothing else."""
        self.pool.store(masks, self.pool.round + 1, ranked_by)

    def _select(self, strategy: Strategy, measured: PoolFeatures, k: int) -> Selection:
        rng = stream(self._seed, Purpose.SELECT, self.pool.round)
        return strategy.select(measured, self._features(self.pool.labelled, strategy.needs), k, rng)

    def _features(self, patches: Sequence[PatchId], needs: frozenset[Feature]) -> PoolFeatures:
        rng = stream(self._seed, Purpose.SCORE, self.pool.round)
        from_oracle = self._oracle.measure(patches, needs)
        measured = score(
            self.predictor,
            patches,
            self._images.images,
            needs - from_oracle.keys(),
            rng,
            self._stage("scoring"),
        )
        return PoolFeatures(patches, {**measured.columns, **from_oracle})

    def _stage(self, stage: Stage) -> Callable[[int, int], None]:
        return lambda done, total: self._progress(stage, done, total)


def evaluate(
    predictor: Predictor, regions: Sequence[LoadedRegion], progress: Callable[[int, int], None]
) -> Evaluation:
    """Scores over all voxels of all regions at once: the most probable class against the labels.

    With two classes the most probable one is the foreground where its probability exceeds 0.5.
    """
    sections = sum(region.box.shape[0] for region in regions)
    counts = np.zeros((predictor.classes, predictor.classes), dtype=np.int64)
    by_probability = ProbabilityCounts()
    done = 0
    for region in regions:
        depth = len(region.labels)
        predicted = predictor.predict_sections(region.plane, range(depth), depth)
        for probability, labels in zip(predicted, region.labels, strict=True):
            counts += confusion(labels, probability.argmax(axis=0), predictor.classes)
            if predictor.classes == 2:
                by_probability.add(labels, probability[1])
            done += 1
            progress(done, sections)
    return evaluate_confusion(counts, by_probability.best())
