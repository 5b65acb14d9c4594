"""Boxes, tilings and patches: properties that hold for every region, checked voxel by voxel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.geometry import Box, PatchId, PatchList, Shape3, blocks, random_patches, tile_patches, whole

VOLUME = whole((6, 9, 11))

coordinates = st.integers(-4, 14)
corners = st.tuples(coordinates, coordinates, coordinates)
boxes = st.builds(Box, corners, corners)
halos = st.tuples(*[st.integers(0, 4)] * 3)
write_shapes = st.tuples(*[st.integers(1, 7)] * 3)


@st.composite
def regions(draw: st.DrawFn) -> Box:
    """Boxes with at least one voxel, inside VOLUME."""
    starts = tuple(draw(st.integers(0, n - 1)) for n in VOLUME.shape)
    stops = tuple(draw(st.integers(a + 1, n)) for a, n in zip(starts, VOLUME.shape, strict=True))
    return Box(_shape3(starts), _shape3(stops))


def _shape3(values: tuple[int, ...]) -> Shape3:
    z, y, x = values
    return z, y, x


def voxels(box: Box) -> set[Shape3]:
    """Every voxel of a box, written out."""
    ranges = [range(a, b) for a, b in zip(box.start, box.stop, strict=True)]
    return {(z, y, x) for z in ranges[0] for y in ranges[1] for x in ranges[2]}


class TestBox:
    @given(boxes)
    def test_size_counts_the_voxels(self, box: Box) -> None:
        assert box.size == len(voxels(box)) == math.prod(box.shape)

    @given(regions())
    def test_slices_index_exactly_its_voxels(self, box: Box) -> None:
        marked = np.zeros(VOLUME.shape, dtype=bool)
        marked[box.slices] = True
        assert {tuple(v) for v in np.argwhere(marked).tolist()} == voxels(box)

    @given(boxes, boxes)
    def test_intersection_holds_the_shared_voxels(self, a: Box, b: Box) -> None:
        assert voxels(a.intersection(b)) == voxels(a) & voxels(b)
        assert a.intersection(b) == b.intersection(a)

    @given(regions(), regions())
    def test_the_hull_is_the_smallest_box_around_both(self, a: Box, b: Box) -> None:
        both = np.array(sorted(voxels(a) | voxels(b)))
        start, stop = both.min(axis=0).tolist(), (both.max(axis=0) + 1).tolist()
        assert a.hull(b) == Box(_shape3(tuple(start)), _shape3(tuple(stop)))

    @given(boxes, boxes | regions())
    def test_contains_means_no_voxel_lies_outside(self, a: Box, b: Box) -> None:
        assert a.contains(b) == (voxels(b) <= voxels(a))

    @given(regions(), halos)
    def test_grow_adds_the_halo_and_stays_within(self, box: Box, halo: Shape3) -> None:
        grown = box.grow(halo, VOLUME)
        near = {
            v
            for v in voxels(VOLUME)
            if all(a - h <= c < b + h for a, c, b, h in zip(box.start, v, box.stop, halo, strict=True))
        }
        assert voxels(grown) == near

    @given(boxes, corners)
    def test_relative_to_moves_without_resizing(self, box: Box, origin: Shape3) -> None:
        moved = box.relative_to(origin)
        assert moved.shape == box.shape
        assert moved.relative_to(_shape3(tuple(-o for o in origin))) == box


class TestBlocks:
    @given(regions(), write_shapes, halos)
    def test_write_boxes_tile_the_region_without_overlap(
        self, region: Box, write_shape: Shape3, halo: Shape3
    ) -> None:
        count = np.zeros(VOLUME.shape, dtype=int)
        for block in blocks(region, write_shape, halo, VOLUME):
            count[block.write.slices] += 1
            assert all(n <= most for n, most in zip(block.write.shape, write_shape, strict=True))
        expected = np.zeros_like(count)
        expected[region.slices] = 1
        assert np.array_equal(count, expected)

    @given(regions(), write_shapes, halos)
    def test_read_boxes_are_write_boxes_with_their_surroundings(
        self, region: Box, write_shape: Shape3, halo: Shape3
    ) -> None:
        for block in blocks(region, write_shape, halo, VOLUME):
            assert block.read.contains(block.write)
            assert VOLUME.contains(block.read)
            assert block.read == block.write.grow(halo, VOLUME)

    def test_an_empty_region_has_no_blocks(self) -> None:
        empty = Box((2, 2, 2), (5, 2, 5))
        assert list(blocks(empty, (1, 1, 1), (0, 0, 0), VOLUME)) == []

    def test_order_is_z_then_y_then_x(self) -> None:
        starts = [b.write.start for b in blocks(whole((2, 4, 4)), (1, 2, 2), (0, 0, 0), whole((2, 4, 4)))]
        assert starts[:3] == [(0, 0, 0), (0, 0, 2), (0, 2, 0)]
        assert starts == sorted(starts)


class TestTilePatches:
    @given(regions(), st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
    def test_patches_lie_in_the_region_and_cover_it(
        self, region: Box, height: int, width: int, stride: int
    ) -> None:
        patches = tile_patches("v", region, height, width, stride)
        assert len(set(patches)) == len(patches)
        assert all(region.contains(patch.box) for patch in patches)
        fits = region.shape[1] >= height and region.shape[2] >= width
        assert bool(patches) == fits
        if fits and stride <= min(height, width):
            assert set().union(*(voxels(patch.box) for patch in patches)) == voxels(region)

    def test_the_last_row_and_column_move_inwards(self) -> None:
        patches = tile_patches("v", whole((1, 5, 7)), 4, 4, 4)
        assert [(p.y, p.x) for p in patches] == [(0, 0), (0, 3), (1, 0), (1, 3)]


class TestRandomPatches:
    @given(
        regions(),
        st.integers(0, 40),
        st.integers(1, 5),
        st.integers(1, 5),
        st.integers(0, 2**32),
        st.booleans(),
    )
    def test_patches_are_distinct_and_lie_in_their_regions(
        self, region: Box, count: int, height: int, width: int, seed: int, twice: bool
    ) -> None:
        places = [("a", region), ("b", region)] if twice else [("a", region)]
        patches = random_patches(places, count, height, width, np.random.default_rng(seed))
        positions = len(tile_patches("v", region, height, width, 1)) * len(places)
        assert len(patches) == len(set(patches)) == min(count, positions)
        assert all(region.contains(patch.box) for patch in patches)
        assert all((patch.height, patch.width) == (height, width) for patch in patches)
        assert {patch.volume for patch in patches} <= {name for name, _ in places}

    @given(st.integers(0, 2**32), st.integers(1, 200))
    def test_the_same_seed_draws_the_same(self, seed: int, count: int) -> None:
        first, second = (
            random_patches([("v", VOLUME)], count, 3, 3, np.random.default_rng(seed)) for _ in range(2)
        )
        assert first == second

    @pytest.mark.parametrize("count", [3, 12])  # few of the positions, and half of them: two ways of drawing
    def test_every_position_is_as_likely(self, count: int) -> None:
        places = [("small", whole((1, 2, 3))), ("none", whole((1, 1, 9))), ("large", whole((2, 4, 4)))]
        positions = 2 + 0 + 18
        rng = np.random.default_rng(0)
        times: dict[PatchId, int] = {}
        draws = 3000
        for _ in range(draws):
            for patch in random_patches(places, count, 2, 2, rng):
                times[patch] = times.get(patch, 0) + 1
        assert len(times) == positions
        share = count / positions
        deviation = math.sqrt(draws * share * (1 - share))
        assert all(abs(n - draws * share) < 5 * deviation for n in times.values())

    def test_no_region_gives_no_patches(self) -> None:
        assert random_patches([], 5, 2, 2, np.random.default_rng(0)) == []

    def test_positions_beyond_32_bits_are_reached(self) -> None:
        vast = Box((0, 0, 0), (4000, 100_000, 100_000))
        drawn = random_patches([("v", vast)], 200, 128, 128, np.random.default_rng(0))
        assert all(vast.contains(patch.box) for patch in drawn)
        assert max(p.z for p in drawn) > 3000


def test_a_patch_is_a_box_one_plane_thick() -> None:
    assert PatchId("v", 3, 10, 20, 4, 5).box == Box((3, 10, 20), (4, 14, 25))


patch_ids = st.builds(PatchId, st.sampled_from("abc"), *[st.integers(0, 2**31 - 1)] * 5)


@given(st.lists(patch_ids), st.data())
def test_a_list_of_patches_held_as_numbers_is_that_list(patches: list[PatchId], data: st.DataObject) -> None:
    held = PatchList.of(patches)
    assert list(held) == patches
    assert PatchList.of(held) is held
    part = data.draw(st.slices(len(patches)))
    assert list(held[part]) == patches[part]
    rows = data.draw(st.lists(st.integers(0, len(patches) - 1))) if patches else []
    assert list(held.take(np.array(rows, np.intp))) == [patches[row] for row in rows]
    with pytest.raises(IndexError):
        held[len(patches)]
