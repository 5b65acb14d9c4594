"""Patches that show nearly the same: overlapping ones of one section or of neighbouring sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import PatchId, PatchList

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


class Neighbours:
    """Of very many patches, those near some patch: near as `far_apart` means it. All as rows of the list."""

    def __init__(self, patches: Sequence[PatchId]) -> None:
        held = PatchList.of(patches)
        self._volumes = {name: i for i, name in enumerate(held.volumes)}
        self._places = held.places
        # By volume and section, so that only those of a few sections are compared with a patch.
        section = held.places[:, 0].astype(np.int64) << 32 | held.places[:, 1]
        self._rows = np.argsort(section, kind="stable")
        self._sections = section[self._rows]

    def of(self, patch: PatchId) -> NDArray[np.intp]:
        """Where those lie that are near `patch`; with it, where it is one of them."""
        rows = self._between(patch.volume, patch.z - SECTIONS, patch.z + SECTIONS)
        _, _, y, x, height, width = self._places[rows].T.astype(np.int64)
        common = _common(y, height, patch.y, patch.height) * _common(x, width, patch.x, patch.width)
        near: NDArray[np.intp] = rows[common > OVERLAP * height * width]
        return near

    def same_as(self, patch: PatchId) -> NDArray[np.intp]:
        """Where `patch` itself lies: one row, or none."""
        rows = self._between(patch.volume, patch.z, patch.z)
        own = (patch.y, patch.x, patch.height, patch.width)
        same: NDArray[np.intp] = rows[(self._places[rows, 2:] == own).all(axis=1)]
        return same

    def _between(self, volume: str, first: int, last: int) -> NDArray[np.intp]:
        """The rows of these sections of a volume."""
        if volume not in self._volumes:
            return self._rows[:0]
        key = self._volumes[volume] << 32
        start = np.searchsorted(self._sections, key | max(first, 0), "left")
        stop = np.searchsorted(self._sections, key | last, "right")
        return self._rows[start:stop]


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
