"""Areas of surfaces from crossings: near what geometry says, for voxels of any shape."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from pickem.blockwise.measures import crossings
from pickem.blockwise.surface import area_per_crossing
from pickem.volumes import VoxelSize

ISOTROPIC, SECTIONS = (4.0, 4.0, 4.0), (20.0, 5.0, 5.0)


def area(mask: NDArray[np.bool_], voxel_size: VoxelSize) -> float:
    """Of the one object in a mask (z, y, x), nm²."""
    z, y, x = mask.shape
    found = crossings(mask.astype(np.uint32), (z, y, x))
    assert found.pairs.tolist() == [[0, 1]]
    return float(found.counts[0] @ area_per_crossing((z, y, x), voxel_size))


def ball(radius: float, voxel_size: VoxelSize) -> NDArray[np.bool_]:
    """A ball of this radius, nm, off the grid's centre."""
    half = [math.ceil(radius / size) + 2 for size in voxel_size]
    axes = [(np.arange(-n, n + 1) + 0.3) * size for n, size in zip(half, voxel_size, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return z**2 + y**2 + x**2 <= radius**2


@pytest.mark.parametrize(("radius", "voxel_size"), [(20, ISOTROPIC), (80, ISOTROPIC), (200, SECTIONS)])
def test_a_ball_has_the_surface_of_a_ball(radius: float, voxel_size: VoxelSize) -> None:
    assert area(ball(radius, voxel_size), voxel_size) == pytest.approx(4 * math.pi * radius**2, rel=0.02)


def test_a_cube_along_the_axes_comes_out_a_tenth_off_at_most() -> None:
    mask = np.zeros((44, 44, 44), np.bool_)
    mask[2:42, 2:42, 2:42] = True
    assert area(mask, ISOTROPIC) == pytest.approx(6 * 160**2, rel=0.1)


def test_a_disc_in_one_section_has_the_side_of_a_cylinder() -> None:
    disc = ball(100, ISOTROPIC)[27:28]
    radius = 4 * math.sqrt(disc.sum() / math.pi)
    assert area(disc, (30.0, 4.0, 4.0)) == pytest.approx(2 * math.pi * radius * 30, rel=0.02)


def test_where_the_volume_cuts_an_object_it_has_no_surface() -> None:
    half = ball(80, ISOTROPIC)[:22]  # through the middle
    assert area(half, ISOTROPIC) == pytest.approx(2 * math.pi * 80**2, rel=0.03)
