"""Class-stratified uncertainty: every class has its share of the picks, the rare ones too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most
from pickem.strategies.nearness import far_apart
from pickem.strategies.stochastic import SMALLEST


class ClassStratifiedEntropy:
    """For each class in turn, background included, the patch with most entropy where that class is predicted.

    With power noise that fades as labels come in: ClaSP PE's scheme (Lüth et al. 2025), log entropy plus
    Gumbel noise of scale k / (labelled patches), so that early, when the network knows little, lots decide
    as much as it does. Passes over look-alikes. The utility is the noisy logarithm.
    """

    needs = frozenset({Feature.CLASS_ENTROPY})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        k = at_most(k, pool)
        entropy = np.asarray(pool.column(Feature.CLASS_ENTROPY), dtype=np.float64)
        scale = k / max(len(labelled), k)
        noisy = np.log(np.maximum(entropy, SMALLEST)) + scale * rng.gumbel(size=entropy.shape)
        order = far_apart(pool.patches, _in_turn(noisy), labelled.patches, k)
        best_class = noisy.argmax(axis=1) if len(noisy) else np.zeros(0, np.intp)
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(float(noisy[i].max()) for i in order),
            tuple(
                f"the network is undecided where it predicts {_name(int(best_class[i]))}: entropy "
                f"there, per pixel of the patch, {entropy[i, best_class[i]]:.4g} nats"
                for i in order
            ),
        )


def _in_turn(utility: NDArray[np.float64]) -> list[int]:
    """Every row once: each column's best, then each column's second best, and so on."""
    columns = np.argsort(-utility, axis=0, kind="stable")
    return list(dict.fromkeys(columns.ravel().tolist()))


def _name(index: int) -> str:
    return "background" if index == 0 else f"class {index}"
