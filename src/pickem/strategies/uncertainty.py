"""Strategies that pick the patches on which the network is least sure: one column, ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most


@dataclass(frozen=True)
class Ranking:
    """Picks the k patches with the largest, or the smallest, value of one feature.

    first: which end of the column is picked first.
    meaning: what such a value says about the network, for the annotator.
    quantity, unit: the name of the value, and what follows its number.

    Patches with equal values are ordered at random, so that no corner of the volume is favoured. The utility
    is the value itself, negated where the smallest come first.
    """

    feature: Feature
    first: Literal["largest", "smallest"]
    meaning: str
    quantity: str
    unit: str = ""

    @property
    def needs(self) -> frozenset[Feature]:
        """The one column that is ranked."""
        return frozenset({self.feature})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        del labelled  # uncertainty asks the network, not the labelled set
        k = at_most(k, pool)
        values = np.asarray(pool.column(self.feature), dtype=np.float64)
        utilities = values if self.first == "largest" else -values
        order = np.lexsort((rng.permutation(len(utilities)), -utilities))[:k]
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(float(utilities[i]) for i in order),
            tuple(self._reason(values[i], rank, len(values)) for rank, i in enumerate(order, start=1)),
        )

    def _reason(self, value: float, rank: int, size: int) -> str:
        return f"{self.meaning}: number {rank:,} of {size:,} patches ({self.quantity} {value:.2g}{self.unit})"


def entropy() -> Ranking:
    """Maximum entropy (paper, eq. 1; Joshi et al. 2009)."""
    return Ranking(
        Feature.ENTROPY, "largest", "the network is undecided between classes here", "mean entropy", " nats"
    )


def least_confidence() -> Ranking:
    """Least confidence (paper, eq. 2)."""
    return Ranking(
        Feature.CONFIDENCE,
        "smallest",
        "the network trusts its own answer little here",
        "mean probability of the predicted class",
    )


def margin() -> Ranking:
    """Smallest margin between the two most probable classes (Scheffer et al. 2001)."""
    return Ranking(
        Feature.MARGIN,
        "smallest",
        "two classes are nearly as probable as each other here",
        "mean margin between them",
    )


def bald_entropy() -> Ranking:
    """Maximum entropy of the mean of Monte-Carlo-dropout passes: BALD as the paper states it (eq. 3 → 1)."""
    return Ranking(
        Feature.MC_ENTROPY,
        "largest",
        "the network with parts of it switched off at random is undecided here",
        "mean entropy",
        " nats",
    )


def bald() -> Ranking:
    """Mutual information of prediction and weights (Houlsby et al. 2011; Gal et al. 2017)."""
    return Ranking(
        Feature.MUTUAL_INFORMATION,
        "largest",
        "switching off parts of the network changes its answer here",
        "mean mutual information",
        " nats",
    )
