"""Writing a stack of sections as a TIFF file, section by section, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from pickem.durable import storage_error
from pickem.errors import PickemError
from pickem.geometry import Shape3
from pickem.volumes.volume import VoxelSize

NM_PER_UM, NM_PER_CM = 1e3, 1e7


def write_stack(
    path: Path, sections: Iterator[NDArray[Any]], shape: Shape3, voxel_size: VoxelSize | None
) -> Path:
    """Write uint8 sections (h, w) one by one, as a compressed stack of this `shape`; returns its path.

    The voxel size (nm) stands in its OME-XML, and that of a pixel in the resolution tags. Raises
    StorageError, and whatever `sections` raises; `path` is then as it was before.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with tifffile.TiffWriter(partial, bigtiff=True, ome=True) as file:
                file.write(
                    sections,
                    shape=shape,
                    dtype=np.uint8,
                    photometric="minisblack",
                    compression="zlib",
                    **_size_of(voxel_size, path.stem),
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
