"""The segmentation that objects are found in, as a plan remembers it."""

from __future__ import annotations

from pathlib import Path

from pickem.blockwise.object_settings import ObjectSettings
from pickem.blockwise.unfinished import Plan
from pickem.volumes import Volume
from pickem.volumes.chunk_storage import is_url
from pickem.volumes.hdf5 import split_location

# The file of a folder that is written when the image is made: of Zarr, of N5, of precomputed.
_HEADS = ("zarr.json", ".zattrs", ".zarray", "attributes.json", "s0/attributes.json", "info")


def plan_of(source: str, volume: Volume, settings: ObjectSettings, *, image: bool) -> Plan:
    """What is done to the volume at `source`, with a label image or without."""
    return Plan(
        source=source if is_url(source) else str(Path(source).absolute()),
        stamp=_stamp(source),
        shape=volume.shape,
        dtype=str(volume.dtype),
        voxel_size=volume.voxel_size,
        settings=settings,
        image=image,
    )


def location_of(source: str) -> Path:
    """The file or folder of a source; of an address, a path that is nowhere."""
    return split_location(Path(source))[0]


def _stamp(source: str) -> str:
    """Size and time of the file, or of the head of a folder; nothing for addresses."""
    if is_url(source):
        return ""
    path = location_of(source)
    heads = [path / name for name in _HEADS if (path / name).exists()]
    status = (heads[0] if heads else path).stat()
    return f"{status.st_size} {status.st_mtime_ns}"
