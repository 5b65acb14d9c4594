"""One streaming pass over a pool: every patch is read, measured and forgotten, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Feature, PoolFeatures
from pickem.geometry import PatchId
from pickem.predictor.protocol import Images, Predictor, Progress

BATCH = 32  # patches at a time, …
PIXELS = BATCH * 128**2  # … fewer of more than 128 × 128 pixels; bounds what is held of probability maps


def score(
    predictor: Predictor,
    patches: Sequence[PatchId],
    read: Callable[[Sequence[PatchId], int], Images],
    needs: Collection[Feature],
    rng: np.random.Generator,
    progress: Progress,
    batch: int | None = None,
) -> PoolFeatures:
    """The features `needs` of `patches`, in their order.

    `read` returns the images of some patches, all of one size, with so many pixels of context. Holds the
    images and probability maps of `batch` patches at a time, by default of as many as their size allows,
    whatever the size of the pool.
    """
    if not needs or not patches:
        return PoolFeatures(patches, {feature: np.zeros(0, np.float32) for feature in needs})
    batch = batch or max(1, min(BATCH, PIXELS // (patches[0].height * patches[0].width)))
    columns: dict[Feature, NDArray[np.float32]] = {}
    for start in range(0, len(patches), batch):
        part = patches[start : start + batch]
        for feature, rows in predictor.measure(read(part, predictor.context), needs, rng).items():
            column = columns.setdefault(feature, np.empty((len(patches), *rows.shape[1:]), np.float32))
            column[start : start + len(part)] = rows
        progress(min(start + batch, len(patches)), len(patches))
    return PoolFeatures(patches, columns)
