"""The parts of split objects: found object by object, numbered with all others, painted block by block.

An object is cut by the task of the block that holds its first voxel, in an image where every object is whole
(whole/). A file of parts/ holds what was counted of the parts, and the crops of the objects that fell apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.blockwise.components import touching
from pickem.blockwise.grid import Grid
from pickem.blockwise.measures import Extents, crossings, extents
from pickem.blockwise.splitting import LARGEST, parts_of
from pickem.blockwise.surface import STEPS
from pickem.blockwise.union import Objects
from pickem.geometry import Box, Shape3, whole
from pickem.volumes import OmeZarrImage, VoxelSize


@dataclass(frozen=True)
class Numbering:
    """`names` (objects + 1,): the final number of each object, by the one it has in whole/; 0 where it is
    left out or in parts. `split`: of those in parts, the final number of each part, 0 first.
    """

    objects: Objects
    names: NDArray[np.int64]
    split: Mapping[int, NDArray[np.int64]]


def owners(objects: Objects, grid: Grid) -> NDArray[np.int64]:
    """(objects,): the number of the block that holds the first voxel of each."""
    first = np.unravel_index(objects.extents.first, grid.shape)
    z, y, x = (i // b for i, b in zip(first, grid.block, strict=True))
    _, rows, columns = grid.counts
    found: NDArray[np.int64] = (z * rows + y) * columns + x
    return found


def split_objects(
    image: OmeZarrImage, objects: Objects, rows: NDArray[np.int64], voxel_size: VoxelSize | None, neck: float
) -> dict[str, NDArray[Any]]:
    """What becomes of some of the objects, by their rows: arrays for a file of parts/.

    `of`: for each part, the number of its object in `image`; `too_large`: how many were not looked at.
    """
    arrays: dict[str, NDArray[Any]] = {"too_large": np.zeros(1, np.int64)}
    counted: list[tuple[int, Objects]] = []
    for row in rows.tolist():
        box = box_of(objects, row)
        if box.size > LARGEST:
            arrays["too_large"] += 1
            continue
        parts = _parts(image, row + 1, box, voxel_size, neck)
        if parts.max() > 1:
            arrays[f"crop{row + 1}"] = parts[box.relative_to(_grown(box, image.shape).start).slices]
            counted.append((row + 1, _counted(parts, _grown(box, image.shape), image.shape, objects, row)))
    arrays["of"] = np.repeat([number for number, _ in counted], [len(parts) for _, parts in counted])
    return arrays | dict(_fields(_all_of([parts for _, parts in counted])))


def number_all(objects: Objects, files: Iterator[Mapping[str, NDArray[Any]]], least: int) -> Numbering:
    """The final numbers of all objects and parts of `least` voxels or more, by their first voxels."""
    of, parts = [np.empty(0, np.int64)], []
    for arrays in files:
        of.append(arrays["of"].astype(np.int64))
        parts.append(objects_from(arrays))
    belongs, pieces = np.concatenate(of), _all_of(parts)
    entire = np.setdiff1d(np.arange(1, len(objects) + 1), belongs)
    everything = _all_of([objects.taken(entire - 1), pieces])
    kept = np.flatnonzero(everything.extents.voxels >= least)
    kept = kept[np.argsort(everything.extents.first[kept])]
    final = np.zeros(len(everything), np.int64)
    final[kept] = np.arange(1, len(kept) + 1)
    names = np.zeros(len(objects) + 1, np.int64)
    names[entire] = final[: len(entire)]
    of_parts = final[len(entire) :]
    split = {n: np.append(0, of_parts[belongs == n]) for n in np.unique(belongs).tolist()}
    return Numbering(everything.taken(kept), names, split)


def paint_parts(
    final: NDArray[Any],
    entire: NDArray[Any],
    own: Box,
    box: Box,
    number: int,
    crop: NDArray[Any],
    names: NDArray[np.int64],
) -> None:
    """Paint the parts of an object, whose crop fills `box`, where they lie in a block's `own` box."""
    shared = own.intersection(box)
    here = shared.relative_to(own.start).slices
    mine = entire[here] == number
    final[here][mine] = names[crop[shared.relative_to(box.start).slices][mine]]


def box_of(objects: Objects, row: int) -> Box:
    """The bounding box of an object."""
    low, high = objects.extents.low[row].tolist(), objects.extents.high[row].tolist()
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def objects_from(arrays: Mapping[str, NDArray[Any]]) -> Objects:
    """Objects from the arrays of a file."""
    where = Extents(*(arrays[name] for name in ("voxels", "first", "low", "high", "sums")))
    return Objects(arrays["classes"], where, arrays["crossings"], arrays["border"])


def objects_to(objects: Objects) -> dict[str, NDArray[Any]]:
    """Objects as the arrays of a file."""
    return dict(_fields(objects))


def _parts(
    image: OmeZarrImage, number: int, box: Box, voxel_size: VoxelSize | None, neck: float
) -> NDArray[np.int32]:
    """The parts of an object, with one voxel around it where the volume has it."""
    mask = image.read(_grown(box, image.shape)) == number
    return parts_of(mask, voxel_size, neck)


def _grown(box: Box, shape: Shape3) -> Box:
    return box.grow((1, 1, 1), whole(shape))


def _counted(parts: NDArray[np.int32], box: Box, shape: Shape3, objects: Objects, row: int) -> Objects:
    labels = parts.astype(np.uint32)
    count = int(labels.max())
    touch = crossings(labels, box.shape)
    entered = np.zeros((count + 1, len(STEPS)), np.int64)
    for ends in touch.pairs.T:
        np.add.at(entered, ends.astype(np.int64), touch.counts)
    return Objects(
        np.full(count, objects.classes[row]),
        extents(labels, box.shape, box.start, shape, count).taken(np.arange(1, count + 1)),
        entered[1:],
        touching(labels, box, shape, count)[1:],
    )


def _all_of(parts: list[Objects]) -> Objects:
    empty = Objects(
        np.empty(0, np.uint16), Extents.nothing(0), np.empty((0, len(STEPS)), np.int64), np.empty(0, np.bool_)
    )
    columns = [objects_to(part) for part in (empty, *parts)]
    return objects_from({name: np.concatenate([c[name] for c in columns]) for name in columns[0]})


def _fields(objects: Objects) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "classes", objects.classes
    yield "crossings", objects.crossings
    yield "border", objects.border
    for name in ("voxels", "first", "low", "high", "sums"):
        yield name, getattr(objects.extents, name)


def read_crop(folder: Path, owner: int, number: int) -> NDArray[np.int32]:
    """The parts of an object, filling its bounding box."""
    with np.load(part_file(folder, owner)) as arrays:
        crop: NDArray[np.int32] = arrays[f"crop{number}"]
        return crop


def part_file(folder: Path, owner: int) -> Path:
    """The file of a block whose objects are split."""
    return folder / "parts" / f"{owner:05d}.npz"
