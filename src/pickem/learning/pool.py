"""Which patches there are and which have labels: kept once, as the round in which each was acquired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.errors import ConfigError
from pickem.geometry import PatchId


@dataclass(frozen=True)
class Label:
    """The answer to one query.

    mask: (h, w) uint8, class index a pixel, 255 = not labelled.
    round_acquired: 0 = initial set.
    ranked_by: the checkpoint whose measurements ranked the patch; None for the initial set.
    """

    mask: NDArray[np.uint8]
    round_acquired: int
    ranked_by: str | None


class Pool:
    """The candidate patches in a fixed order, and the labels of those that have any.

    Raises ConfigError for a pool that names a patch twice.
    """

    def __init__(self, patches: Sequence[PatchId]) -> None:
        self.patches = tuple(patches)
        self._labels: dict[PatchId, Label] = {}
        self._members = frozenset(self.patches)
        if len(self._members) != len(self.patches):
            raise ConfigError("The pool names a patch twice.")

    @property
    def labelled(self) -> list[PatchId]:
        """Patches with labels, in the order in which they were labelled."""
        return list(self._labels)

    @property
    def unlabelled(self) -> list[PatchId]:
        """Patches without labels, in the order of the pool."""
        return [patch for patch in self.patches if patch not in self._labels]

    @property
    def round(self) -> int:
        """The latest round in which labels came; −1 before the initial set."""
        return max((label.round_acquired for label in self._labels.values()), default=-1)

    def round_acquired(self, patch: PatchId) -> int | None:
        """Round in which the patch was labelled; None = unlabelled."""
        label = self._labels.get(patch)
        return None if label is None else label.round_acquired

    def label(self, patch: PatchId) -> Label:
        """The label of a labelled patch."""
        return self._labels[patch]

    def store(
        self, masks: Mapping[PatchId, NDArray[np.uint8]], round_acquired: int, ranked_by: str | None
    ) -> None:
        """Add labels; all of them or, where one cannot be right, none.

        Raises ConfigError for a patch that is not in the pool, has a label, or whose mask has another size.
        """
        for patch, mask in masks.items():
            if patch not in self._members or patch in self._labels:
                raise ConfigError(
                    "A label came for a patch that was not waiting for one.",
                    got=patch,
                    expected="an unlabelled patch of the pool",
                )
            if mask.shape != (patch.height, patch.width):
                raise ConfigError(
                    "A label has another size than its patch.",
                    got=mask.shape,
                    expected=(patch.height, patch.width),
                )
        for patch, mask in masks.items():
            self._labels[patch] = Label(mask, round_acquired, ranked_by)

    @property
    def second_class_is_new(self) -> bool:
        """Whether the labels of the latest round are the first to show two classes, background among them."""
        return self.round > 0 and self.classes(before=self.round) < 2 <= self.classes()

    def classes(self, before: int | None = None) -> int:
        """How many classes the labels show, background among them: all, or those of the rounds before one."""
        labels = self._labels.values()
        masks = [label.mask for label in labels if before is None or label.round_acquired < before]
        return len(set().union(*(np.unique(mask).tolist() for mask in masks)) - {UNLABELLED})

    def masks(self) -> NDArray[np.uint8]:
        """(n, h, w): the masks of the labelled patches, in the order of `labelled`."""
        return np.stack([label.mask for label in self._labels.values()])


def distinct_pixels(patches: Iterable[PatchId]) -> int:
    """Pixels covered by the patches, those covered several times counted once."""
    planes: dict[tuple[str, int], list[PatchId]] = {}
    for patch in patches:
        planes.setdefault((patch.volume, patch.z), []).append(patch)
    return sum(_covered(group) for group in planes.values())


def _covered(patches: list[PatchId]) -> int:
    top, left = min(p.y for p in patches), min(p.x for p in patches)
    height = max(p.y + p.height for p in patches) - top
    width = max(p.x + p.width for p in patches) - left
    mask = np.zeros((height, width), dtype=np.bool_)
    for p in patches:
        mask[p.y - top : p.y - top + p.height, p.x - left : p.x - left + p.width] = True
    return int(mask.sum())
