"""The levels of a pyramid: their shapes, and which voxels lie above which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.geometry import Box, whole
from pickem.volumes.pyramid import Level, coarse_box, fine_box, plan_levels

STEPS = st.tuples(*[st.sampled_from([1, 2])] * 3)
SHAPES = st.tuples(*[st.integers(1, 9)] * 3)


@pytest.mark.parametrize(
    ("shape", "voxel_size", "factors"),
    [
        ((100, 200, 256), (40.0, 4.0, 4.0), [(1, 1, 1)]),
        ((100, 1000, 1000), (5.0, 5.0, 5.0), [(1, 1, 1), (2, 2, 2), (4, 4, 4)]),
        ((100, 1000, 1000), None, [(1, 1, 1), (2, 2, 2), (4, 4, 4)]),
        ((100, 2100, 100), (45.0, 4.6, 4.6), [(1, 1, 1), (1, 2, 2), (1, 4, 4), (1, 8, 8), (2, 16, 16)]),
        ((1, 1000, 1000), (4.0, 4.0, 4.0), [(1, 1, 1), (1, 2, 2), (1, 4, 4)]),
        ((500, 300, 300), (4.0, 8.0, 8.0), [(1, 1, 1), (2, 1, 1), (4, 2, 2)]),
    ],
    ids=["small", "cubes", "unknown", "flat", "one section", "thin sections"],
)
def test_voxels_become_cubes_and_sections_small(
    shape: tuple[int, int, int], voxel_size: tuple[float, float, float] | None, factors: list[object]
) -> None:
    assert [level.factor for level in plan_levels(shape, voxel_size, None)] == factors


def test_as_many_levels_as_are_asked_for_and_there_can_be() -> None:
    assert len(plan_levels((4, 4, 4), None, 2)) == 2
    assert [level.shape for level in plan_levels((5, 3, 1), None, 9)] == [
        *((5, 3, 1), (3, 2, 1), (2, 1, 1), (1, 1, 1))
    ]


@given(shape=SHAPES, step=STEPS, data=st.data())
def test_boxes_of_two_levels_cover_each_other(
    shape: tuple[int, int, int], step: tuple[int, int, int], data: st.DataObject
) -> None:
    start = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    stop = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True))
    box = Box(start, stop)  # type: ignore[arg-type]
    coarse = Level(shape, (1, 1, 1)).coarsened(step)
    above = {
        tuple(int(i) // s for i, s in zip(voxel, step, strict=True))
        for voxel in np.argwhere(np.ones(box.shape)) + start
    }
    found = coarse_box(box, step)
    assert whole(coarse.shape).contains(found)
    assert above == {tuple(voxel) for voxel in (np.argwhere(np.ones(found.shape)) + found.start).tolist()}
    assert fine_box(found, step, shape).contains(box)
    assert coarse_box(fine_box(found, step, shape), step) == found
