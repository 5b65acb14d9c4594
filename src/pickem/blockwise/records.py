"""What is kept of a block once its components are known: a small file, whole or not there.

Its own first planes and the planes that it sees of the blocks behind it, from which the blocks are joined,
and what was counted of each component.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.blockwise.components import Components, touching
from pickem.blockwise.grid import Grid
from pickem.blockwise.measures import Crossings, Extents, crossings, extents
from pickem.durable import write_durably
from pickem.geometry import Shape3


class Record:
    """What is known of a block; arrays are read from its file when they are asked for."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = arrays

    @property
    def count(self) -> int:
        """How many components the block has."""
        return len(self._arrays["classes"]) - 1

    @property
    def classes(self) -> NDArray[np.uint16]:
        """(count + 1,): the class of each component, 0 = background."""
        return self._arrays["classes"]

    @property
    def open(self) -> NDArray[np.bool_]:
        """(count + 1,): which components are partly unlabelled."""
        return self._arrays["open"]

    @property
    def border(self) -> NDArray[np.bool_]:
        """(count + 1,): which components touch the border of the volume."""
        return self._arrays["border"]

    @property
    def extents(self) -> Extents:
        """Where the components lie in the block's own box."""
        names = ("voxels", "first", "low", "high", "sums")
        return Extents(*(self._arrays[name] for name in names))

    @property
    def crossings(self) -> Crossings:
        """Which components touch."""
        return Crossings(self._arrays["pairs"], self._arrays["counts"])

    def behind(self, step: Shape3) -> NDArray[np.uint32]:
        """The labels that this block gave to what it sees of the block `step` further on."""
        return _part(self._arrays[f"seen{step.index(1)}"], step, last=True)

    def front(self, step: Shape3, like: tuple[int, ...]) -> NDArray[np.uint32]:
        """The own labels of the voxels that the block `step` before this one sees; an array shaped `like`
        that block's view of them."""
        part = _part(self._arrays[f"own{step.index(1)}"], step, last=False)
        return part[: like[0], : like[1]]


def make_record(components: Components, grid: Grid, number: int) -> dict[str, NDArray[Any]]:
    """The arrays of a record."""
    own, labels = grid.own(number), components.labels
    where = extents(labels, own.shape, own.start, grid.shape, components.count)
    touch = crossings(labels, own.shape)
    arrays: dict[str, NDArray[Any]] = {
        "classes": components.classes,
        "open": components.open,
        "border": touching(labels, grid.seen(number), grid.shape, components.count),
        "voxels": where.voxels,
        "first": where.first,
        "low": where.low,
        "high": where.high,
        "sums": where.sums,
        "pairs": touch.pairs,
        "counts": touch.counts,
    }
    for axis, length in enumerate(own.shape):
        beyond = labels.shape[axis] > length
        arrays[f"seen{axis}"] = _plane(labels, axis, length) if beyond else np.empty((0, 0), np.uint32)
        arrays[f"own{axis}"] = _plane(labels[: own.shape[0], : own.shape[1], : own.shape[2]], axis, 0)
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name into a file, whole or not at all. Raises StorageError."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # the stubs take the names for options
    write_durably(path, buffer.getvalue())


def read_record(path: Path) -> Record:
    """Open a record; None of its arrays is read yet. The file stays open as long as the record is held."""
    return Record(np.load(path))


def _part(plane: NDArray[np.uint32], step: Shape3, *, last: bool) -> NDArray[np.uint32]:
    """Of a plane through the first axis of `step`: the line or corner to which its other axes lead."""
    axis = step.index(1)
    rest = [s for place, s in enumerate(step) if place != axis]
    edge = slice(-1, None) if last else slice(0, 1)
    return plane[tuple(edge if s else slice(None) for s in rest)]


def _plane(labels: NDArray[np.uint32], axis: int, at: int) -> NDArray[np.uint32]:
    plane: NDArray[np.uint32] = np.moveaxis(labels, axis, 0)[at]
    return plane
