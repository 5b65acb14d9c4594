"""Joining the components of all blocks into objects.

    block 7: 1 2 3      nodes 0 1 2        A voxel that two blocks see has a label in both: an edge. What is
    block 8: 1 2        nodes     3 4      connected by edges is one component of the whole volume.

A hole is a component of the background that neither touches the volume's border nor is partly unlabelled, and
has one class alone for its neighbours, face to face. It becomes part of what surrounds it.

What is held grows with the number of components, some 100 bytes each, and not with the voxels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pickem.blockwise.grid import Grid
from pickem.blockwise.measures import NEVER, Extents
from pickem.blockwise.records import Record
from pickem.blockwise.surface import FACES, STEPS

Edges = NDArray[np.int64]  # (n, 2)
Records = Callable[[int], Record]  # by the block's number
_NO_CLASS = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Objects:
    """The objects of a volume, in the order of their first voxels.

    `crossings` (n, 13): how many of STEPS lead into or out of each. `border`: which touch the volume's.
    """

    classes: NDArray[np.uint16]
    extents: Extents
    crossings: NDArray[np.int64]
    border: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.classes)

    def taken(self, rows: NDArray[np.int64]) -> Objects:
        """The objects of these rows, in their order."""
        return Objects(self.classes[rows], self.extents.taken(rows), self.crossings[rows], self.border[rows])


@dataclass(frozen=True)
class Joined:
    """`numbers` (nodes,): of each component of each block, its object's number, 1 …; 0 = none.

    Those of block i begin at `offsets[i]`.
    """

    numbers: NDArray[np.int64]
    offsets: NDArray[np.int64]
    objects: Objects


def join(records: Records, grid: Grid, done: Callable[[int], None] = lambda _: None) -> Joined:
    """The objects of the whole volume, from the records of all of its blocks.

    `done` is called with each block's number as it is looked at, three times in all.
    """
    counts = np.array([records(number).count for number in range(len(grid))])
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    roots = _connected(_all(_edges(records, grid, offsets, done)), int(offsets[-1]))
    classes, border = _of_roots(records, grid, offsets, roots)
    filled = _connected(_hole_edges(records, grid, offsets, roots, classes, border, done), len(classes))
    whole_classes = np.zeros(filled.max(initial=-1) + 1, np.uint16)
    np.maximum.at(whole_classes, filled, classes)
    whole_border = np.zeros(len(whole_classes), np.bool_)
    np.logical_or.at(whole_border, filled, border[:, 0])
    return _ordered(records, grid, offsets, filled[roots], whole_classes, whole_border, done)


def _edges(
    records: Records, grid: Grid, offsets: NDArray[np.int64], done: Callable[[int], None]
) -> Iterator[Edges]:
    for number in range(len(grid)):
        record = records(number)
        for step, other in grid.behind(number):
            there = record.behind(step)
            here = records(other).front(step, there.shape)
            there = there[: here.shape[0], : here.shape[1]]
            known = there > 0
            pairs = np.stack([there[known], here[known]], axis=1).astype(np.int64) - 1
            yield np.unique(pairs, axis=0) + offsets[[number, other]]
        done(number)


def _connected(edges: Edges, nodes: int) -> NDArray[np.int64]:
    """(nodes,): the number of the connected component that each node is in."""
    graph = coo_array((np.ones(len(edges), np.int32), (edges[:, 0], edges[:, 1])), shape=(nodes, nodes))
    found: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return found


def _of_roots(
    records: Records, grid: Grid, offsets: NDArray[np.int64], roots: NDArray[np.int64]
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The class of each root; and (roots, 2) whether it touches the border, and is partly unlabelled."""
    classes = np.zeros(roots.max(initial=-1) + 1, np.uint16)
    border = np.zeros((len(classes), 2), np.bool_)
    for number in range(len(grid)):
        record = records(number)
        mine = roots[offsets[number] : offsets[number + 1]]
        classes[mine] = record.classes[1:]
        np.logical_or.at(border[:, 0], mine, record.border[1:])
        np.logical_or.at(border[:, 1], mine, record.open[1:])
    return classes, border


def _hole_edges(
    records: Records,
    grid: Grid,
    offsets: NDArray[np.int64],
    roots: NDArray[np.int64],
    classes: NDArray[np.uint16],
    border: NDArray[np.bool_],
    done: Callable[[int], None],
) -> Edges:
    """An edge from each hole to each component around it, between roots."""
    least, most = np.full(len(classes), _NO_CLASS), np.zeros(len(classes), np.uint16)
    beside: list[Edges] = []
    for number in range(len(grid)):
        touch = records(number).crossings
        faces = touch.counts[:, FACES].any(axis=1) & (touch.pairs > 0).all(axis=1)
        pairs = roots[touch.pairs[faces].astype(np.int64) - 1 + offsets[number]]
        gap, solid = _sorted_by(pairs, classes[pairs] > 0)
        np.minimum.at(least, gap, classes[solid])
        np.maximum.at(most, gap, classes[solid])
        beside.append(np.unique(np.stack([gap, solid], axis=1), axis=0))
        done(number)
    holes = (classes == 0) & ~border.any(axis=1) & (least == most)
    edges = _all(beside)
    around: Edges = edges[holes[edges[:, 0]]]
    return around


def _sorted_by(pairs: Edges, solid: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of pairs of which just one is of a class: the other, and that one."""
    mixed = solid[:, 0] != solid[:, 1]
    pairs, solid = pairs[mixed], solid[mixed]
    return np.where(solid[:, 0], pairs[:, 1], pairs[:, 0]), np.where(solid[:, 0], pairs[:, 0], pairs[:, 1])


def _ordered(
    records: Records,
    grid: Grid,
    offsets: NDArray[np.int64],
    roots: NDArray[np.int64],
    classes: NDArray[np.uint16],
    border: NDArray[np.bool_],
    done: Callable[[int], None],
) -> Joined:
    rows = len(classes)
    found, entered = Extents.nothing(rows), np.zeros((rows, len(STEPS)), np.int64)
    for number in range(len(grid)):
        record = records(number)
        mine = roots[offsets[number] : offsets[number + 1]]
        found.add(mine, record.extents.taken(np.arange(1, record.count + 1)))
        touch = record.crossings
        nodes = np.append(-1, mine)[touch.pairs]  # −1: of no interest
        apart = nodes[:, 0] != nodes[:, 1]
        for ends in nodes[apart].T:
            known = ends >= 0
            np.add.at(entered, ends[known], touch.counts[apart][known])
        done(number)
    kept = np.flatnonzero((classes > 0) & (found.first < NEVER))
    kept = kept[np.argsort(found.first[kept])]
    number_of = np.zeros(rows, np.int64)
    number_of[kept] = np.arange(1, len(kept) + 1)
    return Joined(
        number_of[roots], offsets, Objects(classes[kept], found.taken(kept), entered[kept], border[kept])
    )


def _all(parts: Iterator[Edges] | Sequence[Edges]) -> Edges:
    return np.concatenate([np.empty((0, 2), np.int64), *parts])
