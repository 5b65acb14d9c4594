"""Images that leave a project, whole or not at all: a TIFF stack, or an OME-Zarr image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from pickem.durable import storage_error, whole_folder
from pickem.errors import PickemError, VolumeExistsError
from pickem.geometry import Box
from pickem.project.painting import original
from pickem.volumes import OmeZarrImage, Volume, VoxelSize
from pickem.volumes.ome_zarr import is_zarr_folder

Form = Literal["tiff", "ome-zarr"]
NM_PER_UM, NM_PER_CM = 1e3, 1e7
_HELD = 2**28  # voxels of sections that are held to be written at once


def write_stack(path: Path, sections: Iterator[NDArray[np.uint8]], volume: Volume) -> Path:
    """Write sections on a volume's own grid one by one, as a compressed TIFF stack; returns its path.

    The voxel size stands in its OME-XML, and that of a pixel in the resolution tags.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with tifffile.TiffWriter(partial, bigtiff=True, ome=True) as file:
                file.write(
                    sections,
                    shape=original(volume).shape,
                    dtype=np.uint8,
                    photometric="minisblack",
                    compression="zlib",
                    **_size_of(original(volume).voxel_size, path.stem),
                )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except PickemError:  # a volume that cannot be read
        raise
    except OSError as error:
        raise storage_error(path, error) from error
    return path


def _size_of(voxel_size: VoxelSize | None, name: str) -> dict[str, Any]:
    """What tifffile is told of the voxels' size, where it is known."""
    metadata: dict[str, Any] = {"axes": "ZYX", "Name": name}
    if voxel_size is None:
        return {"metadata": metadata}
    for axis, nm in zip("ZYX", voxel_size, strict=True):
        metadata |= {f"PhysicalSize{axis}": nm / NM_PER_UM, f"PhysicalSize{axis}Unit": "µm"}
    _, y, x = voxel_size
    return {
        "metadata": metadata,
        "resolution": (NM_PER_CM / x, NM_PER_CM / y),
        "resolutionunit": "CENTIMETER",
    }


@contextmanager
def replaced_image(path: Path) -> Iterator[Path]:
    """Where to make an OME-Zarr image that stands at `path` when the block ends, in place of an earlier one.

    Raises VolumeExistsError where something else lies there, and StorageError.
    """
    if path.exists() and not is_zarr_folder(path):
        raise VolumeExistsError(
            "Something else lies where the image should.",
            got=path,
            expected="nothing, or an OME-Zarr image to replace",
            todo="move it away, or export to another folder",
        )
    with whole_folder(path) as building:
        yield building


def write_sections(image: OmeZarrImage, sections: Iterator[NDArray[np.uint8]]) -> None:
    """Write all sections of an image, a few at a time so that files are rarely written twice; then its
    pyramid."""
    depth, height, width = image.shape
    together = max(1, min(next(image.shards()).shape[0], _HELD // (height * width)))
    for z in range(0, depth, together):
        slab = np.stack(list(islice(sections, together)))
        image.write(Box((z, 0, 0), (z + len(slab), height, width)), slab)
    image.build_pyramid()
