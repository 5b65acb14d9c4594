"""Objects cut at their necks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pickem.blockwise.splitting import parts_of

SIZE = (20.0, 5.0, 5.0)


def two_balls(gap: int, *, voxel_size: tuple[float, float, float] = SIZE) -> NDArray[np.bool_]:
    """Balls with a radius of 60 nm, their centres `gap` nm apart along x."""
    shape = tuple(int((200 + (gap if axis == 2 else 0)) // size) for axis, size in enumerate(voxel_size))
    z, y, x = (np.arange(n) * size - 100 for n, size in zip(shape, voxel_size, strict=True))
    around = z[:, None, None] ** 2 + y[None, :, None] ** 2
    return (around + x**2 <= 3600) | (around + (x - gap) ** 2 <= 3600)


@pytest.mark.parametrize(("neck", "parts"), [(0.3, 1), (0.9, 2)])
def test_a_neck_is_cut_where_it_is_thin_enough(neck: float, parts: int) -> None:
    mask = two_balls(80)  # the neck's radius is √(60² − 40²) = 45 nm: 0.75 of the balls'
    found = parts_of(mask, SIZE, neck)
    assert found.max() == parts
    assert np.array_equal(found > 0, mask)
    if parts == 2:
        assert np.abs(np.bincount(found.ravel())[1:] / mask.sum() - 0.5).max() < 0.05
        assert found.ravel()[mask.ravel()][0] == 1  # numbered by their first voxels


def test_sections_are_as_thick_as_they_are() -> None:
    mask = two_balls(110)
    assert parts_of(mask, SIZE, 0.7).max() == 2
    assert parts_of(np.moveaxis(mask, 0, 2), (5.0, 5.0, 20.0), 0.7).max() == 2


def test_a_long_object_with_a_rough_surface_stays_one() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((24, 24, 200), np.bool_)
    mask[6:18, 6:18, 2:-2] = True
    mask[5:19, 5:19, 2:-2] |= rng.random((14, 14, 196)) < 0.4
    from scipy import ndimage

    mask = ndimage.label(mask)[0] == 1
    assert parts_of(mask, None, 0.6).max() == 1
