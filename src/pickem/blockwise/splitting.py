"""Cutting an object that is several, at its necks.

    ╭───────╮     ╭───────╮    The distance to the surface has a peak (×) in each part and a saddle (·) in
    │       ╰─────╯       │    the neck. Watershed draws the basins of all peaks. Basins are joined, the
    │   ×      ·      ×   │    highest saddle first, unless it is lower than `neck` × the lower peak. So 0.6
    │       ╭─────╮       │    cuts where the neck is thinner than 0.6 of the thinner part, at any scale,
    ╰───────╯     ╰───────╯    and a rough surface alone cuts nothing.

An object is looked at whole, in nm where the voxel size is known, so the blocks play no part in the result.
No I/O.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

LARGEST = 2**24  # voxels of a bounding box; larger objects are left whole, as a process would need over a GiB
_ALL_NEIGHBOURS = np.ones((3, 3, 3), np.bool_)


def parts_of(
    mask: NDArray[np.bool_], voxel_size: tuple[float, float, float] | None, neck: float
) -> NDArray[np.int32]:
    """(z, y, x): 1, 2 … the parts of the object in `mask`, in the order of their first voxels; 0 around it.

    What lies beyond the edges of `mask` counts neither as the object nor as its surface.
    """
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(mask, sampling=voxel_size)
    highest: NDArray[np.bool_] = local_maxima(distance)  # type: ignore[no-untyped-call]
    peaks, count = ndimage.label(highest & mask, _ALL_NEIGHBOURS)
    if count < 2:
        return mask.astype(np.int32)
    basins: NDArray[np.int32] = watershed(  # type: ignore[no-untyped-call]
        -distance, peaks, connectivity=_ALL_NEIGHBOURS, mask=mask
    )
    joined = _joined(basins, distance, count, neck)
    labels = joined[basins]
    found, first = np.unique(labels, return_index=True)
    found, first = found[found > 0], first[found > 0]
    names = np.zeros(count + 1, np.int32)
    names[found[np.argsort(first)]] = np.arange(1, len(found) + 1)
    parts: NDArray[np.int32] = names[labels]
    return parts


def _joined(
    basins: NDArray[np.int32], distance: NDArray[np.float64], count: int, neck: float
) -> NDArray[np.int32]:
    """(count + 1,): the basin that stands for all that each is joined with."""
    height: list[float] = ndimage.maximum(distance, basins, np.arange(count + 1)).tolist()
    root = list(range(count + 1))

    def find(basin: int) -> int:
        while root[basin] != basin:
            root[basin] = root[root[basin]]
            basin = root[basin]
        return basin

    for a, b, saddle in _saddles(basins, distance):
        low, high = sorted((find(a), find(b)), key=lambda basin: (height[basin], -basin))
        if low != high and saddle >= neck * height[low]:
            root[low] = high
    return np.array([find(basin) for basin in range(count + 1)], np.int32)


def _saddles(basins: NDArray[np.int32], distance: NDArray[np.float64]) -> list[tuple[int, int, float]]:
    """(basin, basin, height) of the highest way from each to each that it touches, the highest first."""
    keys: list[NDArray[np.int64]] = []
    heights: list[NDArray[np.float64]] = []
    for axis in range(3):
        here, there = _shifted(basins, axis)
        touch = (here != there) & (here > 0) & (there > 0)
        a, b = here[touch].astype(np.int64), there[touch].astype(np.int64)
        keys.append((np.minimum(a, b) << 32) | np.maximum(a, b))
        low, high = _shifted(distance, axis)
        heights.append(np.minimum(low[touch], high[touch]))
    pairs, which = np.unique(np.concatenate(keys), return_inverse=True)
    saddles = np.zeros(len(pairs))
    np.maximum.at(saddles, which, np.concatenate(heights))
    order = np.lexsort((pairs, -saddles))
    return [(int(pairs[i] >> 32), int(pairs[i] & 0xFFFFFFFF), float(saddles[i])) for i in order]


def _shifted(array: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """An array without its last, and without its first plane along an axis."""
    turned = np.moveaxis(array, axis, 0)
    return turned[:-1], turned[1:]
