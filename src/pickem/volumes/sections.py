"""A folder with a file for each section: TIFF or PNG, in the natural order of their names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, Shape3
from pickem.volumes.png import read_png, read_png_header
from pickem.volumes.tiff import TIFF_ENDINGS, open_tiff
from pickem.volumes.volume import VoxelSize, check_box

PNG_ENDINGS = (".png",)


class SectionFolder:
    """Sections of one size and type, one file each. Opening reads the header of the first alone.

    Raises VolumeFormatError where TIFF and PNG files are mixed, and VolumeNotFoundError where there are none.
    """

    def __init__(self, folder: Path, voxel_size: VoxelSize | None) -> None:
        self.source = str(folder)
        self.voxel_size = voxel_size
        self.paths = _section_paths(folder)
        height, width, self._dtype = _header(self.paths[0])
        self._shape = (len(self.paths), height, width)

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        return self._dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume. Reads the files of the box's sections alone."""
        check_box(box, self)
        voxels = np.empty(box.shape, dtype=self._dtype)
        _, rows, columns = box.slices
        for index, z in enumerate(range(box.start[0], box.stop[0])):
            voxels[index] = self._section(self.paths[z])[rows, columns]
        return voxels

    def _section(self, path: Path) -> NDArray[Any]:
        section = _read(path)
        if section.shape != self._shape[1:] or section.dtype != self._dtype:
            raise VolumeFormatError(
                f"The sections in {self.source} are not all alike.",
                got=f"{path.name}: {section.shape[0]} × {section.shape[1]} {section.dtype}",
                expected=f"{self._shape[1]} × {self._shape[2]} {self._dtype}, as {self.paths[0].name}",
                todo="look at this file; leave only the sections of one volume in the folder",
            )
        return section


def _section_paths(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    by_kind = [
        [path for path in files if path.suffix.lower() in endings] for endings in (TIFF_ENDINGS, PNG_ENDINGS)
    ]
    if all(by_kind):
        raise VolumeFormatError(
            f"The folder {folder} holds both TIFF and PNG files.",
            got=f"{len(by_kind[0])} TIFF and {len(by_kind[1])} PNG files",
            expected="the sections of one volume, in one format",
        )
    paths = by_kind[0] or by_kind[1]
    if not paths:
        raise VolumeNotFoundError(
            f"The folder {folder} holds no section.",
            got=f"{len(files)} other files",
            expected=f"files ending in {', '.join((*TIFF_ENDINGS, *PNG_ENDINGS))}",
            todo="give the folder with the sections in it, or a Zarr folder",
        )
    return sorted(paths, key=natural_order)


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key by which section 10 comes after section 9."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _header(path: Path) -> tuple[int, int, np.dtype[Any]]:
    if path.suffix.lower() in PNG_ENDINGS:
        return read_png_header(path)
    volume = open_tiff(path, None)
    return *volume.shape[1:], volume.dtype


def _read(path: Path) -> NDArray[Any]:
    if path.suffix.lower() in PNG_ENDINGS:
        return read_png(path)
    volume = open_tiff(path, None)
    if volume.shape[0] != 1:
        raise VolumeFormatError(
            "A file in a folder of sections holds more than one section.",
            got=f"{path}: {volume.shape[0]} sections",
            expected="one section a file; a stack is opened by its own path",
        )
    section: NDArray[Any] = volume.read(Box((0, 0, 0), volume.shape))[0]
    return section
