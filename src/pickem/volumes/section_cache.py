"""Remembering the sections read last, for formats that can only be decoded a whole section at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import Box, Shape3
from pickem.volumes.sections import SectionFolder
from pickem.volumes.tiff import TiffVolume
from pickem.volumes.volume import Volume, VoxelSize, check_box


class SectionCache:
    """`volume`, with its last `kept` sections decoded: patches of one section, one after another, cost one
    read, also where so many sections are read together.

    Safe to share between threads; two that read different sections take turns in filling the cache.
    """

    def __init__(self, volume: Volume, kept: int = 1) -> None:
        self._volume = volume
        self._kept = kept
        self._last: tuple[tuple[int, NDArray[Any]], ...] = ()  # the one used last at the end
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
        others = dict(self._last)
        section = others.pop(z, None)
        if section is None:
            _, height, width = self.shape
            section = self._volume.read(Box((z, 0, 0), (z + 1, height, width)))[0]
        self._last = (*others.items(), (z, section))[-self._kept :]
        return section


def read_by_section(volume: Volume, kept: int = 1) -> Volume:
    """`volume` behind a SectionCache where its format is decoded by whole sections, else as it is."""
    return SectionCache(volume, kept) if isinstance(volume, TiffVolume | SectionFolder) else volume
