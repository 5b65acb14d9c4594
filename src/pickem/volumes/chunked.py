"""An array in chunks that tensorstore reads, Zarr, N5 or precomputed, as a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError
from pickem.geometry import Box, Shape3
from pickem.volumes.chunk_storage import AbsentChunks, Driver, explained, is_absent, open_array
from pickem.volumes.volume import VoxelSize, check_box, check_type, grey_shape


@dataclass(frozen=True)
class ChunkedArray:
    """Where an array lies, and how it is to be understood."""

    location: str  # a folder or an address
    driver: Driver
    axes: str | None  # a letter each, in the array's order; None: as it names them, else (z, y, x)


class ChunkedVolume:
    """An array in chunks as a volume. Axes c and t must have length 1.

    Opening reads metadata and no chunk; a chunk that was never written reads as the array's fill value, which
    is 0 where a format has none. What the array's own coordinates begin with becomes voxel (0, 0, 0).

    Raises VolumeNotFoundError and VolumeFormatError.
    """

    def __init__(self, source: str, array: ChunkedArray, voxel_size: VoxelSize | None) -> None:
        self.source = source
        self.voxel_size = voxel_size
        self._array = array
        self._store = self._open(absent_chunks="error")
        self._dtype: np.dtype[Any] = np.dtype(self._store.dtype.numpy_dtype)
        check_type(self._dtype, source)

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        z, y, x = self._store.shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels, in this machine's byte order."""
        return self._dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume. Fetches the chunks that the box touches, several at a time."""
        check_box(box, self)
        if not box.size:
            return np.empty(box.shape, dtype=self._dtype)
        with explained(self._array.location):
            try:
                return _voxels(self._store, box)
            except ValueError as error:
                if not is_absent(error):
                    raise
            # Never written, or gone with the whole array? Opening it anew tells.
            return _voxels(self._open(absent_chunks="fill value"), box)

    def _open(self, absent_chunks: AbsentChunks) -> ts.TensorStore:
        with explained(self._array.location):
            store = open_array(self._array.location, self._array.driver, absent_chunks)
        return as_zyx(store, self._array.axes, self.source)


def as_zyx(store: ts.TensorStore, axes: str | None, source: str) -> ts.TensorStore:
    """A view with axes (z, y, x), beginning with 0, of an array with axes of these names, one letter each, in
    any order."""
    labels = "".join(store.domain.labels)
    if axes is None and len(labels) == store.ndim and set(labels) <= set("tczyx"):
        axes = labels
    if axes is None:
        grey_shape(store.shape, source)
        return store if store.ndim == 3 else store[ts.newaxis]
    sizes = dict(zip(axes, store.shape, strict=False))
    wrong_axes = len(sizes) != store.ndim or not {"y", "x"} <= set(axes) <= set("tczyx")
    if wrong_axes or sizes.get("t", 1) != 1 or sizes.get("c", 1) != 1:
        raise VolumeFormatError(
            f"{source} is not a grey image or a stack of them.",
            got=f"axes ({', '.join(axes)}), shape {tuple(store.shape)}",
            expected="axes (y, x) or (z, y, x), in any order; c and t of length 1",
            todo="write the one channel and time point that is meant to an image of its own",
        )
    spatial = [axis for axis in axes if axis in "zyx"]
    view = store[ts.d[:].translate_to[0]]
    view = view[tuple(slice(None) if axis in "zyx" else 0 for axis in axes)]
    view = view.transpose([spatial.index(axis) for axis in "zyx" if axis in spatial])
    view = view if "z" in spatial else view[ts.newaxis]
    grey_shape(view.shape, source)
    return view


def _voxels(store: ts.TensorStore, box: Box) -> NDArray[Any]:
    voxels: NDArray[Any] = store[box.slices].read().result()
    return voxels
