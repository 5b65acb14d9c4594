"""Where things lie in a volume: patches to label, boxes to read and write, and tilings of both. No I/O.

Axes are (z, y, x) everywhere, in voxels; intervals are half-open.

A box that is processed with its surroundings has two extents, the read box and the write box:

    ┌───────────────────────────┐  read box  = write box grown by the halo,
    │   halo                    │              clipped to the volume
    │    ┌─────────────────┐    │
    │    │    write box    │    │  write box = what this block alone is responsible for;
    │    │                 │    │              write boxes tile the volume without overlap
    │    └─────────────────┘    │
    │                           │
    └───────────────────────────┘
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

Shape3 = tuple[int, int, int]


@dataclass(frozen=True, order=True, slots=True)
class PatchId:
    """A 2-D window of one z plane, named for ever by where it lies.

    `y` and `x` are the window's first row and column in the coordinates of the whole volume, whatever part
    of the volume a split or a region uses.
    """

    volume: str
    z: int
    y: int
    x: int
    height: int
    width: int

    @property
    def box(self) -> Box:
        """The window as a box, one plane thick."""
        return Box((self.z, self.y, self.x), (self.z + 1, self.y + self.height, self.x + self.width))


@dataclass(frozen=True, slots=True)
class Box:
    """The voxels from `start` (included) to `stop` (excluded), axes (z, y, x)."""

    start: Shape3
    stop: Shape3

    @property
    def shape(self) -> Shape3:
        """Extent along (z, y, x); 0 along an axis where `stop` does not lie beyond `start`."""
        z, y, x = (max(0, b - a) for a, b in zip(self.start, self.stop, strict=True))
        return z, y, x

    @property
    def size(self) -> int:
        """Number of voxels."""
        z, y, x = self.shape
        return z * y * x

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """Index of this box in an array of the whole volume."""
        z, y, x = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return z, y, x

    def intersection(self, other: Box) -> Box:
        """The voxels in both boxes; may be empty (`size == 0`)."""
        return Box(_each(max, self.start, other.start), _each(min, self.stop, other.stop))

    def hull(self, other: Box) -> Box:
        """The smallest box around both, of which neither may be empty."""
        return Box(_each(min, self.start, other.start), _each(max, self.stop, other.stop))

    def contains(self, other: Box) -> bool:
        """Whether every voxel of `other` lies in this box."""
        return self.intersection(other).size == other.size

    def grow(self, halo: Shape3, within: Box) -> Box:
        """This box with `halo` voxels more on both sides of each axis, clipped to `within`."""
        start = _each(lambda a, h: a - h, self.start, halo)
        stop = _each(lambda b, h: b + h, self.stop, halo)
        return Box(start, stop).intersection(within)

    def relative_to(self, origin: Shape3) -> Box:
        """The same voxels counted from `origin`."""
        return Box(
            _each(lambda a, o: a - o, self.start, origin), _each(lambda b, o: b - o, self.stop, origin)
        )


class PatchList(Sequence[PatchId]):
    """Many patches held as numbers, 24 bytes each, and named one by one when they are asked for.

    volumes: the names that the first column of `places` counts.
    places: (n, 6) int32, a row a patch: volume, z, y, x, height, width. May be a memory-mapped file.
    """

    def __init__(self, volumes: Sequence[str], places: NDArray[np.int32]) -> None:
        self.volumes = tuple(volumes)
        self.places = places

    @classmethod
    def of(cls, patches: Sequence[PatchId]) -> PatchList:
        """The same patches in the same order; `patches` itself where it is such a list."""
        if isinstance(patches, PatchList):
            return patches
        numbers = {name: i for i, name in enumerate(dict.fromkeys(p.volume for p in patches))}
        rows = [(numbers[p.volume], p.z, p.y, p.x, p.height, p.width) for p in patches]
        return cls(tuple(numbers), np.array(rows, np.int32).reshape(-1, 6))

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> PatchId: ...
    @overload
    def __getitem__(self, index: slice) -> PatchList: ...
    def __getitem__(self, index: int | slice) -> PatchId | PatchList:
        if isinstance(index, slice):
            return PatchList(self.volumes, self.places[index])
        volume, *rest = self.places[index].tolist()
        return PatchId(self.volumes[volume], *rest)

    def take(self, rows: NDArray[np.intp]) -> PatchList:
        """The patches at these positions, in this order."""
        return PatchList(self.volumes, self.places[rows])


@dataclass(frozen=True, slots=True)
class Block:
    """A write box with the read box that it takes to compute it (drawn in the module's docstring)."""

    read: Box
    write: Box


def whole(shape: Shape3) -> Box:
    """The box of a whole volume of this shape."""
    return Box((0, 0, 0), shape)


def blocks(region: Box, write_shape: Shape3, halo: Shape3, within: Box) -> Iterator[Block]:
    """Tile `region` with write boxes of at most `write_shape`, each with its read box clipped to `within`.

    In the order z, y, x, the first block starting at `region.start`. Yields nothing for an empty region.
    """
    if region.size == 0:
        return
    starts = [range(a, b, s) for a, b, s in zip(region.start, region.stop, write_shape, strict=True)]
    for z, y, x in itertools.product(*starts):
        corner = (z, y, x)
        write = Box(corner, _each(lambda a, s: a + s, corner, write_shape)).intersection(region)
        yield Block(read=write.grow(halo, within), write=write)


def tile_patches(volume: str, region: Box, height: int, width: int, stride: int) -> list[PatchId]:
    """Every patch on a regular grid in `region`, `stride` apart; the last row and column are moved inwards
    so that the region is covered up to its edge. Empty where the region is smaller than a patch."""
    if region.shape[1] < height or region.shape[2] < width:
        return []
    rows = _grid(region.start[1], region.stop[1], height, stride)
    columns = _grid(region.start[2], region.stop[2], width, stride)
    planes = range(region.start[0], region.stop[0])
    return [PatchId(volume, z, y, x, height, width) for z in planes for y in rows for x in columns]


def random_patches(
    regions: Sequence[tuple[str, Box]], count: int, height: int, width: int, rng: np.random.Generator
) -> list[PatchId]:
    """`count` distinct patches at uniformly random positions; overlaps are allowed, repeats are not.

    Regions (volume name, box), which do not overlap, are drawn in proportion to their number of possible
    positions, so that every position of every region is equally likely. Returns fewer than `count` where
    there are fewer positions than that.
    """
    per_box = [_positions(box, height, width) for _, box in regions]
    ends = np.cumsum([z * y * x for z, y, x in per_box])
    total = int(ends[-1]) if len(ends) else 0
    picked = _distinct(total, min(count, total), rng)
    patches = []
    for position in picked:
        which = int(np.searchsorted(ends, position, side="right"))
        name, box = regions[which]
        offset = int(position) - (int(ends[which - 1]) if which else 0)
        z, y, x = (int(i) for i in np.unravel_index(offset, per_box[which]))
        patches.append(PatchId(name, box.start[0] + z, box.start[1] + y, box.start[2] + x, height, width))
    return patches


def _distinct(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """`count` distinct integers below `total`, in random order, without holding `total` of anything."""
    if count * 4 > total:
        return [int(i) for i in rng.permutation(total)[:count]]
    seen: dict[int, None] = {}
    while len(seen) < count:
        for i in rng.integers(0, total, size=count - len(seen)):
            seen.setdefault(int(i))
    return list(seen)


def _positions(box: Box, height: int, width: int) -> Shape3:
    z, y, x = box.shape
    return z, max(0, y - height + 1), max(0, x - width + 1)


def _grid(start: int, stop: int, size: int, stride: int) -> list[int]:
    return sorted({*range(start, stop - size + 1, stride), stop - size})


def _each(operation: Callable[[int, int], int], a: Shape3, b: Shape3) -> Shape3:
    z, y, x = map(operation, a, b)
    return z, y, x
