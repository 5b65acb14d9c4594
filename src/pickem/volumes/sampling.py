"""A sample of a volume's grey values: blocks spread over it, always the same, few however large it is.

At most SECTIONS sections are touched, at even distances, and BLOCKS blocks of SIDE × SIDE pixels in all. They
lie where the golden ratio puts them, so that no row or column of a mosaic is met twice. Sections that have no
more pixels than their share of the blocks are taken whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import Box, Shape3
from pickem.volumes.volume import Volume

SECTIONS = 16
BLOCKS = 64  # in all
SIDE = 256  # pixels
_ALONG_Y, _ALONG_X = 0.7548776662466927, 0.5698402909980532  # of the plastic number: even in two dimensions


def sample_blocks(volume: Volume) -> list[NDArray[Any]]:
    """Grey values of the blocks of `sample_boxes`. Raises what `volume.read` raises."""
    return [volume.read(box) for box in sample_boxes(volume.shape)]


def sample_boxes(shape: Shape3) -> list[Box]:
    """Where the blocks lie in a volume of this shape, section by section, each in one of them."""
    sections, height, width = shape
    count = min(sections, SECTIONS)
    planes = [int((index + 0.5) * sections / count) for index in range(count)]
    in_each = BLOCKS // count
    if height * width <= in_each * SIDE**2:
        return [Box((z, 0, 0), (z + 1, height, width)) for z in planes]
    boxes = []
    for number, z in enumerate(np.repeat(planes, in_each).tolist(), start=1):
        (y, x), (y_end, x_end) = place_of_block(number, shape)
        boxes.append(Box((z, y, x), (z + 1, y_end, x_end)))
    return boxes


def place_of_block(number: int, shape: Shape3) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where in a section of a volume of this shape the block with a number begins, and ends: (y, x) each."""
    _, height, width = shape
    y, y_end = _along(height, number * _ALONG_Y % 1)
    x, x_end = _along(width, number * _ALONG_X % 1)
    return (y, x), (y_end, x_end)


def _along(length: int, share: float) -> tuple[int, int]:
    side = min(length, SIDE)
    start = round(share * (length - side))
    return start, start + side
