"""OME-Zarr 0.4 and 0.5, and plain Zarr arrays of versions 2 and 3, in a folder or at an address.

x.ome.zarr/                         x.ome.zarr/
  .zattrs     multiscales (0.4)       zarr.json   multiscales (0.5)
  0/.zarray   the finest level        0/zarr.json
  0/0/0/0     its chunks              0/c/0/0/0
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pickem.errors import VolumeNotFoundError
from pickem.volumes.chunk_storage import Driver, read_json
from pickem.volumes.chunked import ChunkedArray, ChunkedVolume
from pickem.volumes.ome_metadata import Image, read_image
from pickem.volumes.volume import VoxelSize

ZARR_FILES = ("zarr.json", ".zarray", ".zattrs", ".zgroup")  # one of them lies in a Zarr folder


def is_zarr_folder(folder: Path) -> bool:
    """Whether the folder is a Zarr group or array, by the files in it."""
    return any((folder / name).exists() for name in ZARR_FILES)


def open_zarr(location: str, voxel_size: VoxelSize | None = None) -> ChunkedVolume:
    """The finest level of an OME-Zarr image, or a plain Zarr array, in a folder or at an address.

    Reads metadata alone. Raises VolumeNotFoundError and VolumeFormatError.
    """
    array, image = _find(location)
    return ChunkedVolume(location, array, voxel_size or (image.voxel_size if image else None))


def _find(location: str) -> tuple[ChunkedArray, Image | None]:
    """The array, and what OME's metadata say of it, if any do."""
    node = read_json(location, "zarr.json")
    if node is not None:
        if node.get("node_type") == "array":
            return ChunkedArray(location, "zarr3", None), None
        driver: Driver = "zarr3"
        attributes = _member(_member(node, "attributes"), "ome")
    else:
        if read_json(location, ".zarray") is not None:
            return ChunkedArray(location, "zarr", None), None
        found = read_json(location, ".zattrs")
        if found is None and read_json(location, ".zgroup") is None:
            raise VolumeNotFoundError(
                "There is no Zarr array or group.",
                got=location,
                expected=f"one of {', '.join(ZARR_FILES)} in it",
                todo="check the path or the address, and the permission to read it",
            )
        driver, attributes = "zarr", found or {}
    image = read_image(attributes, location)
    return ChunkedArray(f"{location.rstrip('/')}/{image.path}", driver, image.axes), image


def _member(node: dict[str, Any], name: str) -> dict[str, Any]:
    value = node.get(name)
    return value if isinstance(value, dict) else {}
