"""Whether the sections of a volume go on from one to the next, or show a place of their own each.

What is measured is the correlation of grey values, each the mean over a square of 4 × 4 pixels, between a
block in one section and the same block in the next. It is 0.4 for sections of 45 nm at 4.6 nm a pixel (VNC),
0.97 at 5 nm (Lucchi++), and about nothing for images of different places (`benchmarks/continuity.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pickem.errors import VolumeError, VolumeUnreachableError
from pickem.geometry import Box
from pickem.volumes.sampling import place_of_block
from pickem.volumes.volume import Volume

PAIRS = 9  # of neighbouring sections
MEAN_OVER = 4  # pixels along y and x
LEAST = 0.3  # correlation of neighbouring sections that go on
LEAST_MORE = 0.1  # than of sections half a stack apart, which alike illumination may correlate as well
STACK = 16  # sections; half of fewer is not far apart


def discontinuous(volumes: Mapping[str, Volume]) -> list[str]:
    """The names of the volumes with several sections that do not go on from one to the next.

    Raises VolumeUnreachableError.
    """
    stacks = {name: volume for name, volume in volumes.items() if volume.shape[0] > 1}
    return [name for name, volume in stacks.items() if not sections_continue(volume)]


def sections_continue(volume: Volume) -> bool:
    """Whether neighbouring sections show the same things; False for a volume of one section.

    Reads some blocks, always the same; those that are damaged or of one grey value say nothing. Raises
    VolumeUnreachableError.
    """
    depth = volume.shape[0]
    firsts = np.unique(np.linspace(0, depth - 2, PAIRS).astype(int)).tolist() if depth > 1 else []
    near = correlation(volume, [(z, z + 1) for z in firsts])
    if near < LEAST or depth < STACK:
        return near >= LEAST
    return near >= LEAST_MORE + correlation(volume, [(z, (z + depth // 2) % depth) for z in firsts])


def correlation(volume: Volume, pairs: list[tuple[int, int]]) -> float:
    """Pearson's, the median over blocks in pairs of sections; 0 where there is nothing to compare."""
    found = []
    for number, (one, other) in enumerate(pairs):
        try:
            first, second = (_block(volume, z, number) for z in (one, other))
        except VolumeUnreachableError:
            raise
        except VolumeError:
            continue
        if scale := first.std() * second.std():
            found.append(np.mean(first * second) / scale)
    return float(np.median(found)) if found else 0.0


def _block(volume: Volume, z: int, number: int) -> NDArray[np.float64]:
    """Grey values of a block in a section, as means over squares, less their own mean."""
    (y, x), (y_end, x_end) = place_of_block(number, volume.shape)
    block = volume.read(Box((z, y, x), (z + 1, y_end, x_end)))[0]
    values = np.nan_to_num(block.astype(np.float64), posinf=0.0, neginf=0.0)
    side = min(MEAN_OVER, *values.shape)
    rows, columns = (length // side for length in values.shape)
    squares = values[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))
    centred: NDArray[np.float64] = squares - squares.mean()
    return centred
