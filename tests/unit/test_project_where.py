"""Masks of where to look: half of a patch or more, on the volume's grid or a coarser one, read in parts."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pickem.errors import InvalidMaskError
from pickem.geometry import Box, PatchId, Shape3
from pickem.project.candidates import Candidates, audit_patches
from pickem.project.where import MOST_ASKED, Where, inside, patches_anywhere
from pickem.volumes import ArrayVolume

SIZE = 16
SEEDS = st.integers(0, 2**32)
SHAPE = (4, 64, 80)


def blobs(shape: Shape3, seed: int) -> NDArray[np.uint8]:
    """A mask of blocks of random values, about half of them 0."""
    z, y, x = shape
    coarse = np.random.default_rng(seed).integers(0, 4, (z, -(-y // 7), -(-x // 9)), np.uint8)
    return np.where(coarse > 1, coarse, 0).astype(np.uint8).repeat(7, 1).repeat(9, 2)[:, :y, :x]


def half_inside(patch: PatchId, mask: NDArray[np.generic]) -> bool:
    return bool((mask[patch.box.slices] != 0).mean() >= 0.5)


@given(SEEDS, st.sampled_from([np.uint8, np.uint16, np.float32, np.bool_]))
def test_everything_that_is_half_inside_can_be_drawn_and_nothing_else(seed: int, dtype: type) -> None:
    mask = blobs(SHAPE, seed).astype(dtype)
    masks = {"v": Where(ArrayVolume(mask), SHAPE)}
    rng = np.random.default_rng(seed)
    shapes = {"v": SHAPE, "free": (1, 32, 32)}
    tiling = Candidates(shapes, SIZE, [], 0)
    expected = {p for p in tiling.draw(len(tiling), rng) if p.volume == "free" or half_inside(p, mask)}
    masked = Candidates(shapes, SIZE, [], 0, masks)
    assert set(masked.draw(len(masked), rng)) == expected
    assert masked.share_inside(rng) == len(expected) / len(tiling)
    some = masked.draw(5, rng)
    assert len(set(some)) == min(5, len(expected))
    assert set(some) <= expected


@given(SEEDS, st.integers(0, 12))
def test_audit_patches_lie_anywhere_inside_and_leave_most_of_the_inside_free(seed: int, count: int) -> None:
    mask = blobs(SHAPE, seed)
    masks = {"v": Where(ArrayVolume(mask), SHAPE)}
    rng = np.random.default_rng(seed)
    audit = audit_patches({"v": SHAPE}, SIZE, count, 0, rng, masks)
    assert len(set(audit)) == len(audit) <= count
    assert all(half_inside(patch, mask) for patch in audit)
    before = Candidates({"v": SHAPE}, SIZE, [], 0, masks).draw(100, rng)
    after = Candidates({"v": SHAPE}, SIZE, audit, 0, masks).draw(100, rng)
    assert len(after) >= 0.75 * len(before)


def test_a_patch_that_is_exactly_half_inside_is_allowed() -> None:
    mask = np.zeros((1, 32, 32), np.uint8)
    mask[:, :, :8] = 1
    at = {x: PatchId("v", 0, 0, x, SIZE, SIZE) for x in (0, 1)}
    where = {"v": Where(ArrayVolume(mask), mask.shape)}
    assert inside(at.values(), where) == [at[0]]


def test_what_is_no_number_is_outside() -> None:
    mask = np.full((1, 16, 16), np.nan, np.float32)
    assert not Where(ArrayVolume(mask), (1, 16, 16)).allows(PatchId("v", 0, 0, 0, SIZE, SIZE))


@given(SEEDS, st.sampled_from([(1, 1, 1), (2, 4, 4), (4, 1, 8), (1, 3, 5), (4, 32, 40)]), st.integers(1, 3))
def test_a_coarser_mask_means_the_same_as_its_voxels_repeated(seed: int, voxel: Shape3, factor: int) -> None:
    """A whole stack may share one section: its voxel is as thick as the stack."""
    shape = (4, 96, 120)
    z, y, x = (fine // step for fine, step in zip(shape, voxel, strict=True))
    mask = np.random.default_rng(seed).integers(0, 2, (z, y, x), np.uint8)
    fine = mask.repeat(voxel[0], 0).repeat(voxel[1], 1).repeat(voxel[2], 2)
    coarse_grid = {"v": (shape[0], shape[1] // factor, shape[2] // factor)}
    patches = patches_anywhere(coarse_grid, SIZE, 20, np.random.default_rng(seed), {})

    def on_disk(p: PatchId) -> PatchId:
        return PatchId("v", p.z, p.y * factor, p.x * factor, SIZE * factor, SIZE * factor)

    expected = [patch for patch in patches if half_inside(on_disk(patch), fine)]
    assert inside(patches, {"v": Where(ArrayVolume(mask), shape, factor)}) == expected


@pytest.mark.parametrize("shape", [(4, 64, 79), (4, 65, 80), (3, 64, 80), (8, 64, 80), (4, 128, 160)])
def test_a_mask_that_does_not_divide_the_volume_is_refused(shape: Shape3) -> None:
    with pytest.raises(InvalidMaskError, match="coarser grid that divides it evenly") as raised:
        Where(ArrayVolume(np.zeros(shape, np.uint8)), SHAPE)
    assert str(shape) in str(raised.value)


class LeftThird:
    """A mask of a terabyte that is 1 in its left third, and counts what is read of it."""

    source = "a terabyte"
    shape = (5_000, 20_000, 10_000)
    dtype = np.dtype(np.uint8)
    voxel_size = None

    def __init__(self) -> None:
        self.voxels = 0

    def read(self, box: Box) -> NDArray[Any]:
        self.voxels += box.size
        mask = np.zeros(box.shape, np.uint8)
        mask[:, :, : max(0, self.shape[2] // 3 - box.start[2])] = 1
        return mask


def test_of_a_huge_mask_only_what_lies_under_the_drawn_patches_is_read() -> None:
    mask = LeftThird()
    shapes, masks = {"v": mask.shape}, {"v": Where(mask, mask.shape)}
    tracemalloc.start()
    rng = np.random.default_rng(0)
    audit = audit_patches(shapes, 128, 60, 2, rng, masks)
    drawn = Candidates(shapes, 128, audit, 2, masks).draw(1000, rng)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(audit), len(drawn)) == (60, 1000)
    assert max(patch.x for patch in [*audit, *drawn]) <= mask.shape[2] // 3 - 64
    assert mask.voxels < 3 * MOST_ASKED * 128 * 128
    assert peak < 16e6, f"{peak} bytes"
