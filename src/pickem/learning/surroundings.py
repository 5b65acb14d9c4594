"""Patches with what lies around them: images that a network may see, of pixels that nobody has labelled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.geometry import Box, PatchId


def read_with_context(
    read: Callable[[Box], NDArray[np.generic]], patch: PatchId, context: int, within: Box
) -> NDArray[np.generic]:
    """Grey values (h + 2 context, w + 2 context) of a patch, mirrored where `within` ends.

    `read` gives the grey values (1, height, width) of a box inside `within`.
    """
    box = patch.box.grow((0, context, context), within)
    (_, top, left), (_, bottom, right) = box.start, box.stop
    above, before = patch.y - context, patch.x - context
    below, behind = patch.y + patch.height + context, patch.x + patch.width + context
    missing = ((top - above, below - bottom), (left - before, behind - right))
    image: NDArray[np.generic] = read(box)[0]
    return np.pad(image, missing, mode="reflect") if context else image


def labels_with_context(masks: NDArray[np.uint8], context: int) -> NDArray[np.uint8]:
    """Masks (n, h, w) with `context` pixels around each that are not labelled."""
    around = ((0, 0), (context, context), (context, context))
    return np.pad(masks, around, constant_values=UNLABELLED)
