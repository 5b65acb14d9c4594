"""A coarser pixel size: means of squares, wherever the box lies, reading only what lies under it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.errors import ConfigError, VolumeFormatError
from pickem.geometry import Box, whole
from pickem.volumes import ArrayVolume, Rescaled, rescale_factor


@given(factor=st.integers(1, 5), data=st.data())
def test_any_box_is_a_part_of_the_whole(factor: int, data: st.DataObject) -> None:
    voxels = np.random.default_rng(0).integers(0, 256, (3, 23, 31), dtype=np.uint8)
    coarse = Rescaled(ArrayVolume(voxels, (30.0, 4.0, 4.0)), factor)
    z, y, x = coarse.shape
    assert (z, y, x) == (3, 23 // factor, 31 // factor)
    assert coarse.voxel_size == (30.0, 4.0 * factor, 4.0 * factor)
    start = [data.draw(st.integers(0, n - 1)) for n in coarse.shape]
    stop = [data.draw(st.integers(a + 1, n)) for a, n in zip(start, coarse.shape, strict=True)]
    box = Box(tuple(start), tuple(stop))  # type: ignore[arg-type]
    everything = coarse.read(whole(coarse.shape))
    np.testing.assert_array_equal(coarse.read(box), everything[box.slices])
    first = voxels[0, :factor, :factor].mean()
    assert abs(float(everything[0, 0, 0]) - first) <= 0.5
    assert everything.dtype == voxels.dtype


def test_a_box_outside_is_refused() -> None:
    coarse = Rescaled(ArrayVolume(np.zeros((1, 9, 9), np.uint8)), 2)
    with pytest.raises(VolumeFormatError):
        coarse.read(Box((0, 0, 0), (1, 5, 4)))


@pytest.mark.parametrize(("resolution", "factor"), [(4, 1), (1, 1), (9, 2), (16, 4), (15, 4)])
def test_the_nearest_whole_factor_is_taken(resolution: float, factor: int) -> None:
    assert rescale_factor((30.0, 4.0, 4.0), resolution) == factor


@pytest.mark.parametrize("voxel_size", [None, (30.0, 4.0, 8.0)])
def test_without_square_pixels_of_known_size_a_resolution_means_nothing(
    voxel_size: tuple[float, float, float] | None,
) -> None:
    with pytest.raises(ConfigError):
        rescale_factor(voxel_size, 8.0)
