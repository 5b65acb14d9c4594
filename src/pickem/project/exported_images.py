"""OME-Zarr images that leave a project, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pickem.durable import whole_folder
from pickem.errors import VolumeExistsError
from pickem.geometry import Box
from pickem.volumes import OmeZarrImage
from pickem.volumes.ome_zarr import is_zarr_folder

Form = Literal["tiff", "ome-zarr"]
_HELD = 2**28  # voxels of sections that are held to be written at once


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
