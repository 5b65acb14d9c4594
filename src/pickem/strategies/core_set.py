"""Core-set selection by greedy k-centre (paper, §3.5; Sener & Savarese 2018, algorithm 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most
from pickem.strategies.distances import ROWS, draw, squared_distances


class CoreSet:
    """Again and again the patch farthest from everything labelled or picked so far.

    The largest distance of any patch to its nearest centre is then at most twice what the best possible
    picks would reach (Gonzalez 1985). The labelled set is the start; without one, the first pick is the
    patch nearest the mean of the pool. Of equally far patches one is drawn at random. The utility is the
    distance to the nearest centre; of a first pick without a labelled set, the largest distance it leaves.
    """

    needs = frozenset({Feature.EMBEDDING})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        k = at_most(k, pool)
        if k == 0:
            return Selection((), (), ())
        embeddings = pool.column(Feature.EMBEDDING)
        picked: list[int] = []
        utilities: list[float] = []
        if len(labelled):
            nearest = distance_to_nearest(embeddings, labelled.column(Feature.EMBEDDING))
        else:
            from_mean = squared_distances(embeddings, embeddings.mean(axis=0, dtype=np.float64))
            picked.append(draw(from_mean == from_mean.min(), rng))
            nearest = squared_distances(embeddings, embeddings[picked[0]])
            utilities.append(float(np.sqrt(nearest.max())))
            nearest[picked[0]] = -1
        while len(picked) < k:
            farthest = draw(nearest == nearest.max(), rng)
            picked.append(farthest)
            utilities.append(float(np.sqrt(max(nearest[farthest], 0))))
            np.minimum(nearest, squared_distances(embeddings, embeddings[farthest]), out=nearest)
            nearest[picked] = -1  # a picked patch is never the farthest, not even among its duplicates
        reasons = [
            f"unlike anything labelled or picked so far: distance {distance:.4g} to the most similar"
            for distance in utilities
        ]
        if not len(labelled):
            reasons[0] = "in the middle of the unlabelled patches, as nothing is labelled yet"
        return Selection(tuple(pool.patches[i] for i in picked), tuple(utilities), tuple(reasons))


def distance_to_nearest(
    embeddings: NDArray[np.floating], centres: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(n,): squared distance of each row to the nearest of the centres (m, d).

    With many centres the products |a|² − 2ab + |b|² are used, in blocks and around the centres' mean: n · m
    differences would take minutes, and only which patch is far matters here, not which is near.
    """
    middle = centres.mean(axis=0, dtype=np.float64).astype(np.float32)
    around = centres.astype(np.float32) - middle
    squares = np.einsum("ij,ij->i", around, around)
    nearest = np.empty(len(embeddings), dtype=np.float32)
    for start in range(0, len(embeddings), ROWS):
        rows = embeddings[start : start + ROWS].astype(np.float32) - middle
        products = rows @ around.T
        products *= -2
        products += squares
        own = np.einsum("ij,ij->i", rows, rows)
        np.maximum(products.min(axis=1) + own, 0, out=nearest[start : start + ROWS])
    return nearest
