"""Strategies that draw lots: the baselines against which all others are measured."""

from __future__ import annotations

import numpy as np

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most


class Random:
    """k patches, each as likely as any other; `reason` says why, to whoever sees them."""

    needs: frozenset[Feature] = frozenset()

    def __init__(self, reason: str = "drawn at random from the unlabelled patches") -> None:
        self._reason = reason

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`. All utilities are 0."""
        del labelled
        order = rng.permutation(len(pool))[: at_most(k, pool)]
        return Selection(
            tuple(pool.patches[i] for i in order),
            (0.0,) * len(order),
            (self._reason,) * len(order),
        )


class RandomForeground:
    """Half of the k patches (rounded up) at random from those with foreground, the others from the rest.

    Only a simulated oracle knows which patches have foreground. It is what a person does who leafs through
    the volume for something to label, and much stronger than `random` where foreground is rare. Where one
    kind runs out, the other fills up. The utility is 1 for a patch with foreground and 0 for one without.
    """

    needs = frozenset({Feature.ORACLE_FOREGROUND})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        del labelled
        k = at_most(k, pool)
        has_foreground = np.asarray(pool.column(Feature.ORACLE_FOREGROUND)) > 0
        shuffled = rng.permutation(len(pool))
        foreground, background = shuffled[has_foreground[shuffled]], shuffled[~has_foreground[shuffled]]
        from_foreground = min(len(foreground), max(-(-k // 2), k - len(background)))
        order = [*foreground[:from_foreground], *background[: k - from_foreground]]
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(float(has_foreground[i]) for i in order),
            tuple(_REASONS[bool(has_foreground[i])] for i in order),
        )


_REASONS = {
    True: "drawn at random from the patches that show foreground",
    False: "drawn at random from the patches that show none",
}
