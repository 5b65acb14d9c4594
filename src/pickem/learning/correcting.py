"""How long a person would take to correct what the network proposes, beside painting from scratch.

    seconds = PATCH + OBJECT · (places to change) + CONTOUR · (contour of what changes, in pixels)

with the constants of `pickem.learning.effort`. A place is an 8-connected component of the pixels on which
proposal and mask differ; differences one or two pixels wide are left alone, since people do not agree on an
outline more closely than that. Whoever would be faster from scratch clears the proposal and paints.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pickem.acquisition import UNLABELLED
from pickem.learning.effort import (
    CONTOUR_SECONDS_PER_PIXEL,
    OBJECT_SECONDS,
    PATCH_SECONDS,
    annotation_seconds,
    contour_length,
    count_objects,
)

TOLERATED = 2  # pixels: the width of a difference that nobody corrects


def correction_seconds(proposal: NDArray[np.uint8], mask: NDArray[np.uint8]) -> float:
    """Estimated seconds to turn `proposal` (h, w) into `mask` (h, w), class indices, 255 = not labelled."""
    changes = changed(proposal, mask)
    seconds = (
        PATCH_SECONDS
        + OBJECT_SECONDS * count_objects(changes)
        + CONTOUR_SECONDS_PER_PIXEL * contour_length(changes)
    )
    return min(seconds, annotation_seconds(mask))


def changed(proposal: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w): 1 where a person would change the proposal, else 0."""
    differs = (proposal != mask) & (mask != UNLABELLED)
    square = np.ones((TOLERATED + 1, TOLERATED + 1), np.bool_)
    # mirrored at the border, where a wide difference may be cut to a narrow one
    padded = np.pad(differs, TOLERATED, mode="symmetric")
    opened = ndimage.binary_opening(padded, square)[TOLERATED:-TOLERATED, TOLERATED:-TOLERATED]
    return opened.astype(np.uint8)
