"""Small crops of what a run saw, kept for the figures of the report: images, labels, predictions as .npz."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED, Selection
from pickem.durable import write_durably
from pickem.learning import LoadedRegion, Regions
from pickem.predictor import Predictor

SIDE = 384  # pixels, the crop of the evaluated split


def write_evaluation_view(path: Path, predictor: Predictor, evaluation: Regions, jaccard: float) -> None:
    """The same crop of the evaluated split for every run: image, truth and predicted classes, uint8.

    `jaccard` is that of the whole split. It is the crop with most foreground, on a coarse grid.
    """
    region, section, rows, columns = _busiest_crop(evaluation)
    (probability,) = predictor.predict_sections(region.plane, [section], len(region.labels))
    predicted = probability[:, rows, columns].argmax(axis=0).astype(np.uint8)
    _write(
        path,
        image=_as_uint8(region.images[section])[rows, columns],
        truth=region.labels[section][rows, columns],
        prediction=predicted,
        jaccard=np.float64(jaccard),
    )


def write_picks_view(path: Path, predictor: Predictor, selection: Selection, images: Regions) -> None:
    """The first pick as the network saw it when it was picked (paper, Figure 4)."""
    first = selection.patches[:1]
    image = images.windows(first)
    probability = predictor.predict_proba(images.images(first, predictor.context))[0]
    _write(
        path,
        image=_as_uint8(image[0]),
        foreground=(1 - probability[0]).astype(np.float16),
        confidence=probability.max(axis=0).astype(np.float16),
    )


def _busiest_crop(regions: Regions) -> tuple[LoadedRegion, int, slice, slice]:
    candidates = [
        (_foreground(labels[rows, columns]), index, section, rows, columns)
        for index, region in enumerate(regions.loaded)
        for section, labels in enumerate(region.labels)
        for rows in _starts(labels.shape[0])
        for columns in _starts(labels.shape[1])
    ]
    _, index, section, rows, columns = max(candidates, key=lambda candidate: candidate[0])
    return regions.loaded[index], section, rows, columns


def _foreground(labels: NDArray[np.uint8]) -> int:
    return int(np.count_nonzero((labels > 0) & (labels != UNLABELLED)))


def _starts(length: int) -> list[slice]:
    last = max(0, length - SIDE)
    return [slice(start, start + SIDE) for start in sorted({*range(0, last, SIDE // 2), last})]


def _as_uint8(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    values = image.astype(np.float64)
    low, high = np.percentile(values, [0.5, 99.5])
    scaled: NDArray[np.float64] = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return (scaled * 255).astype(np.uint8)


def _write(path: Path, **arrays: NDArray[np.generic] | np.generic) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_durably(path, buffer.getvalue())
