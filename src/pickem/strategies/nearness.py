"""Patches that show nearly the same: overlapping ones of one section or of neighbouring sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import PatchId

SECTIONS = 2  # to either side
OVERLAP = 0.25  # of a patch's area


def far_apart(
    patches: Sequence[PatchId], ranking: Iterable[int], labelled: Sequence[PatchId], k: int
) -> list[int]:
    """The first `k` of `ranking` (indices into `patches`), best first, none near another or a labelled patch.

    Where too few are left, the best of those passed over follow. Near: in the same volume, at most SECTIONS
    apart, and with more than OVERLAP of their area in common. Looks at no more of the ranking than it needs.
    """
    taken = _Taken(labelled)
    picked: list[int] = []
    passed: list[int] = []
    for index in ranking:
        if len(picked) == k:
            break
        if taken.is_near(patches[index]):
            passed.append(index)
        else:
            picked.append(index)
            taken.add(patches[index])
    return picked + passed[: k - len(picked)]


class _Taken:
    """Patches by volume, as arrays that grow."""

    def __init__(self, patches: Iterable[PatchId]) -> None:
        self._rows: dict[str, list[tuple[int, int, int, int, int]]] = {}
        for patch in patches:
            self.add(patch)

    def add(self, patch: PatchId) -> None:
        self._rows.setdefault(patch.volume, []).append((patch.z, patch.y, patch.x, patch.height, patch.width))

    def is_near(self, patch: PatchId) -> bool:
        rows = self._rows.get(patch.volume)
        if not rows:
            return False
        z, y, x, height, width = np.array(rows, np.int64).T
        common = _common(y, height, patch.y, patch.height) * _common(x, width, patch.x, patch.width)
        near = (np.abs(z - patch.z) <= SECTIONS) & (common > OVERLAP * patch.height * patch.width)
        return bool(near.any())


def _common(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], start: int, length: int
) -> NDArray[np.int64]:
    ends: NDArray[np.int64] = np.minimum(starts + lengths, start + length)
    return np.maximum(0, ends - np.maximum(starts, start))
