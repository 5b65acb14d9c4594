"""neuroglancer's precomputed format, in a folder or at an address: the first scale, which is the finest.

image/
  info                                 data_type, num_channels, scales: key, size, voxel_offset, resolution …
  4_4_40/0-64_0-64_0-64                a chunk: x, y and z from … to, in columns (Fortran's order)
  4_4_40/0-64_0-64_0-64.gz             as CloudVolume names a compressed one in a folder
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.volumes.chunk_storage import is_url, read_json
from pickem.volumes.chunked import ChunkedArray, ChunkedVolume
from pickem.volumes.precomputed_gzip import GzippedChunks, packing
from pickem.volumes.units import voxel_size_of
from pickem.volumes.volume import Volume, VoxelSize

INFO = "info"
_ENCODINGS = ("raw", "jpeg", "png", "compressed_segmentation")  # those that tensorstore reads


def is_precomputed_folder(folder: Path) -> bool:
    """Whether there is a file `info` in the folder that begins as JSON does, and not as a note would."""
    try:
        with (folder / INFO).open("rb") as file:
            return file.read(100).lstrip().startswith(b"{")
    except OSError:
        return False


def open_precomputed(location: str, voxel_size: VoxelSize | None = None) -> Volume:
    """The first scale of a precomputed image or segmentation; its voxel_offset becomes (0, 0, 0).

    Reads `info`, and in a folder the beginning of one chunk, which tells whether chunks are compressed.
    Raises VolumeNotFoundError and VolumeFormatError.
    """
    info = _info(location)
    scale: dict[str, Any] = info["scales"][0]
    array = ChunkedArray(location, "neuroglancer_precomputed", "xyzc")
    volume = ChunkedVolume(location, array, voxel_size or _voxel_size(scale))
    if is_url(location) or scale.get("sharding"):
        return volume  # servers say which files are compressed, and shards hold several
    chunks = Path(location) / str(scale.get("key"))
    return GzippedChunks(volume, info, Path(location)) if packing(chunks) == "gzip" else volume


def _info(location: str) -> dict[str, Any]:
    """What `info` says; its first scale is an object, and not encoded in a way that nobody here reads."""
    info = read_json(location, INFO)
    if info is None:
        raise VolumeNotFoundError(
            "There is no precomputed image.",
            got=location,
            expected="a file named info in it",
            todo="check the path or the address, and the permission to read it",
        )
    scales = info.get("scales")
    if not isinstance(scales, list) or not scales or not isinstance(scales[0], dict):
        raise VolumeFormatError(
            f"The info of {location} is not that of an image.",
            got=str(info.get("@type", f"members {', '.join(info) or 'none'}")),
            expected="scales, at least one",
            todo="give the address of the image or segmentation itself, without meshes and skeletons",
        )
    encoding = scales[0].get("encoding")
    if isinstance(encoding, str) and encoding not in _ENCODINGS:
        raise VolumeFormatError(
            f"The chunks of {location} are encoded in a way that pickem does not read.",
            got=encoding,
            expected=", ".join(_ENCODINGS),
            todo="write the image anew as raw",
        )
    return info


def _voxel_size(scale: dict[str, Any]) -> VoxelSize | None:
    try:
        x, y, z = (float(length) for length in scale["resolution"])
    except (KeyError, TypeError, ValueError):
        return None  # tensorstore says what is wrong with it
    return voxel_size_of({"x": x, "y": y, "z": z})
