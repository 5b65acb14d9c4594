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
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED

if TYPE_CHECKING:
    from pickem.project.store import Store


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


def compare_with_proposal(
    store: Store, number: int, painted: NDArray[np.uint8], proposed_by: int | None
) -> None:
    """Count what a mask changed of the proposal that was there when its patch was first submitted.

    `proposed_by`: the round of the proposal that was shown; counts where this is the first submission.
    """
    rows = store.rows("SELECT round FROM corrections WHERE patch = ?", number)
    submitted = "SELECT 1 FROM revisions WHERE patch = ? AND state = 'submitted'"
    if not rows and (proposed_by is None or store.rows(submitted, number)):
        return
    by = rows[0]["round"] if rows else proposed_by
    proposed = store.proposal(number, by)
    if proposed is None:
        return
    counts = correction(proposed, painted)
    with store.change() as connection:
        row = (number, by, counts.changed, counts.foreground)
        connection.execute("REPLACE INTO corrections VALUES (?, ?, ?, ?)", row)
