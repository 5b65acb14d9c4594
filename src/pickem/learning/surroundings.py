"""Patches with what lies around them: images that a network may see, of pixels that nobody has labelled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.geometry import Box, PatchId


def read_with_context(
    read: Callable[[Box], NDArray[np.generic]], patch: PatchId, context: int, within: Box, sections: int = 1
) -> NDArray[np.generic]:
    """Grey values (h + 2 context, w + 2 context) of a patch, mirrored where `within` ends.

    Of several `sections`, an odd number with the patch's own in the middle: (sections, h + 2 context,
    w + 2 context). `read` gives the grey values (z, y, x) of a box inside `within`.
    """
    halo = (sections // 2, context, context)
    own, box = patch.box, patch.box.grow(halo, within)
    missing = [
        (reach - (first - start), reach - (stop - last))
        for reach, start, first, last, stop in zip(
            halo, box.start, own.start, own.stop, box.stop, strict=True
        )
    ]
    images: NDArray[np.generic] = read(box)
    if any(halo):
        images = np.pad(images, missing, mode="reflect")
    return images if sections > 1 else images[0]


def labels_with_context(masks: NDArray[np.uint8], context: int) -> NDArray[np.uint8]:
    """Masks (n, h, w) with `context` pixels around each that are not labelled."""
    around = ((0, 0), (context, context), (context, context))
    return np.pad(masks, around, constant_values=UNLABELLED)
