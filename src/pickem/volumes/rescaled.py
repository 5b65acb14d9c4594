"""A volume seen at a coarser pixel size: each pixel is the mean of a square of the original's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.errors import ConfigError
from pickem.geometry import Box, Shape3
from pickem.volumes.volume import Volume, VoxelSize, check_box


class Rescaled:
    """`volume` with squares of `factor` × `factor` pixels in a section averaged into one.

    Rows and columns at the far edge that do not fill a square are left out. Reading a box reads only the
    voxels under it.
    """

    def __init__(self, volume: Volume, factor: int) -> None:
        self.original = volume
        self.factor = factor
        self.source = volume.source

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x), of the coarser grid."""
        z, y, x = self.original.shape
        return z, y // self.factor, x // self.factor

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the original; means of whole numbers are rounded."""
        return self.original.dtype

    @property
    def voxel_size(self) -> VoxelSize | None:
        """nm along (z, y, x), of the coarser grid."""
        if self.original.voxel_size is None:
            return None
        z, y, x = self.original.voxel_size
        return z, y * self.factor, x * self.factor

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
        f = self.factor
        fine = self.original.read(Box((z0, y0 * f, x0 * f), (z1, y1 * f, x1 * f)))
        z, y, x = box.shape
        means = fine.reshape(z, y, f, x, f).mean(axis=(2, 4), dtype=np.float64)
        coarse: NDArray[Any] = (means if self.dtype.kind == "f" else np.rint(means)).astype(self.dtype)
        return coarse


def rescale_factor(voxel_size: VoxelSize | None, resolution: float) -> int:
    """How many pixels of a volume, along y and x, come nearest to one of `resolution` nm; at least 1.

    Raises ConfigError where the voxel size is not known, or the pixels of a section are not square.
    """
    if voxel_size is None:
        raise ConfigError(
            "A working resolution means nothing where the voxel size is not known.",
            got="no voxel size in the file",
            expected="nm along z,y,x",
            todo="give --voxel-size as well",
        )
    _, y, x = voxel_size
    if abs(y - x) > 0.05 * y:
        raise ConfigError(
            "A working resolution needs square pixels.",
            got=f"{y} × {x} nm",
            expected="the same along y and x",
        )
    return max(1, round(resolution / y))
