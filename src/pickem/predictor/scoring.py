"""One streaming pass over a pool: every patch is read, measured and forgotten, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures
from pickem.geometry import PatchId
from pickem.predictor.protocol import Images, Predictor, Progress

BATCH = 32  # patches; bounds what is held of probability maps


def score(
    predictor: Predictor,
    patches: Sequence[PatchId],
    read: Callable[[Sequence[PatchId], int], Images],
    needs: Collection[Feature],
    rng: np.random.Generator,
    progress: Progress,
    batch: int = BATCH,
) -> PoolFeatures:
    """The features `needs` of `patches`, in their order.

    `read` returns the images of some patches, with so many pixels of context. Holds one batch of images and
    probability maps at a time, whatever the size of the pool.
    """
    if not needs or not patches:
        return PoolFeatures(patches, {feature: np.zeros(0, np.float32) for feature in needs})
    columns: dict[Feature, NDArray[np.float32]] = {}
    for start in range(0, len(patches), batch):
        part = patches[start : start + batch]
        for feature, rows in predictor.measure(read(part, predictor.context), needs, rng).items():
            column = columns.setdefault(feature, np.empty((len(patches), *rows.shape[1:]), np.float32))
            column[start : start + len(part)] = rows
        progress(min(start + batch, len(patches)), len(patches))
    return PoolFeatures(patches, columns)
