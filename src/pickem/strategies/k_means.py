"""k-means sampling (paper, §3.4; Bodó et al. 2011): k clusters of the pool, the patch nearest each centre."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most
from pickem.strategies.distances import draw, squared_distances

LARGE_POOL = 50_000  # patches; above, MiniBatchKMeans, which looks at a sample in each step
_BATCH = 4096
_SAMPLE = 100_000  # patches that are clustered; that many say where k centres are as well as millions do


class KMeansSampling:
    """One patch per cluster of the embeddings of the unlabelled pool, the largest cluster's first.

    scikit-learn's KMeans (k-means++ start, one run), MiniBatchKMeans on pools larger than `large_pool`; of
    very large ones a random sample is clustered, and the picks come from the whole pool. A patch that is the
    nearest of two centres is picked once, and the next nearest taken for the other. The utility is the
    cluster's share of the pool; 0 where there are fewer distinct patches than clusters. Of equally near
    patches one is drawn at random.
    """

    needs = frozenset({Feature.EMBEDDING})

    def __init__(self, large_pool: int = LARGE_POOL) -> None:
        self._large_pool = large_pool

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        del labelled
        k = at_most(k, pool)
        if k == 0:
            return Selection((), (), ())
        embeddings = pool.column(Feature.EMBEDDING)
        seed = int(rng.integers(2**31))
        centres, sizes = self._cluster(_sample(embeddings, max(k, _SAMPLE), rng), k, seed)
        largest_first = np.argsort(-sizes, kind="stable")
        picked = _nearest_distinct(embeddings, centres[largest_first], rng)
        shares = sizes[largest_first] / sizes.sum()
        return Selection(
            tuple(pool.patches[i] for i in picked),
            tuple(float(share) for share in shares),
            tuple(
                f"typical of a kind that makes up {share:.1%} of the unlabelled patches" for share in shares
            ),
        )

    def _cluster(
        self, embeddings: NDArray[np.floating], k: int, seed: int
    ) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
        # Here and not above: every command knows the catalogue of strategies, and few cluster.
        from sklearn.cluster import KMeans, MiniBatchKMeans
        from sklearn.exceptions import ConvergenceWarning

        if len(embeddings) > self._large_pool:
            clustering = MiniBatchKMeans(k, n_init=1, batch_size=_BATCH, random_state=seed)
        else:
            clustering = KMeans(k, n_init=1, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct patches than k: k are picked
            clustering.fit(embeddings.astype(np.float32, copy=False))  # half of what float16 would become
        return clustering.cluster_centers_, np.bincount(clustering.labels_, minlength=k)


def _sample(embeddings: NDArray[np.floating], most: int, rng: np.random.Generator) -> NDArray[np.floating]:
    """All rows, or `most` of them at random."""
    if len(embeddings) <= most:
        return embeddings
    return embeddings[np.sort(rng.choice(len(embeddings), most, replace=False))]


def _nearest_distinct(
    embeddings: NDArray[np.floating], centres: NDArray[np.floating], rng: np.random.Generator
) -> list[int]:
    """For each centre in turn, the index of the nearest row that no earlier centre has taken."""
    picked: list[int] = []
    for centre in centres:
        distances = squared_distances(embeddings, centre)
        distances[picked] = np.inf
        picked.append(draw(distances == distances.min(), rng))
    return picked
