"""A volume on a grid of another pixel size, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.geometry import Box, whole
from pickem.volumes import ArrayVolume, Rescaled
from pickem.volumes.resampled import Grid, Resampled

SCALE = st.floats(0.3, 4)


def image(height: int, width: int) -> ArrayVolume:
    voxels = np.random.default_rng(0).integers(0, 255, (2, height, width), np.uint8)
    return ArrayVolume(voxels, (30, 4, 4))


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_whole_numbers_of_pixels_are_means(factor: int) -> None:
    volume = ArrayVolume(image(30, 24).read(Box((0, 0, 0), (2, 30, 24))).astype(np.float32))
    there, known = Resampled(volume, (factor, factor)), Rescaled(volume, factor)
    assert there.shape == known.shape
    np.testing.assert_allclose(there.read(whole(there.shape)), known.read(whole(known.shape)), rtol=1e-5)


def test_what_it_says_of_itself() -> None:
    there = Resampled(image(30, 24), (2.5, 2))
    assert there.shape == (2, 12, 12)
    assert there.voxel_size == (30, 10, 8)
    assert there.dtype == np.uint8


@settings(max_examples=60, deadline=None)
@given(height=st.integers(4, 40), width=st.integers(4, 40), y=SCALE, x=SCALE, data=st.data())
def test_a_part_is_what_the_whole_has_there(
    height: int, width: int, y: float, x: float, data: st.DataObject
) -> None:
    there = Resampled(image(height, width), (y, x))
    everything = there.read(whole(there.shape))
    _, rows, columns = there.shape
    y0 = data.draw(st.integers(0, rows - 1))
    x0 = data.draw(st.integers(0, columns - 1))
    box = Box((0, y0, x0), (2, data.draw(st.integers(y0 + 1, rows)), data.draw(st.integers(x0 + 1, columns))))
    np.testing.assert_array_equal(there.read(box), everything[box.slices])


@settings(max_examples=60, deadline=None)
@given(height=st.integers(4, 60), width=st.integers(4, 60), y=SCALE, x=SCALE)
def test_a_constant_image_stays_constant(height: int, width: int, y: float, x: float) -> None:
    flat = ArrayVolume(np.full((1, height, width), 77, np.uint8))
    there = Resampled(flat, (y, x))
    assert set(there.read(whole(there.shape)).ravel()) == {77}


@settings(max_examples=60, deadline=None)
@given(height=st.integers(4, 60), width=st.integers(4, 60), y=SCALE, x=SCALE, data=st.data())
def test_enlarging_a_part_is_a_part_of_enlarging_the_whole(
    height: int, width: int, y: float, x: float, data: st.DataObject
) -> None:
    grid = Grid((1, height, width), (y, x))
    classes = np.random.default_rng(1).integers(0, 9, grid.working, np.uint8)
    everything = grid.enlarge(classes, (0, 0, 0), whole(grid.shape))
    assert everything.shape == grid.shape
    y0 = data.draw(st.integers(0, height - 1))
    x0 = data.draw(st.integers(0, width - 1))
    box = Box((0, y0, x0), (1, data.draw(st.integers(y0 + 1, height)), data.draw(st.integers(x0 + 1, width))))
    under = grid.under(box)
    part = grid.enlarge(classes[under.slices], under.start, box)
    np.testing.assert_array_equal(part, everything[box.slices])


def test_what_was_made_coarser_by_two_comes_back_in_its_place() -> None:
    grid = Grid((1, 5, 4), (2, 2))
    enlarged = grid.enlarge(np.array([[[1, 2], [3, 4]]], np.uint8), (0, 0, 0), whole(grid.shape))
    assert enlarged[0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4], [3, 3, 4, 4]]
