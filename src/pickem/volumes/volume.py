"""What a volume is: something with a shape, a type and a voxel size, from which boxes can be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, Shape3, whole

VoxelSize = tuple[float, float, float]  # nm, (z, y, x)
READABLE = "uint8, int8, uint16, int16, float32 or float64, or 1 bit"


class Volume(Protocol):
    """A 3-D grey image, axes (z, y, x), read lazily. A 2-D image has one z."""

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""

    @property
    def voxel_size(self) -> VoxelSize | None:
        """nm along (z, y, x), where it is known."""

    @property
    def source(self) -> str:
        """Where the volume comes from, for messages."""

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels of `box`, an array of the box's shape.

        Raises VolumeFormatError where the box leaves the volume, or where what is read there is damaged.
        """


class ArrayVolume:
    """An array (z, y, x), or (y, x) for one section, as a Volume."""

    def __init__(
        self, array: NDArray[Any], voxel_size: VoxelSize | None = None, source: str = "an array"
    ) -> None:
        if array.ndim not in (2, 3):
            raise VolumeFormatError(
                "An array with other than two or three axes is no volume.",
                got=f"shape {array.shape}",
                expected="(y, x) or (z, y, x)",
            )
        check_type(array.dtype, source)
        self._array = array if array.ndim == 3 else array[None]
        self.voxel_size = voxel_size
        self.source = source

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        z, y, x = self._array.shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        return self._array.dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        return self._array[box.slices]


def missing(path: Path) -> VolumeNotFoundError:
    """The error for a file that is not there, or no more."""
    return VolumeNotFoundError("There is no such image.", got=path, todo="check the path")


def check_box(box: Box, volume: Volume) -> None:
    """Raise VolumeFormatError where `box` is not inside `volume`."""
    check_inside(box, volume.shape, volume.source)


def check_inside(box: Box, shape: Shape3, source: str) -> None:
    """Raise VolumeFormatError where `box` is not inside what `source` has, voxels of this shape."""
    if box.size and not whole(shape).contains(box):
        raise VolumeFormatError(
            f"A part of {source} was asked for that it does not have.",
            got=f"voxels from {box.start} to {box.stop}",
            expected=f"voxels from (0, 0, 0) to {shape}",
        )


def check_type(dtype: np.dtype[Any], source: str) -> None:
    """Raise VolumeFormatError for voxel types that are not grey values."""
    if dtype.kind not in "bf" and dtype not in (np.uint8, np.int8, np.uint16, np.int16):
        raise VolumeFormatError(
            f"The voxels of {source} are of a type that pickem does not read.",
            got=str(dtype),
            expected=READABLE,
        )


def grey_shape(shape: Sequence[int], source: str) -> Shape3:
    """The (z, y, x) of an array that says nothing of its axes: (z, y, x), or (y, x) for one section.

    Raises VolumeFormatError for other numbers of axes, for none of a thing, and for what must be colours: a
    last axis of 3 or 4 behind two longer ones.
    """
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > 4):
        raise VolumeFormatError(
            f"{source} is not a grey image or a stack of them.",
            got=f"shape {tuple(shape)}",
            expected="axes (y, x) or (z, y, x)",
            todo="convert it to grey values, one channel and one time point",
        )
    if 0 in shape:
        raise VolumeFormatError(
            f"{source} is empty.", got=f"shape {tuple(shape)}", expected="at least one voxel along each axis"
        )
    z, y, x = (1, *shape) if len(shape) == 2 else shape
    return z, y, x
