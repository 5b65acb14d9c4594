"""Distances between embeddings in bounded memory, whatever the size of the pool; ties decided by lot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS = 1024  # of a block; 1 MB of float32 at 256 dimensions, so a block stays in the cache


def squared_distances(embeddings: NDArray[np.floating], point: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n,): squared Euclidean distance of each row of `embeddings` (n, d) to `point` (d,).

    By differences, not by |a|² − 2ab + |b|²: that form loses all digits where embeddings lie close together,
    and near-duplicates are what a strategy has to tell apart. float16 rows are widened block by block.
    """
    distances = np.empty(len(embeddings), dtype=np.float32)
    target = np.asarray(point, dtype=np.float32)
    buffer = np.empty((min(ROWS, len(embeddings)), len(target)), dtype=np.float32)
    for start in range(0, len(embeddings), ROWS):
        block = embeddings[start : start + ROWS]
        difference = buffer[: len(block)]
        difference[:] = block
        difference -= target
        np.einsum("ij,ij->i", difference, difference, out=distances[start : start + ROWS])
    return distances


def draw(candidates: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """The index of one true entry, each as likely: position in the volume must not decide a tie."""
    return int(rng.choice(np.flatnonzero(candidates)))
