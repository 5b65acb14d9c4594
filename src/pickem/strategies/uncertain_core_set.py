"""Exploration among the uncertain: weighted k-centre on the patches of which the network is least sure."""

from __future__ import annotations

import numpy as np

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most
from pickem.strategies.core_set import distance_to_nearest
from pickem.strategies.distances import draw, squared_distances

SHORTLIST = 0.15  # of the pool …
AT_LEAST = 5  # … but so many candidates a pick


class UncertainCoreSet:
    """Again and again the patch with the largest entropy times distance to everything labelled or picked.

    Candidates are the patches with the highest mean entropy (`shortlist`, a share of the pool, but at least
    AT_LEAST · k of them); distances are those of `core-set`. The two-step form of Yang et al. 2017
    (suggestive annotation), with the greedy k-centre of Sener & Savarese 2018 and the uncertainty as its
    weight. The utility is the weighted distance, of a first pick without a labelled set the entropy.
    """

    needs = frozenset({Feature.ENTROPY, Feature.EMBEDDING})

    def __init__(self, shortlist: float = SHORTLIST) -> None:
        self._shortlist = shortlist

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        k = at_most(k, pool)
        entropy = np.asarray(pool.column(Feature.ENTROPY), dtype=np.float64)
        embeddings = pool.column(Feature.EMBEDDING)
        if k == 0:
            return Selection((), (), ())
        candidates = min(len(entropy), max(AT_LEAST * k, round(self._shortlist * len(entropy))))
        shortlist = np.lexsort((rng.permutation(len(entropy)), -entropy))[:candidates]
        weights, rows = entropy[shortlist], np.asarray(embeddings)[shortlist]
        picked: list[int] = []
        utilities: list[float] = []
        if len(labelled):
            nearest = distance_to_nearest(rows, labelled.column(Feature.EMBEDDING))
        else:
            picked.append(0)
            utilities.append(float(weights[0]))
            nearest = squared_distances(rows, rows[0])
        while len(picked) < k:
            utility = weights * np.sqrt(np.maximum(nearest, 0))
            utility[picked] = -1  # never again, not even among its duplicates
            best = draw(utility == utility.max(), rng)
            picked.append(best)
            utilities.append(float(utility[best]))
            np.minimum(nearest, squared_distances(rows, rows[best]), out=nearest)
        order = [int(shortlist[i]) for i in picked]
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(utilities),
            tuple(
                f"the network is undecided here (mean entropy {entropy[i]:.2g} nats), and it looks unlike "
                "what is labelled or picked so far"
                for i in order
            ),
        )
