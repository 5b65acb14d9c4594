"""How much of a network's proposal a person had to change: the one place that defines it.

    changed       pixels whose class in the submitted mask is not the proposed one
    foreground    pixels that are foreground in the proposal, in the submitted mask, or in both
    share         changed / foreground; None where foreground is 0: nothing was proposed and nothing painted

Pixels that the person left unlabelled (255) are in neither count: nothing was said of them. So every changed
pixel is a foreground pixel, and 0 ≤ share ≤ 1. With one class the share is 1 − intersection over union of
proposal and mask; with several, a pixel moved from one class to another is changed as well, and counted once.
Over several patches both counts are summed first.

It says how much work the proposals leave, not how good the network is: the patches are those that the
strategy picked, so the network is unsure of them, and a person who sees a proposal is drawn towards it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED


@dataclass(frozen=True)
class Corrections:
    """Pixels of `patches` proposals that were changed, and that were foreground before or after."""

    patches: int
    changed: int
    foreground: int

    @property
    def share(self) -> float | None:
        """Share of the proposals that was changed, 0 to 1; None where there was nothing to change."""
        return self.changed / self.foreground if self.foreground else None


def correction(proposed: NDArray[np.uint8], painted: NDArray[np.uint8]) -> Corrections:
    """What became of one proposal (h, w) of class indices in a mask (h, w), where 255 = not labelled."""
    labelled = painted != UNLABELLED
    foreground = labelled & ((proposed > 0) | (painted > 0))
    changed = labelled & (proposed != painted)
    return Corrections(1, int(changed.sum()), int(foreground.sum()))
