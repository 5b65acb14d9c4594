"""What can be counted of components in a block, such that the counts of several blocks add up exactly.

Whole numbers throughout: voxels, sums of coordinates, the first voxel, corners of the bounding box, and how
often lines in 13 directions cross from one component to another (see `surface`). No I/O.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.blockwise.surface import STEPS
from pickem.geometry import Shape3

NEVER = np.iinfo(np.int64).max  # the first voxel of what has none
SLAB = 8  # sections looked at at once
_OUTSIDE = np.iinfo(np.uint32).max  # the label of what lies outside of the volume


@dataclass(frozen=True)
class Extents:
    """Where components lie; row i is that of label i. Coordinates are those of the whole volume.

    `voxels` (n,); `first` (n,) index of the first voxel in the order z, y, x, NEVER where there is none;
    `low` and `high` (n, 3) corners of the bounding box, `high` excluded; `sums` (n, 3) of coordinates.
    """

    voxels: NDArray[np.int64]
    first: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    sums: NDArray[np.int64]

    @classmethod
    def nothing(cls, rows: int) -> Extents:
        """Those of components without a voxel."""
        return cls(
            np.zeros(rows, np.int64),
            np.full(rows, NEVER),
            np.full((rows, 3), NEVER),
            np.zeros((rows, 3), np.int64),
            np.zeros((rows, 3), np.int64),
        )

    def add(self, rows: NDArray[np.int64], other: Extents) -> None:
        """Add what `other` says of its row i to row `rows[i]` of this one."""
        np.add.at(self.voxels, rows, other.voxels)
        np.add.at(self.sums, rows, other.sums)
        np.minimum.at(self.first, rows, other.first)
        np.minimum.at(self.low, rows, other.low)
        np.maximum.at(self.high, rows, other.high)

    def taken(self, rows: NDArray[np.int64]) -> Extents:
        """The rows of these numbers, in their order."""
        return Extents(self.voxels[rows], self.first[rows], self.low[rows], self.high[rows], self.sums[rows])


@dataclass(frozen=True)
class Crossings:
    """`counts` (m, 13): how many of STEPS lead from one to the other of two components.

    `pairs` (m, 2) uint32: their labels, the lesser first; every pair of components that touch is there once.
    """

    pairs: NDArray[np.uint32]
    counts: NDArray[np.int64]


def extents(labels: NDArray[np.uint32], own: Shape3, start: Shape3, shape: Shape3, count: int) -> Extents:
    """Of labels 1 … `count`, in the first `own` voxels of `labels` along each axis.

    `start`: where in a volume of this `shape` they begin. Row 0 stays empty.
    """
    found = Extents.nothing(count + 1)
    for top in range(0, own[0], SLAB):
        slab = labels[top : min(top + SLAB, own[0]), : own[1], : own[2]]
        _add_runs(found, slab, (start[0] + top, start[1], start[2]), shape)
    return found


def crossings(labels: NDArray[np.uint32], own: Shape3) -> Crossings:
    """Between all components of `labels`, 0 among them, for pairs of voxels whose nearer corner is in the
    first `own` voxels along each axis."""
    keys: list[list[NDArray[np.uint64]]] = [[] for _ in STEPS]
    times: list[list[NDArray[np.int64]]] = [[] for _ in STEPS]
    for top in range(0, own[0], SLAB):
        corners = _mixed_cells(_padded(labels, top, own))
        for number, (a, b) in enumerate(_ends(corners)):
            found, count = np.unique(_keys(a, b), return_counts=True)
            keys[number].append(found)
            times[number].append(count)
    return _summed(keys, times)


def _add_runs(found: Extents, slab: NDArray[np.uint32], start: Shape3, shape: Shape3) -> None:
    """Add the voxels of a slab, run by run along x."""
    begins = np.empty(slab.shape, np.bool_)
    begins[..., 0] = True
    np.not_equal(slab[..., 1:], slab[..., :-1], out=begins[..., 1:])
    label = slab[begins].astype(np.int64)
    at = np.flatnonzero(begins)
    length = np.diff(at, append=slab.size)
    kept = label > 0
    label, at, length = label[kept], at[kept], length[kept]
    z, y, x = (i + first for i, first in zip(np.unravel_index(at, slab.shape), start, strict=True))
    np.add.at(found.voxels, label, length)
    np.minimum.at(found.first, label, (z * shape[1] + y) * shape[2] + x)
    for axis, (low, high, total) in enumerate(
        ((z, z + 1, z * length), (y, y + 1, y * length), (x, x + length, (2 * x + length - 1) * length // 2))
    ):
        np.add.at(found.sums[:, axis], label, total)
        np.minimum.at(found.low[:, axis], label, low)
        np.maximum.at(found.high[:, axis], label, high)


def _padded(labels: NDArray[np.uint32], top: int, own: Shape3) -> NDArray[np.uint32]:
    """Some sections of `own` with one voxel more along each axis, _OUTSIDE where the volume ends."""
    bottom = min(top + SLAB, own[0])
    part = labels[top : bottom + 1, : own[1] + 1, : own[2] + 1]
    wanted = (bottom - top + 1, own[1] + 1, own[2] + 1)
    if part.shape == wanted:
        return np.ascontiguousarray(part)
    padded = np.full(wanted, _OUTSIDE, np.uint32)
    padded[: part.shape[0], : part.shape[1], : part.shape[2]] = part
    return padded


def _mixed_cells(part: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(8, n): the corners, in the order z, y, x, of every 2 × 2 × 2 cell that is not all of one label."""
    along_x = part[:, :, 1:] == part[:, :, :-1]
    square = along_x[:, 1:] & along_x[:, :-1] & (part[:, 1:, :-1] == part[:, :-1, :-1])
    cube = square[1:] & square[:-1] & (part[1:, :-1, :-1] == part[:-1, :-1, :-1])
    z, y, x = np.nonzero(~cube)
    _, height, width = part.shape
    at = (z * height + y) * width + x
    flat = part.ravel()
    steps = [(dz * height + dy) * width + dx for dz in (0, 1) for dy in (0, 1) for dx in (0, 1)]
    return np.stack([flat[at + step] for step in steps])


def _ends(corners: NDArray[np.uint32]) -> list[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
    """For each of STEPS, the labels at both ends of it where they differ, one step in each cell."""
    found = []
    for step in STEPS:
        begin = sum((d < 0) << place for d, place in zip(step, (2, 1, 0), strict=True))
        end = sum((d > 0) << place for d, place in zip(step, (2, 1, 0), strict=True))
        a, b = corners[begin], corners[end]
        differ = (a != b) & (a != _OUTSIDE) & (b != _OUTSIDE)
        found.append((a[differ], b[differ]))
    return found


def _keys(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.uint64]:
    lesser, greater = np.minimum(a, b).astype(np.uint64), np.maximum(a, b)
    return (lesser << np.uint64(32)) | greater


def _summed(keys: list[list[NDArray[np.uint64]]], times: list[list[NDArray[np.int64]]]) -> Crossings:
    """The distinct pairs among the keys of all steps and slabs, and how often each is there in each step."""
    distinct = np.unique(np.concatenate([np.empty(0, np.uint64), *itertools.chain(*keys)]))
    counts = np.zeros((len(distinct), len(keys)), np.int64)
    for number, (slabs, numbers) in enumerate(zip(keys, times, strict=True)):
        for found, count in zip(slabs, numbers, strict=True):
            counts[np.searchsorted(distinct, found), number] += count
    pairs = np.stack([distinct >> np.uint64(32), distinct & np.uint64(_OUTSIDE)], axis=1)
    return Crossings(pairs.astype(np.uint32), counts)
