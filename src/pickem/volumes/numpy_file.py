"""NumPy's .npy files, mapped into memory: a read touches the pages of its box alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError
from pickem.geometry import Box, Shape3
from pickem.volumes.volume import VoxelSize, check_box, check_type, grey_shape, missing

NUMPY_ENDINGS = (".npy",)


class NumpyVolume:
    """A .npy file as a volume. It is mapped anew for each read, so that a file cut short or removed since is
    an error and not a crash."""

    def __init__(self, path: Path, voxel_size: VoxelSize | None = None) -> None:
        self.source = str(path)
        self.voxel_size = voxel_size
        self._path = path
        array = _map(path)
        self._dtype: np.dtype[Any] = array.dtype.newbyteorder("=")
        check_type(self._dtype, self.source)
        self._shape = grey_shape(array.shape, self.source)

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels, in this machine's byte order."""
        return self._dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        array = _map(self._path)
        stack = array if array.ndim == 3 else array[None]
        return np.array(stack[box.slices], dtype=self._dtype)


def _map(path: Path) -> np.memmap[Any, Any]:
    """The file's array, never unpickled: a .npy file of Python objects is refused as damage is.

    Raises VolumeNotFoundError and VolumeFormatError.
    """
    try:
        return open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise missing(path) from error
    except (ValueError, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> VolumeFormatError:
    return VolumeFormatError(
        "The image cannot be read.",
        got=f"{path}: {why}",
        expected="a whole .npy file with one array of numbers",
        todo="copy or save the file again",
    )
