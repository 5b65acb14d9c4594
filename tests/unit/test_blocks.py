"""Blocks cover a volume once, hold whole shards, and read what the network needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.blockwise.blocks import CHUNK, Layout, Reach, plan, reflected, window
from pickem.geometry import Shape3, whole
from pickem.learning import Regions
from pickem.predictor import ArrayTrainingSet, NetworkPredictor
from pickem.volumes.resampled import Grid
from tests.conftest import new_tiny_predictor
from tests.fixtures.prediction import layout

SCALES = st.sampled_from([1.0, 2.0, 3.0, 1.7, 0.6])
SIDES = st.integers(1, 130)


@settings(max_examples=100, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 9000), st.integers(1, 9000)),
    depth=st.integers(1, 5),
    most=st.integers(100_000, 5_000_000),
    scale=SCALES,
)
def test_a_plan_keeps_the_windows_small_and_the_shards_whole(
    shape: Shape3, depth: int, most: int, scale: float
) -> None:
    reach = Reach(stride=2**depth, halo=7 * 2**depth)
    grid = Grid(shape, (scale, scale))
    planned = plan(grid, reach, most)
    for shard, block, chunk in zip(planned.shard, planned.block, planned.chunk, strict=True):
        assert block % shard == 0
        assert shard % chunk == 0
    assert max(planned.shard[1:]) <= 2048
    blocks = list(planned.blocks(shape))
    assert sum(block.size for block in blocks) == np.prod(shape)
    smallest = all(side <= CHUNK[1] for side in planned.block[1:])
    for block in blocks[:50]:
        read = window(block, grid, reach).read.shape
        assert smallest or read[1] * read[2] <= 1.05 * most + 4 * 2048 * scale


@pytest.fixture(scope="module")
def predictor(demo_patches: ArrayTrainingSet) -> NetworkPredictor:
    return new_tiny_predictor(demo_patches)


@settings(max_examples=30, deadline=None)
@given(
    height=SIDES,
    width=SIDES,
    scale=SCALES,
    chunk=st.integers(1, 40),
    across=st.integers(1, 3),
    data=st.data(),
)
def test_a_window_is_all_that_a_block_depends_on(
    predictor: NetworkPredictor,
    demo_regions: Regions,
    height: int,
    width: int,
    scale: float,
    chunk: int,
    across: int,
    data: st.DataObject,
) -> None:
    """Probabilities of the whole plane, within 1e-4, from the window of any block alone."""
    grid = Grid((1, height, width), (scale, scale))
    _, rows, columns = grid.working
    plane = demo_regions.loaded[0].images[:1, 100 : 100 + rows, 50 : 50 + columns]
    expected = predictor.predict_proba(plane)[0]
    cut: Layout = layout((1, chunk, chunk), (1, 1, 1), (1, across, 1))
    block = data.draw(st.sampled_from(list(cut.blocks(grid.shape))))
    seen = window(block, grid, Reach(stride=predictor.network.stride, halo=predictor.network.halo))
    assert whole(grid.working).contains(seen.read), "without a context, nothing lies beyond the border"
    assert seen.read.contains(seen.under)
    _, y, x = seen.read.slices
    found = predictor.predict_proba(plane[:, y, x])[0]
    _, inner_y, inner_x = seen.under.relative_to(seen.read.start).slices
    _, y, x = seen.under.slices
    np.testing.assert_allclose(found[:, inner_y, inner_x], expected[:, y, x], atol=1e-4)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_what_lies_beyond_the_border_is_reflected(length: int) -> None:
    values = np.arange(length)
    np.testing.assert_array_equal(
        values[reflected(-9, length + 9, length)], np.pad(values, 9, mode="reflect")
    )
