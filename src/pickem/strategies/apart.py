"""Uncertainty without look-alikes: no two picks that show nearly the same."""

from __future__ import annotations

import numpy as np

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most
from pickem.strategies.nearness import far_apart


class EntropyApart:
    """The patches with the highest mean entropy, passing over those near a better pick or a labelled patch.

    Near means that they show nearly the same (`pickem.strategies.nearness`). In a pool with overlaps, and in
    volumes whose sections lie close together, the most uncertain patches are often one place many times. The
    utility is the mean entropy.
    """

    needs = frozenset({Feature.ENTROPY})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        k = at_most(k, pool)
        entropy = np.asarray(pool.column(Feature.ENTROPY), dtype=np.float64)
        ranking = np.lexsort((rng.permutation(len(entropy)), -entropy)).tolist()
        order = far_apart(pool.patches, ranking, labelled.patches, k)
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(float(entropy[i]) for i in order),
            tuple(
                f"the network is undecided between classes here, and no better pick shows nearly the same "
                f"(mean entropy {entropy[i]:.2g} nats)"
                for i in order
            ),
        )
