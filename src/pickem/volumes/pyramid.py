"""The levels of an image pyramid: each half as fine as the one before, along the axes that are fine enough.

    z 45, y 4.6, x 4.6 nm  →  45, 9.2, 9.2  →  45, 18.4, 18.4  →  45, 36.8, 36.8  →  90, 73.6, 73.6

No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pickem.geometry import Box, Shape3, whole
from pickem.volumes.volume import VoxelSize

SMALL_ENOUGH = 256  # voxels along y and x; no coarser level is needed then


@dataclass(frozen=True, slots=True)
class Level:
    """A level by its shape, and how many voxels of the finest level one of its own spans along (z, y, x)."""

    shape: Shape3
    factor: Shape3

    def coarsened(self, step: Shape3) -> Level:
        """The level of which each voxel spans `step` of this one's; voxels at the far edge may span fewer."""
        return Level(
            _triple(-(-n // s) for n, s in zip(self.shape, step, strict=True)),
            _triple(f * s for f, s in zip(self.factor, step, strict=True)),
        )

    def step_to(self, coarser: Level) -> Shape3:
        """How many of this level's voxels one of a coarser level's spans."""
        return _triple(b // a for a, b in zip(self.factor, coarser.factor, strict=True))


def plan_levels(shape: Shape3, voxel_size: VoxelSize | None, count: int | None) -> tuple[Level, ...]:
    """The levels of an image, the finest first.

    An axis is halved where voxels come nearer to cubes by it, or stay as near; where `voxel_size` (nm) is
    not known they are taken for cubes. `count` is the number of levels, fewer where there is nothing left
    to halve; None = until a section fits into SMALL_ENOUGH squared.
    """
    levels = [Level(shape, (1, 1, 1))]
    while len(levels) < count if count else max(levels[-1].shape[1:]) > SMALL_ENOUGH:
        step = _next_step(levels[-1], voxel_size or (1.0, 1.0, 1.0))
        if step == (1, 1, 1):
            break
        levels.append(levels[-1].coarsened(step))
    return tuple(levels)


def coarse_box(box: Box, step: Shape3) -> Box:
    """The voxels of the next coarser level that span any of `box`."""
    return Box(
        _triple(a // s for a, s in zip(box.start, step, strict=True)),
        _triple(-(-b // s) for b, s in zip(box.stop, step, strict=True)),
    )


def fine_box(box: Box, step: Shape3, shape: Shape3) -> Box:
    """The voxels that `box` of the next coarser level spans, of a level of this `shape`."""
    start = _triple(a * s for a, s in zip(box.start, step, strict=True))
    stop = _triple(b * s for b, s in zip(box.stop, step, strict=True))
    return Box(start, stop).intersection(whole(shape))


def _next_step(level: Level, voxel_size: VoxelSize) -> Shape3:
    sizes = [size * factor for size, factor in zip(voxel_size, level.factor, strict=True)]
    long = [n > 1 for n in level.shape]
    least = min((size for size, wanted in zip(sizes, long, strict=True) if wanted), default=0.0)
    halved = (wanted and size <= least * math.sqrt(2) for size, wanted in zip(sizes, long, strict=True))
    return _triple(2 if wanted else 1 for wanted in halved)


def _triple(values: Iterable[int]) -> Shape3:
    z, y, x = values
    return z, y, x
