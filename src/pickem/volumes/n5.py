"""N5, in a folder or at an address: one array, or the finest level of a multi-scale group.

x.n5/
  attributes.json               of the container; a group may have none
  volumes/raw/
    attributes.json             of a group: perhaps pixelResolution
    s0/attributes.json          of the finest level: dimensions (x, y, z), blockSize, dataType, …
    s0/0/0/0                    its blocks
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.volumes.chunk_storage import is_url, read_json
from pickem.volumes.chunked import ChunkedArray, ChunkedVolume
from pickem.volumes.units import nm_per, voxel_size_of
from pickem.volumes.volume import VoxelSize

N5_FILES = (
    "attributes.json",
    "s0/attributes.json",
)  # one of them lies in an N5 folder, unless it is a bare group
_FINEST = "s0"
_AXES = "xyzct"  # where the attributes name none
_COMPRESSIONS = ("raw", "gzip", "bzip2", "xz", "blosc", "zstd")  # those that tensorstore reads
_DEPTH = 5  # of groups in groups, where datasets are looked for
_MOST_LISTED = 20  # datasets, in an error message

Attributes = dict[str, Any]


def open_n5(location: str, voxel_size: VoxelSize | None = None) -> ChunkedVolume:
    """An N5 dataset, or the level s0 of a group of them, in a folder or at an address.

    Axes are those that the attributes name, else x, y, z. Reads attributes alone. Raises VolumeNotFoundError
    and VolumeFormatError.
    """
    array, levels = _find(location)
    attributes = levels[0]
    _check_compression(attributes, array)
    axes = _axes(attributes)
    sizes = (_voxel_size(found, axes) for found in levels)
    found = voxel_size or next((size for size in sizes if size), None)
    return ChunkedVolume(location, ChunkedArray(array, "n5", axes), found)


def _find(location: str) -> tuple[str, list[Attributes]]:
    """Where the array lies; its attributes, and behind them those of its group."""
    own = read_json(location, "attributes.json")
    if own is not None and "dimensions" in own:
        return location, [own]
    finest = f"{location.rstrip('/')}/{_FINEST}"
    attributes = read_json(finest, "attributes.json")
    if attributes is not None and "dimensions" in attributes:
        return finest, [attributes, own or {}]
    if own is None and is_url(location):
        raise VolumeNotFoundError(
            "There is no N5 dataset.",
            got=location,
            expected=f"one of {' and '.join(N5_FILES)}, with dimensions",
            todo="check the address, and the permission to read it; name the dataset: x.n5/volumes/raw",
        )
    datasets = [] if is_url(location) else list(islice(_datasets(Path(location)), _MOST_LISTED))
    raise VolumeFormatError(
        f"Which dataset of {location} is the volume?" if datasets else f"{location} is no N5 dataset.",
        got=", ".join(datasets) or "attributes without dimensions, and no level s0",
        expected="one dataset, or a group with the level s0",
        todo=f"name it: {location.rstrip('/')}/{datasets[0] if datasets else 'volumes/raw'}",
    )


def _datasets(folder: Path, depth: int = _DEPTH) -> Iterator[str]:
    """Paths in `folder` of what can be opened. Folders of blocks, which have numbers for names, are passed
    over."""
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or path.name.isdigit():
            continue
        if _has_dimensions(path / "attributes.json") or _has_dimensions(path / _FINEST / "attributes.json"):
            yield path.name
        elif depth > 1:
            yield from (f"{path.name}/{inner}" for inner in _datasets(path, depth - 1))


def _has_dimensions(path: Path) -> bool:
    return path.is_file() and '"dimensions"' in path.read_text("utf-8", errors="replace")


def _check_compression(attributes: Attributes, source: str) -> None:
    compression = attributes.get("compression")
    kind = compression.get("type") if isinstance(compression, dict) else None
    if isinstance(kind, str) and kind not in _COMPRESSIONS:
        raise VolumeFormatError(
            f"The blocks of {source} are compressed in a way that pickem does not read.",
            got=kind,
            expected=", ".join(_COMPRESSIONS),
            todo="write the image anew with gzip",
        )


def _axes(attributes: Attributes) -> str:
    named = attributes.get("axes")
    if isinstance(named, list) and named and all(isinstance(name, str) and len(name) == 1 for name in named):
        return "".join(named).lower()
    dimensions = attributes["dimensions"]
    return _AXES[: len(dimensions)] if isinstance(dimensions, list) else _AXES


def _voxel_size(attributes: Attributes, axes: str) -> VoxelSize | None:
    """From pixelResolution, as n5-viewer and Janelia write it, else from resolution and units."""
    lengths, units = attributes.get("resolution"), attributes.get("units")
    pixels = attributes.get("pixelResolution")
    if isinstance(pixels, dict):
        lengths, units = pixels.get("dimensions"), [pixels.get("unit")] * len(axes)
    if not isinstance(lengths, list) or not isinstance(units, list):
        return None
    if not len(lengths) == len(units) == len(axes) or not all(_is_number(length) for length in lengths):
        return None
    return voxel_size_of(
        {
            axis: float(length) * (nm_per(unit) or 0)
            for axis, length, unit in zip(axes, lengths, units, strict=True)
            if axis in "zyx"
        }
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
