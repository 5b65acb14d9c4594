"""Which patches may be labelled, which are kept for the audit, and which come first of all.

    ┌────┬────┬────┐   candidates tile every section;
    │    │▒▒▒▒│    │   an audit patch lies anywhere (▓), and the candidates that touch it (▒),
    ├────┼▒▓▓▒┼────┤   in its section and in `gap` sections to either side, are no candidates
    │    │▒▒▒▒│    │
    └────┴────┴────┘

A person's masks (`pickem.project.where`) leave out more of both.

Nothing here holds all candidates of a large volume: they are numbered, and numbers are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.stats.qmc import Halton

from pickem.acquisition import Selection
from pickem.errors import ConfigError
from pickem.geometry import PatchId, Shape3
from pickem.project.where import MOST_ASKED, Masks, inside, patches_anywhere
from pickem.strategies.nearness import far_apart

Shapes = Mapping[str, Shape3]
SHARE_SAMPLE = 2000  # patches
LEAST_SHARE = 0.75  # of the tiling stays free to be labelled, however many audit patches are asked for


class Candidates:
    """The tiling of some volumes, less what is too near an audit patch and what the masks leave out.

    Raises ConfigError where a volume is smaller than a patch.
    """

    def __init__(
        self,
        shapes: Shapes,
        size: int,
        audit: Sequence[PatchId],
        gap: int,
        masks: Masks = MappingProxyType({}),
    ) -> None:
        self._size = size
        self._gap = gap
        self._masks = masks
        self._grids: list[tuple[str, Shape3]] = []
        for name, (sections, height, width) in shapes.items():
            if height < size or width < size:
                raise ConfigError(
                    f"The volume {name} is smaller than a patch.",
                    got=f"{height} × {width} pixels",
                    expected=f"at least {size} × {size} pixels",
                    todo="choose a smaller --patch",
                )
            self._grids.append((name, (sections, -(-height // size), -(-width // size))))
        self._shapes = dict(shapes)
        self._ends = np.cumsum([z * y * x for _, (z, y, x) in self._grids])
        self._audit: dict[str, list[PatchId]] = {}
        for patch in audit:
            self._audit.setdefault(patch.volume, []).append(patch)

    def __len__(self) -> int:
        """Patches of the tiling, those that the audit or the masks keep back included."""
        return int(self._ends[-1])

    def draw(self, count: int, rng: np.random.Generator) -> list[PatchId]:
        """Up to `count` distinct candidates, drawn uniformly, in the order of the volumes' sections."""
        found: list[PatchId] = []
        for numbers in self._batches(count, rng):
            found += self.allowed(numbers)
            if len(found) >= count:
                break
        return sorted(found[:count])  # so that a section is read once

    def numbers_by_section(self, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """The numbers of all candidates, one section after another, the sections in random order.

        Of more than `most`, those of the first sections. So whatever part of them is looked at lies all over
        the volumes, and yet a section is read once.
        """
        sizes = np.concatenate([np.full(z, y * x, np.int64) for _, (z, y, x) in self._grids])
        starts = np.cumsum(sizes) - sizes
        order = rng.permutation(len(sizes))
        order = order[: int(np.searchsorted(np.cumsum(sizes[order]), most)) + 1]
        return np.concatenate([np.arange(starts[i], starts[i] + sizes[i]) for i in order])[:most]

    def allowed(self, numbers: Iterable[int]) -> list[PatchId]:
        """The patches with these numbers, less those that the audit or the masks keep back."""
        patches = (self._patch(number) for number in numbers)
        return inside((patch for patch in patches if self.allows(patch)), self._masks)

    def number(self, patch: PatchId) -> int:
        """The number of a patch of the tiling."""
        which = next(i for i, (name, _) in enumerate(self._grids) if name == patch.volume)
        _, (_, rows, columns) = self._grids[which]
        row, column = -(-patch.y // self._size), -(-patch.x // self._size)
        before = int(self._ends[which - 1]) if which else 0
        return before + (patch.z * rows + row) * columns + column

    def allows(self, patch: PatchId) -> bool:
        """Whether a patch is far enough from every audit patch to be trained on, wherever the masks are."""
        return not any(
            abs(patch.z - other.z) <= self._gap
            and abs(patch.y - other.y) < self._size
            and abs(patch.x - other.x) < self._size
            for other in self._audit.get(patch.volume, ())
        )

    def covering(self, volume: str, z: int, y: int, x: int) -> PatchId:
        """The patch of the tiling that holds a pixel of a volume, whether it may be trained on or not."""
        _, height, width = self._shapes[volume]
        top = min(y // self._size * self._size, height - self._size)
        left = min(x // self._size * self._size, width - self._size)
        return PatchId(volume, z, top, left, self._size, self._size)

    def share_inside(self, rng: np.random.Generator) -> float:
        """Share of the tiling that the masks allow, from a sample of a large one."""
        all_of_it = len(self) <= SHARE_SAMPLE
        numbers = range(len(self)) if all_of_it else _some(len(self), SHARE_SAMPLE, rng)
        sample = [self._patch(number) for number in numbers]
        return len(inside(sample, self._masks)) / len(sample)

    def _batches(self, count: int, rng: np.random.Generator) -> Iterator[list[int]]:
        """Distinct numbers in random order, a batch at a time: all of a few, more than enough of many."""
        batch = 2 * count + 64
        if 4 * count >= len(self) or (self._masks and len(self) <= MOST_ASKED):
            numbers: list[int] = rng.permutation(len(self)).tolist()
            yield from (numbers[start : start + batch] for start in range(0, len(numbers), batch))
            return
        seen: set[int] = set()
        for _ in range(max(1, MOST_ASKED // batch)):
            fresh = [number for number in _some(len(self), batch, rng) if number not in seen]
            seen.update(fresh)
            yield fresh

    def _patch(self, number: int) -> PatchId:
        which = int(np.searchsorted(self._ends, number, side="right"))
        name, grid = self._grids[which]
        offset = number - (int(self._ends[which - 1]) if which else 0)
        z, row, column = (int(i) for i in np.unravel_index(offset, grid))
        _, height, width = self._shapes[name]
        y, x = min(row * self._size, height - self._size), min(column * self._size, width - self._size)
        return PatchId(name, z, y, x, self._size, self._size)


def audit_patches(
    shapes: Shapes,
    size: int,
    count: int,
    gap: int,
    rng: np.random.Generator,
    masks: Masks = MappingProxyType({}),
) -> list[PatchId]:
    """Up to `count` patches at uniformly random positions that the masks allow, in random order.

    Fewer where so many would, with what they forbid in `gap` sections to either side, leave less than
    LEAST_SHARE of the tiling inside the masks: a small volume cannot afford many.
    """
    patches = patches_anywhere(shapes, size, count, rng, masks)
    if not patches:
        return patches
    tiling = Candidates(shapes, size, [], gap, masks).draw(SHARE_SAMPLE, rng)
    while patches and _share_left(tiling, Candidates(shapes, size, patches, gap)) < LEAST_SHARE:
        patches = patches[: int(len(patches) * 0.9)]
    return patches


def _share_left(tiling: Sequence[PatchId], candidates: Candidates) -> float:
    """Share of `tiling` that is not too near an audit patch; all of nothing."""
    return float(np.mean([candidates.allows(patch) for patch in tiling])) if tiling else 1.0


def _some(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """Up to `count` distinct integers below `total`, in random order, fewer for those drawn twice."""
    numbers = np.unique(rng.integers(0, total, size=count))
    rng.shuffle(numbers)
    return [int(number) for number in numbers]


def first_picks(patches: Sequence[PatchId], k: int, rng: np.random.Generator) -> Selection:
    """`k` of `patches`, which lie in the order of the volumes' sections, before there is any network.

    They are spread evenly over that order, the first few of them as well as all (a Halton sequence, of which
    the ranks are taken so that none comes twice), and no two show nearly the same. The grey values are not
    asked: patches whose textures differ taught no more (docs/results/labelling.md).
    """
    places = Halton(1, rng=rng).random(len(patches))[:, 0]
    picks = far_apart(patches, places.argsort().argsort().tolist(), [], k)
    reasons = ("among the first: spread evenly over the volume",) * len(picks)
    return Selection(tuple(patches[i] for i in picks), (0.0,) * len(picks), reasons)
