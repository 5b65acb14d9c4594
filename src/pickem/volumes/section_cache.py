"""Remembering the section read last, for formats that can only be decoded a whole section at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import Box, Shape3
from pickem.volumes.sections import SectionFolder
from pickem.volumes.tiff import TiffVolume
from pickem.volumes.volume import Volume, VoxelSize, check_box


class SectionCache:
    """`volume`, with its last section kept decoded: patches of one section, one after another, cost one read.

    Safe to share between threads; two that read different sections take turns in filling the cache.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._last: tuple[int, NDArray[Any]] | None = None
        self.source = volume.source

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._volume.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        return self._volume.dtype

    @property
    def voxel_size(self) -> VoxelSize | None:
        """nm along (z, y, x), where it is known."""
        return self._volume.voxel_size

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        _, rows, columns = box.slices
        sections = [self._section(z)[rows, columns] for z in range(box.start[0], box.stop[0])]
        return np.stack(sections) if sections else np.empty(box.shape, self.dtype)

    def _section(self, z: int) -> NDArray[Any]:
        last = self._last
        if last is None or last[0] != z:
            _, height, width = self.shape
            last = (z, self._volume.read(Box((z, 0, 0), (z + 1, height, width)))[0])
            self._last = last
        return last[1]


def read_by_section(volume: Volume) -> Volume:
    """`volume` behind a SectionCache where its format is decoded by whole sections, else as it is."""
    return SectionCache(volume) if isinstance(volume, TiffVolume | SectionFolder) else volume
