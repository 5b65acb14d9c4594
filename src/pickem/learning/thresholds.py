"""Would another threshold than 0.5 have been better? A diagnosis, which no strategy and no score ever uses.

Uncertainty strategies label more foreground than the volume holds, and a network believes in what it was
shown: its probabilities are too high, and 0.5 is too low. How much is lost to that is the difference between
the Jaccard at 0.5 and at the threshold that would have been best, which only the truth can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED

BINS = 1000  # of probability


@dataclass(frozen=True)
class BestThreshold:
    """The threshold of the foreground probability with the highest Jaccard, and that Jaccard."""

    threshold: float
    jaccard: float


class ProbabilityCounts:
    """Evaluated voxels by truth and by foreground probability, in BINS bins; for two classes."""

    def __init__(self) -> None:
        self._background = np.zeros(BINS, np.int64)
        self._foreground = np.zeros(BINS, np.int64)

    def add(self, truth: NDArray[np.uint8], foreground: NDArray[np.floating]) -> None:
        """Count the voxels of one image: class indices (h, w) with 255 left out, and probabilities (h, w)."""
        bins = np.minimum(foreground * BINS, BINS - 1).astype(np.intp)
        self._background += np.bincount(bins[truth == 0], minlength=BINS)
        self._foreground += np.bincount(bins[(truth > 0) & (truth != UNLABELLED)], minlength=BINS)

    def best(self) -> BestThreshold | None:
        """The best threshold; the lowest of several; None where there is no foreground at all."""
        truth = self._foreground.sum()
        if not truth:
            return None
        hits = self._foreground[::-1].cumsum()[::-1]  # predicted as foreground with this bin's lower edge
        wrong = self._background[::-1].cumsum()[::-1]
        jaccard = hits / (truth + wrong)
        at = int(jaccard.argmax())
        return BestThreshold(at / BINS, float(jaccard[at]))
