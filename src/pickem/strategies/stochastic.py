"""Uncertainty with lots drawn: k picks that do not all say the same thing, at the price of a ranking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most

SMALLEST = 1e-12  # nats; a utility of 0 would never be drawn, and its logarithm is not finite


class PowerEntropy:
    """k patches drawn without replacement, each in proportion to its mean entropy.

    Power acquisition (Kirsch et al. 2023, with β = 1) by the Gumbel-top-k trick: log entropy plus Gumbel
    noise, ranked. The k most uncertain patches of a pool resemble each other and hold far more foreground
    than the volume; a draw keeps both in bounds. The utility is the ranked sum.
    """

    needs = frozenset({Feature.ENTROPY})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        del labelled
        k = at_most(k, pool)
        entropy = np.asarray(pool.column(Feature.ENTROPY), dtype=np.float64)
        drawn = with_power_noise(entropy, rng)
        order = np.argsort(-drawn, kind="stable")[:k]
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(float(drawn[i]) for i in order),
            tuple(
                f"drawn by lot, in proportion to how undecided the network is here (mean entropy "
                f"{entropy[i]:.2g} nats)"
                for i in order
            ),
        )


def with_power_noise(utility: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """log utility + Gumbel(0, 1) noise: its k largest are a draw in proportion to `utility` (≥ 0)."""
    noisy: NDArray[np.float64] = np.log(np.maximum(utility, SMALLEST)) + rng.gumbel(size=len(utility))
    return noisy
