"""Objects joined from blocks: those of the whole volume at once, whatever the blocks."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from pickem.blockwise.components import Connectivity, Holes, label_block
from pickem.blockwise.grid import Grid
from pickem.blockwise.records import Record, make_record
from pickem.blockwise.union import Joined, join
from pickem.geometry import Shape3

STEPS = {6: 1, 18: 2, 26: 3}  # along so many axes at once, in scipy's words
DUAL = {6: 26, 18: 6, 26: 6}

sides = st.integers(1, 7)
shapes = st.tuples(sides, sides, sides)
connectivities: st.SearchStrategy[Connectivity] = st.sampled_from([6, 18, 26])


@st.composite
def images(draw: st.DrawFn, classes: int) -> NDArray[np.uint8]:
    """Label images of any small shape, nearly empty to nearly full; 255 = not labelled, here and there."""
    shape, share = draw(shapes), draw(st.sampled_from([0.25, 0.5, 0.8]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    image = rng.integers(1, classes + 1, shape) * (rng.random(shape) < share)
    image[rng.random(shape) < draw(st.sampled_from([0.0, 0.1]))] = 255
    return image.astype(np.uint8)


def found(
    image: NDArray[np.uint8], block: Shape3, connectivity: Connectivity, holes: Holes
) -> tuple[NDArray[np.int64], Joined]:
    """The label image and what was counted, by way of blocks."""
    z, y, x = image.shape
    grid = Grid((z, y, x), block)
    parts = [label_block(image[grid.seen(n).slices], connectivity, holes) for n in range(len(grid))]
    records = [Record(make_record(part, grid, n)) for n, part in enumerate(parts)]
    joined = join(records.__getitem__, grid)
    labels = np.zeros(image.shape, np.int64)
    for n, part in enumerate(parts):
        own = grid.own(n)
        names = np.append(0, joined.numbers[joined.offsets[n] : joined.offsets[n + 1]])
        labels[own.slices] = names[part.labels[tuple(slice(length) for length in own.shape)]]
    return labels, joined


def at_once(image: NDArray[np.uint8], connectivity: int) -> NDArray[np.int64]:
    """The components of each class by scipy, numbered by their first voxels."""
    labels = np.zeros(image.shape, np.int64)
    for value in set(np.unique(image).tolist()) - {0, 255}:
        of_class, _ = ndimage.label(image == value, structure(connectivity))
        labels += np.where(of_class > 0, of_class + labels.max(), 0)
    _, first = np.unique(labels, return_index=True)
    order = labels.ravel()[np.sort(first)]
    renamed = np.zeros(labels.max() + 1, np.int64)
    renamed[order[order > 0]] = np.arange(1, (order > 0).sum() + 1)
    return renamed[labels]


def structure(connectivity: int) -> NDArray[np.bool_]:
    shape: NDArray[np.bool_] = ndimage.generate_binary_structure(3, STEPS[connectivity])
    return shape


@given(image=images(classes=3), block=shapes, connectivity=connectivities)
def test_objects_are_the_connected_components_of_the_whole(
    image: NDArray[np.uint8], block: Shape3, connectivity: Connectivity
) -> None:
    labels, joined = found(image, block, connectivity, "keep")
    assert np.array_equal(labels, at_once(image, connectivity))
    assert len(joined.objects) == labels.max()


@given(image=images(classes=1), block=shapes, connectivity=connectivities)
def test_holes_are_what_the_border_cannot_reach(
    image: NDArray[np.uint8], block: Shape3, connectivity: Connectivity
) -> None:
    image[image == 255] = 0
    walls = [(int(n == 1),) * 2 for n in image.shape]  # a single voxel along an axis is no way out along it
    full = ndimage.binary_fill_holes(np.pad(image, walls, constant_values=1), structure(DUAL[connectivity]))
    inside = full[tuple(slice(before, before + n) for (before, _), n in zip(walls, image.shape, strict=True))]
    assume(image.any())
    labels, _ = found(image, block, connectivity, "fill")
    assert np.array_equal(labels, at_once(inside.astype(np.uint8), connectivity))


@given(image=images(classes=3), block=shapes, connectivity=connectivities)
@settings(max_examples=50)
def test_what_is_counted_is_the_same_to_the_last_voxel(
    image: NDArray[np.uint8], block: Shape3, connectivity: Connectivity
) -> None:
    z, y, x = image.shape
    labels, joined = found(image, block, connectivity, "fill")
    whole_labels, whole = found(image, (z, y, x), connectivity, "fill")
    assert np.array_equal(labels, whole_labels)
    assert np.array_equal(joined.objects.crossings, whole.objects.crossings)
    assert np.array_equal(joined.objects.border, whole.objects.border)
    for field in fields(joined.objects.extents):
        mine, theirs = (getattr(j.objects.extents, field.name) for j in (joined, whole))
        assert np.array_equal(mine, theirs), field.name


def box(*, hole: int = 0, inside: int = 1) -> NDArray[np.uint8]:
    """A box in a larger volume, with a hole of this value in it, whose neighbour is of class `inside`."""
    image = np.zeros((9, 9, 9), np.uint8)
    image[2:7, 2:7, 2:7] = 1
    image[4, 4, 4] = hole
    image[4, 4, 5] = inside
    return image


def test_a_hole_is_filled_unless_it_is_unlabelled_or_between_two_classes() -> None:
    for image, filled in ((box(), True), (box(hole=255), False), (box(inside=2), False)):
        labels, _ = found(image, (3, 4, 5), 26, "fill")
        assert (labels[4, 4, 4] > 0) == filled


def test_what_swims_in_a_hole_becomes_part_of_what_surrounds_it() -> None:
    image = np.zeros((9, 9, 9), np.uint8)
    image[1:8, 1:8, 1:8] = 1
    image[2:7, 2:7, 2:7] = 0
    image[4, 4, 4] = 1
    assert found(image, (4, 4, 4), 26, "keep")[0].max() == 2
    assert found(image, (4, 4, 4), 26, "fill")[0].max() == 1
