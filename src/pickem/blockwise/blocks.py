"""How a result is cut into blocks, and what must be read for each. No I/O.

    own grid, of the volume and its result         working grid, of the network

    ┌────────┬────────┬───┐                        ┌──────────────┐ read box
    │ block  │ shard  │   │                        │    halo      │ begins at a multiple of the stride
    │        │        │   │    under the block:    │   ┌──────┐   │
    ├────────┼────────┼───┤  ───────────────────►  │   │      │   │
    │        │        │   │                        │   └──────┘   │
    └────────┴────────┴───┘                        └──────────────┘

A block is a task: whole shards, so that no two workers ever write one file. A shard is a file of the result.
In a section, a block is what the network sees at once; it has a few sections.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from pickem.geometry import Box, Shape3, blocks, whole
from pickem.volumes.resampled import Grid

CHUNK: Shape3 = (8, 256, 256)
SECTIONS = 8  # in a block
LONGEST_SHARD = 2048  # voxels along y and x; bounds what is held to be written


class Reach(BaseModel):
    """How far a network sees, in voxels of the working grid (see `SegmentationNetwork`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stride: int
    halo: int
    border: int = 0  # by which a section is continued at its border, by reflection; whole strides
    neighbours: int = 0  # sections before and behind each that it is shown with it; by reflection at the ends
    smoothing: int = 0  # sections before and behind each over which its probabilities are averaged


class Layout(BaseModel):
    """Voxels along (z, y, x) of the own grid in a chunk, in a shard of whole chunks, in a block of whole
    shards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk: Shape3
    shard: Shape3
    block: Shape3

    def blocks(self, shape: Shape3) -> Iterator[Box]:
        """The blocks of a volume of this shape."""
        for block in blocks(whole(shape), self.block, (0, 0, 0), whole(shape)):
            yield block.write

    def block_of(self, shard: Box, shape: Shape3) -> Box:
        """The block in which a shard lies."""
        z, y, x = (a // n * n for a, n in zip(shard.start, self.block, strict=True))
        dz, dy, dx = self.block
        return Box((z, y, x), (z + dz, y + dy, x + dx)).intersection(whole(shape))


@dataclass(frozen=True)
class Window:
    """What the network sees of a block (a box of the working grid, which may reach beyond its border), and
    what of that decides about the block, save for the neighbours of its sections."""

    read: Box
    under: Box


def window(block: Box, grid: Grid, reach: Reach) -> Window:
    """The window of a block of the own grid.

    Begins and, inside of the volume, ends at multiples of the stride, so that pixels keep their places among
    the network's strides however the block is turned.
    """
    under, (z, y, x), beyond = grid.under(block), grid.working, reach.border
    beside = reach.neighbours + reach.smoothing
    border = Box((-beside, -beyond, -beyond), (z + beside, y + beyond, x + beyond))
    grown = under.grow((beside, reach.halo, reach.halo), border)
    start, stop = list(grown.start), list(grown.stop)
    for axis in (1, 2):
        start[axis] -= start[axis] % reach.stride
        stop[axis] += -stop[axis] % reach.stride
    read = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])).intersection(border)
    return Window(read, under)


def plan(grid: Grid, reach: Reach, most: int) -> Layout:
    """The layout with which least is read twice, with windows of at most `most` pixels where that can be.

    Halos overlap: small windows see much of a section several times.
    """
    best = min(_candidates(grid, reach, most), key=lambda candidate: candidate[0])
    _, height, width = best
    chunk = CHUNK
    shard_y, across_y = _shards(height)
    shard_x, across_x = _shards(width)
    return Layout(
        chunk=chunk,
        shard=(SECTIONS, shard_y, shard_x),
        block=(SECTIONS, shard_y * across_y, shard_x * across_x),
    )


def _candidates(grid: Grid, reach: Reach, most: int) -> Iterator[tuple[int, int, int]]:
    """(pixels read of a section, height and width of a block) for each number of blocks along y."""
    _, height, width = grid.shape
    smallest = CHUNK[1]
    for down in range(1, -(-height // smallest) + 1):
        side_y = _rounded(-(-height // down))
        read_y = _read(side_y, 0, grid, reach)
        across = 1
        while True:
            side_x = _rounded(-(-width // across))
            read_x = _read(side_x, 1, grid, reach)
            if read_y * read_x <= most or side_x == smallest:
                break
            across += 1
        if read_y * read_x <= most or (side_y == smallest and side_x == smallest):
            yield -(-height // side_y) * read_y * -(-width // side_x) * read_x, side_y, side_x


def _read(side: int, axis: int, grid: Grid, reach: Reach) -> int:
    """Pixels along an axis (0: y, 1: x) that are read for a block of `side` own pixels."""
    under = math.ceil(side / grid.scale[axis])
    return min(grid.working[axis + 1] + 2 * reach.border, under + 2 * reach.halo + reach.stride)


def _rounded(side: int) -> int:
    return -(-side // CHUNK[1]) * CHUNK[1]


def _shards(side: int) -> tuple[int, int]:
    """Length of a shard, and how many make up a block of `side`, as little longer as can be."""
    count = -(-side // LONGEST_SHARD)
    return _rounded(-(-side // count)), count


def reflected(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Where the pixels from `start` to `stop` of an axis of `length` are found, those beyond its ends by
    reflection."""
    period = max(1, 2 * (length - 1))
    around = np.arange(start, stop) % period
    places: NDArray[np.intp] = np.minimum(around, period - around) if length > 1 else np.zeros_like(around)
    return places
