"""Cluster-Margin (Citovsky et al. 2021): low margins, spread over clusters of the embedding."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures, Selection
from pickem.strategies.checks import at_most

CANDIDATES = 10  # of lowest margin, a pick (the paper's k_m / k_t)
MOST = 4096  # candidates; all their distances are held at once
CLUSTERS = 2  # a pick


class ClusterMargin:
    """Of the patches with the smallest margins, one from each cluster in turn, the smallest clusters first.

    The paper clusters the whole pool once; here the candidates alone are clustered, after every training,
    since the network's embedding changes with it (average linkage, as there). In a cluster the smallest
    margin comes first. The utility is the margin, negated.
    """

    needs = frozenset({Feature.MARGIN, Feature.EMBEDDING})

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """See `pickem.acquisition.Strategy`."""
        del labelled
        k = at_most(k, pool)
        margin = np.asarray(pool.column(Feature.MARGIN), dtype=np.float64)
        embeddings = pool.column(Feature.EMBEDDING)
        candidates = min(len(margin), max(k, min(CANDIDATES * k, MOST)))
        shortlist = np.lexsort((rng.permutation(len(margin)), margin))[:candidates]
        clusters = _clusters(np.asarray(embeddings)[shortlist], CLUSTERS * k)
        order = [int(i) for i in itertools.islice(_in_turn(shortlist, clusters), k)]
        return Selection(
            tuple(pool.patches[i] for i in order),
            tuple(-float(margin[i]) for i in order),
            tuple(
                "two classes are nearly as probable as each other here, in one of many kinds of such places: "
                f"mean margin {margin[i]:.4g}"
                for i in order
            ),
        )


def _clusters(rows: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """(n,): the cluster of each row."""
    if len(rows) <= count or len(rows) < 2:
        return np.arange(len(rows))
    from sklearn.cluster import AgglomerativeClustering  # takes a second to import

    found: NDArray[np.intp] = AgglomerativeClustering(n_clusters=count, linkage="average").fit_predict(
        rows.astype(np.float64)
    )
    return found


def _in_turn(shortlist: NDArray[np.intp], clusters: NDArray[np.intp]) -> list[int]:
    """The shortlist, one of each cluster in turn, the smallest clusters first, each in the list's order."""
    members: dict[int, list[int]] = {}
    for index, cluster in zip(shortlist.tolist(), clusters.tolist(), strict=True):
        members.setdefault(cluster, []).append(index)
    by_size = sorted(members.values(), key=len)  # equal sizes: the one with the smallest margin first
    rounds = itertools.zip_longest(*by_size)
    return [index for turn in rounds for index in turn if index is not None]
