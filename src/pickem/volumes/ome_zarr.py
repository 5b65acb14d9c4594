"""OME-Zarr 0.4 and 0.5, and plain Zarr arrays of versions 2 and 3, in a folder or at an address.

x.ome.zarr/                         x.ome.zarr/
  .zattrs     multiscales (0.4)       zarr.json   multiscales (0.5)
  0/.zarray   the finest level        0/zarr.json
  0/0/0/0     its chunks              0/c/0/0/0
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, Shape3
from pickem.volumes.ome_metadata import Image, read_image
from pickem.volumes.volume import VoxelSize, check_box, check_type, grey_shape
from pickem.volumes.zarr_storage import AbsentChunks, Driver, explained, is_absent, open_array, read_json

_METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup")


def is_zarr_folder(folder: Path) -> bool:
    """Whether the folder is a Zarr group or array, by the files in it."""
    return any((folder / name).exists() for name in _METADATA)


class ZarrVolume:
    """The finest level of an OME-Zarr image, or a plain Zarr array, as a volume.

    `location` is a folder or an address. Axes c and t must have length 1. Opening reads metadata and no
    chunk; a chunk that was never written reads as the array's fill value.
    """

    def __init__(self, location: str, voxel_size: VoxelSize | None = None) -> None:
        self.source = location
        self._array, self._driver, image = _find(location)
        self._axes = image.axes if image else None
        self.voxel_size = voxel_size or (image.voxel_size if image else None)
        self._store = self._open(absent_chunks="error")
        self._dtype: np.dtype[Any] = np.dtype(self._store.dtype.numpy_dtype)
        check_type(self._dtype, location)

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
        with explained(self._array):
            try:
                return _voxels(self._store, box)
            except ValueError as error:
                if not is_absent(error):
                    raise
            # Never written, or gone with the whole array? Opening it anew tells.
            return _voxels(self._open(absent_chunks="fill value"), box)

    def _open(self, absent_chunks: AbsentChunks) -> ts.TensorStore:
        with explained(self._array):
            store = open_array(self._array, self._driver, absent_chunks)
        return _as_zyx(store, self._axes, self.source)


def _voxels(store: ts.TensorStore, box: Box) -> NDArray[Any]:
    voxels: NDArray[Any] = store[box.slices].read().result()
    return voxels


def _find(location: str) -> tuple[str, Driver, Image | None]:
    """Where the array lies, tensorstore's driver for it, and what OME's metadata say of it, if any do."""
    node = read_json(location, "zarr.json")
    if node is not None:
        if node.get("node_type") == "array":
            return location, "zarr3", None
        driver: Driver = "zarr3"
        attributes = _member(_member(node, "attributes"), "ome")
    else:
        if read_json(location, ".zarray") is not None:
            return location, "zarr", None
        found = read_json(location, ".zattrs")
        if found is None and read_json(location, ".zgroup") is None:
            raise VolumeNotFoundError(
                "There is no Zarr array or group.",
                got=location,
                expected=f"one of {', '.join(_METADATA)} in it",
                todo="check the path or the address, and the permission to read it",
            )
        driver, attributes = "zarr", found or {}
    image = read_image(attributes, location)
    return f"{location.rstrip('/')}/{image.path}", driver, image


def _member(node: dict[str, Any], name: str) -> dict[str, Any]:
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def _as_zyx(store: ts.TensorStore, axes: str | None, source: str) -> ts.TensorStore:
    """A view with axes (z, y, x) of an array with axes of these names, one letter each, in any order."""
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
            expected="axes (y, x) or (z, y, x); c and t of length 1",
            todo="write the one channel and time point that is meant to an image of its own",
        )
    spatial = [axis for axis in axes if axis in "zyx"]
    view = store[tuple(slice(None) if axis in "zyx" else 0 for axis in axes)]
    view = view.transpose([spatial.index(axis) for axis in "zyx" if axis in spatial])
    view = view if "z" in spatial else view[ts.newaxis]
    grey_shape(view.shape, source)
    return view
