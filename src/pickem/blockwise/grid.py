"""A volume cut into numbered blocks, and which of them lie behind one another. No I/O.

┌─────────┬─────────┐     a block's own box (█), and the voxels that it looks at besides: one more
│█████████│░        │     along each axis (░). Of any two neighbouring voxels the nearer corner lies
│█████████│░        │     in some block's own box, and that block sees both.
├─────────┼─────────┤
│░░░░░░░░░│░        │
└─────────┴─────────┘
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from pickem.geometry import Box, Shape3, whole

BEHIND: tuple[Shape3, ...] = tuple(
    (z, y, x) for z, y, x in itertools.product((0, 1), repeat=3) if (z, y, x) != (0, 0, 0)
)


@dataclass(frozen=True)
class Grid:
    """Blocks of at most `block` voxels that tile a volume of this shape, numbered in the order z, y, x."""

    shape: Shape3
    block: Shape3

    @property
    def counts(self) -> Shape3:
        """Blocks along (z, y, x)."""
        z, y, x = (-(-n // b) for n, b in zip(self.shape, self.block, strict=True))
        return z, y, x

    def __len__(self) -> int:
        return math.prod(self.counts)

    @property
    def size(self) -> int:
        """Voxels of all blocks."""
        return math.prod(self.shape)

    def own(self, number: int) -> Box:
        """The voxels that a block alone is responsible for."""
        start = tuple(i * b for i, b in zip(self._index(number), self.block, strict=True))
        stop = tuple(a + b for a, b in zip(start, self.block, strict=True))
        return Box(_triple(start), _triple(stop)).intersection(whole(self.shape))

    def seen(self, number: int) -> Box:
        """The own voxels, and one more at the far end of each axis where the volume has it."""
        own = self.own(number)
        stop = tuple(b + 1 for b in own.stop)
        return Box(own.start, _triple(stop)).intersection(whole(self.shape))

    def behind(self, number: int) -> Iterator[tuple[Shape3, int]]:
        """The up to seven blocks that lie behind a block, each with the step to it, 0 or 1 along an axis."""
        index, counts = self._index(number), self.counts
        for step in BEHIND:
            other = tuple(i + s for i, s in zip(index, step, strict=True))
            if all(i < n for i, n in zip(other, counts, strict=True)):
                yield step, (other[0] * counts[1] + other[1]) * counts[2] + other[2]

    def _index(self, number: int) -> Shape3:
        _, rows, columns = self.counts
        return number // (rows * columns), number // columns % rows, number % columns


def _triple(values: tuple[int, ...]) -> Shape3:
    z, y, x = values
    return z, y, x
