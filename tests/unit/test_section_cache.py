"""A section is decoded once for all patches that follow one another in it, and never wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pickem.geometry import Box
from pickem.volumes import ArrayVolume, open_volume
from pickem.volumes.section_cache import SectionCache, read_by_section

VOXELS = np.random.default_rng(0).integers(0, 256, (5, 20, 30), dtype=np.uint8)


class Counting(ArrayVolume):
    """Counts its reads."""

    reads = 0

    def read(self, box: Box) -> NDArray[Any]:
        self.reads += 1
        return super().read(box)


def test_patches_of_one_section_cost_one_read() -> None:
    volume = Counting(VOXELS)
    cached = SectionCache(volume)
    for z in (1, 1, 1, 3, 3):
        cached.read(Box((z, 2, 3), (z + 1, 8, 9)))
    assert volume.reads == 2


def test_patches_of_sections_that_are_seen_together_cost_one_read_each() -> None:
    volume = Counting(VOXELS)
    cached = SectionCache(volume, kept=3)
    for z in (1, 1, 2, 2, 3, 3):
        cached.read(Box((z - 1, 2, 3), (z + 2, 8, 9)))
    assert volume.reads == 5


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 19), st.integers(0, 29)), max_size=6),
    st.integers(1, 4),
)
def test_whatever_is_read_is_what_the_volume_holds(corners: list[tuple[int, int, int]], kept: int) -> None:
    cached = SectionCache(ArrayVolume(VOXELS), kept)
    for corner in corners:
        box = Box(corner, VOXELS.shape)
        np.testing.assert_array_equal(cached.read(box), VOXELS[box.slices])


def test_only_formats_that_are_decoded_by_section_are_cached(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", VOXELS)
    np.save(tmp_path / "stack.npy", VOXELS)
    assert isinstance(read_by_section(open_volume(tmp_path / "stack.tif")), SectionCache)
    assert not isinstance(read_by_section(open_volume(tmp_path / "stack.npy")), SectionCache)
