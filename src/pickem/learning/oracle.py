"""Who answers a query. In a benchmark, the ground truth."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED, Feature
from pickem.geometry import PatchId
from pickem.learning.regions import Regions


class OracleFeatures(Protocol):
    """What only an oracle can know of unlabelled patches."""

    @property
    def supplies(self) -> frozenset[Feature]:
        """Features that this oracle can measure; for a person, none."""

    def measure(
        self, patches: Sequence[PatchId], needs: Collection[Feature]
    ) -> dict[Feature, NDArray[np.float32]]:
        """Those of the features `needs` that it supplies, a row per patch."""


class Oracle(OracleFeatures, Protocol):
    """Gives labels when asked, and what features only it can know."""

    def answer(self, patches: Sequence[PatchId]) -> dict[PatchId, NDArray[np.uint8]]:
        """A mask (h, w) for each patch: class index a pixel, 255 = not labelled."""


class Person:
    """A person's features: none. Their answers come when they come, through `ActiveLearner.commit`."""

    @property
    def supplies(self) -> frozenset[Feature]:
        """Nothing can be known of a patch before somebody has painted it."""
        return frozenset()

    def measure(
        self,
        patches: Sequence[PatchId],  # noqa: ARG002  (the protocol's)
        needs: Collection[Feature],  # noqa: ARG002
    ) -> dict[Feature, NDArray[np.float32]]:
        """Nothing."""
        return {}


class SimulatedOracle:
    """Answers with the ground truth of a dataset."""

    def __init__(self, truth: Regions) -> None:
        self._truth = truth

    @property
    def supplies(self) -> frozenset[Feature]:
        """The true share of foreground, which no person could tell without labelling."""
        return frozenset({Feature.ORACLE_FOREGROUND})

    def answer(self, patches: Sequence[PatchId]) -> dict[PatchId, NDArray[np.uint8]]:
        """The ground truth of each patch."""
        return dict(zip(patches, self._truth.labels(patches), strict=True)) if patches else {}

    def measure(
        self, patches: Sequence[PatchId], needs: Collection[Feature]
    ) -> dict[Feature, NDArray[np.float32]]:
        """ORACLE_FOREGROUND where it is needed: the share of pixels that are foreground."""
        if Feature.ORACLE_FOREGROUND not in needs:
            return {}
        shares = [self._foreground_share(patch) for patch in patches]
        return {Feature.ORACLE_FOREGROUND: np.array(shares, dtype=np.float32)}

    def _foreground_share(self, patch: PatchId) -> float:
        labels = self._truth.labels([patch])
        return float(((labels > 0) & (labels != UNLABELLED)).mean())
