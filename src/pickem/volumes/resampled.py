"""Two grids over the same sections, a volume's own and a network's working grid, at any ratio of pixel sizes.

    own      |  0  |  1  |  2  |  3  |  4  |  5  |  6  |       7 pixels
    working  |    0    |    1    |    2    |    3    |         4 pixels of 5/3 of the own ones

A working pixel is the mean of what it covers; where it is finer than the own pixels, it is interpolated
between them. An own pixel's class is that of the working pixel in which its middle lies, the last one at the
far edge. Neither depends on the box that is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pickem.geometry import Box, Shape3
from pickem.volumes.volume import Volume, VoxelSize, check_box

Scale = tuple[float, float]  # own pixels along (y, x) that one working pixel spans


@dataclass(frozen=True)
class Grid:
    """Both grids of a volume: `shape` is that of its own, `scale` their ratio."""

    shape: Shape3
    scale: Scale

    @property
    def working(self) -> Shape3:
        """Voxels along (z, y, x) of the working grid, at least one."""
        z, y, x = self.shape
        return z, max(1, math.floor(y / self.scale[0])), max(1, math.floor(x / self.scale[1]))

    def under(self, box: Box) -> Box:
        """The box of the working grid that decides about `box`, which is not empty, of the own grid."""
        (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
        rows, columns = self._places(1, y0, y1), self._places(2, x0, x1)
        return Box((z0, int(rows[0]), int(columns[0])), (z1, int(rows[-1]) + 1, int(columns[-1]) + 1))

    def enlarge(self, voxels: NDArray[Any], origin: Shape3, box: Box) -> NDArray[Any]:
        """The values of `box` of the own grid, from those of the working grid, which begin at `origin`."""
        z0, z1 = box.start[0] - origin[0], box.stop[0] - origin[0]
        rows = self._places(1, box.start[1], box.stop[1]) - origin[1]
        columns = self._places(2, box.start[2], box.stop[2]) - origin[2]
        enlarged: NDArray[Any] = voxels[z0:z1, rows[:, None], columns[None, :]]
        return enlarged

    def _places(self, axis: int, start: int, stop: int) -> NDArray[np.intp]:
        middles = (np.arange(start, stop) + 0.5) / self.scale[axis - 1]
        places: NDArray[np.intp] = np.minimum(np.floor(middles).astype(np.intp), self.working[axis] - 1)
        return places


class Resampled:
    """`volume` on its working grid."""

    def __init__(self, volume: Volume, scale: Scale) -> None:
        self.original = volume
        self.grid = Grid(volume.shape, scale)
        self.source = volume.source

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x), of the working grid."""
        return self.grid.working

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the original; whole numbers are rounded."""
        return self.original.dtype

    @property
    def voxel_size(self) -> VoxelSize | None:
        """nm along (z, y, x), of the working grid."""
        if self.original.voxel_size is None:
            return None
        z, y, x = self.original.voxel_size
        return z, y * self.grid.scale[0], x * self.grid.scale[1]

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        if not box.size or self.grid.scale == (1, 1):
            return self.original.read(box)
        (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
        _, height, width = self.original.shape
        top, rows = _weights(y0, y1, height, self.grid.scale[0])
        left, columns = _weights(x0, x1, width, self.grid.scale[1])
        voxels = np.empty(box.shape, self.dtype)
        for z in range(z0, z1):  # one by one, which bounds the memory
            own = Box((z, top, left), (z + 1, top + rows.shape[1], left + columns.shape[1]))
            section = (columns @ (rows @ self.original.read(own)[0].astype(np.float64)).T).T
            voxels[z - z0] = section if self.dtype.kind == "f" else np.rint(section)
        return voxels


def _weights(start: int, stop: int, length: int, scale: float) -> tuple[int, sparse.csr_array]:
    """How working pixels from `start` to `stop` are made along an axis of `length` own pixels.

    The first own pixel that takes part, and a matrix (working pixels, own pixels from there on).
    """
    first = np.arange(start, stop)
    if scale >= 1:
        edges = np.minimum(np.arange(start, stop + 1) * scale, length)
        begin, end = edges[:-1], edges[1:]
        reach = math.ceil(scale) + 1
        own = np.floor(begin).astype(int)[:, None] + np.arange(reach)
        share = np.minimum(own + 1, end[:, None]) - np.maximum(own, begin[:, None])
        share = np.maximum(share, 0) / (end - begin)[:, None]
    else:
        middle = np.clip((first + 0.5) * scale - 0.5, 0, length - 1)
        own = np.floor(middle).astype(int)[:, None] + np.arange(2)
        share = np.stack([1 - middle % 1, middle % 1], axis=1)
    taken = (share > 0) & (own < length)
    origin, beyond = int(own[taken].min()), int(own[taken].max()) + 1
    working = np.broadcast_to(np.arange(stop - start)[:, None], own.shape)
    places = (working[taken], own[taken] - origin)
    return origin, sparse.csr_array((share[taken], places), shape=(stop - start, beyond - origin))
