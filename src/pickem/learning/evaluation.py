"""How good a segmentation is: counts over all evaluated voxels at once (paper, eq. 4), no post-processing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.learning.thresholds import BestThreshold


@dataclass(frozen=True)
class Evaluation:
    """Scores of a segmentation, each in [0, 1].

    jaccard: mean over the foreground classes of intersection over union.
    jaccard_by_class: the same for each foreground class; NaN for a class neither there nor predicted.
    precision, recall: means over the foreground classes; a class never predicted has precision 0.
    best_threshold: what another threshold would have reached; None with several foreground classes.
    """

    jaccard: float
    jaccard_by_class: tuple[float, ...]
    precision: float
    recall: float
    best_threshold: BestThreshold | None = None


def confusion(truth: NDArray[np.uint8], predicted: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """(classes, classes) voxel counts, rows = truth, columns = prediction; truth 255 is left out."""
    labelled = truth != UNLABELLED
    pairs = truth[labelled].astype(np.int64) * classes + predicted[labelled]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def evaluate_confusion(counts: NDArray[np.int64], best_threshold: BestThreshold | None = None) -> Evaluation:
    """The scores of a confusion matrix (classes, classes) with class 0 = background."""
    hit = np.diag(counts)[1:].astype(np.float64)
    truth = counts.sum(axis=1)[1:]
    predicted = counts.sum(axis=0)[1:]
    jaccard = _ratio(hit, truth + predicted - hit, where_empty=np.nan)
    return Evaluation(
        jaccard=float(np.nanmean(jaccard)) if not np.isnan(jaccard).all() else float("nan"),
        jaccard_by_class=tuple(float(j) for j in jaccard),
        precision=float(_ratio(hit, predicted, where_empty=0.0).mean()),
        recall=float(_ratio(hit, truth, where_empty=0.0).mean()),
        best_threshold=best_threshold,
    )


def _ratio(above: NDArray[np.float64], below: NDArray[np.number], where_empty: float) -> NDArray[np.float64]:
    ratio = np.full(above.shape, where_empty)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
