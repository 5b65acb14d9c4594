"""The words between the predictor, which measures patches, and the strategies, which choose among them.

    predictor ──(one pass over the pool)──► PoolFeatures ──► strategy ──► Selection

Neither side knows the other. A probability map never gets this far: each patch is a row of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pickem.errors import SelectionError
from pickem.geometry import PatchId, PatchList

UNLABELLED = 255  # in a label array: nobody has said what this pixel is; ignored by every loss and metric


class Feature(StrEnum):
    """What a strategy can ask to know of each patch.

    The per-pixel ones are means over the patch's pixels. The paper sums; as all patches of a pool have the
    same size, no argmax or argmin changes, and the numbers can be read (0.69 nats = no idea, two classes).
    """

    ENTROPY = "entropy"  # (n,) mean over pixels of −Σ_c p log p, in nats (paper, eq. 1)
    CLASS_ENTROPY = "class-entropy"  # (n, classes) ENTROPY of the pixels where each is most probable
    CONFIDENCE = "confidence"  # (n,) mean over pixels of max_c p (eq. 2)
    MARGIN = "margin"  # (n,) mean over pixels of the largest p minus the second largest
    MC_ENTROPY = "mc-entropy"  # (n,) ENTROPY of the mean of Monte-Carlo-dropout passes (eq. 3 → eq. 1)
    MUTUAL_INFORMATION = "mutual-information"  # (n,) MC_ENTROPY minus the mean entropy of the passes, nats
    EMBEDDING = "embedding"  # (n, d) bottleneck representation
    ORACLE_FOREGROUND = "oracle-foreground"  # (n,) true share of foreground; simulated oracle only


@dataclass(frozen=True)
class PoolFeatures:
    """Features of `n` patches, a column each: axis 0 of every column runs along `patches`.

    Raises SelectionError where a column has another length or holds NaN or infinity.
    """

    patches: Sequence[PatchId]
    columns: Mapping[Feature, NDArray[np.floating]]

    def __post_init__(self) -> None:
        for feature, column in self.columns.items():
            if len(column) != len(self.patches):
                raise SelectionError(
                    f"The feature {feature} does not have one row per patch.",
                    got=f"{len(column)} rows",
                    expected=f"{len(self.patches)} rows",
                )
            if not _all_finite(column):
                raise SelectionError(
                    f"The feature {feature} holds values that are not finite numbers.",
                    got="NaN or infinity",
                    expected="finite numbers",
                    todo="look for NaN in the image, or for a training run that diverged",
                )

    def __len__(self) -> int:
        return len(self.patches)

    def take(self, rows: NDArray[np.intp]) -> PoolFeatures:
        """The patches at these positions, in this order, with copies of their rows."""
        columns = {feature: column[rows] for feature, column in self.columns.items()}
        return PoolFeatures(PatchList.of(self.patches).take(rows), columns)

    def followed_by(self, other: PoolFeatures) -> PoolFeatures:
        """These patches and then the others, with the columns that both have, copied."""
        if not len(self) or not len(other):  # whose columns may not know how wide they would be
            return self if len(self) else other
        common = self.columns.keys() & other.columns.keys()
        columns = {name: np.concatenate([self.columns[name], other.columns[name]]) for name in common}
        return PoolFeatures([*self.patches, *other.patches], columns)

    def column(self, feature: Feature) -> NDArray[np.floating]:
        """The column of one feature. Raises SelectionError where it was not computed."""
        try:
            return self.columns[feature]
        except KeyError:
            raise SelectionError(
                f"The strategy needs the feature {feature}, which was not computed.",
                got=f"features {', '.join(sorted(self.columns)) or '(none)'}",
                expected=f"{feature} in the strategy's `needs`",
            ) from None


@dataclass(frozen=True)
class Selection:
    """The picks of a strategy, best first, each with its utility and one line saying why it was picked.

    Raises SelectionError where there is not one utility and one reason per patch, a patch is named twice, or
    a utility is not a finite number.
    """

    patches: tuple[PatchId, ...]
    utilities: tuple[float, ...]
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.patches) == len(self.utilities) == len(self.reasons):
            raise SelectionError(
                "A selection needs one utility and one reason per patch.",
                got=f"{len(self.patches)} patches, {len(self.utilities)} utilities, "
                f"{len(self.reasons)} reasons",
            )
        if len(set(self.patches)) != len(self.patches):
            raise SelectionError("A selection names the same patch twice.")
        for patch, utility in zip(self.patches, self.utilities, strict=True):
            if not math.isfinite(utility):
                raise SelectionError(
                    "The utility of a pick is not a finite number.",
                    got=f"{utility} for {patch}",
                    expected="finite numbers",
                    todo="mend the strategy (a division by zero, a logarithm of 0?), or choose another one",
                )

    def __len__(self) -> int:
        return len(self.patches)

    def take(self, places: Iterable[int]) -> Selection:
        """The picks at these places, in this order."""
        rows = list(places)
        return Selection(
            tuple(self.patches[i] for i in rows),
            tuple(self.utilities[i] for i in rows),
            tuple(self.reasons[i] for i in rows),
        )

    def followed_by(self, other: Selection) -> Selection:
        """These picks and then the others, none of them the same."""
        return Selection(
            (*self.patches, *other.patches),
            (*self.utilities, *other.utilities),
            (*self.reasons, *other.reasons),
        )


class Strategy(Protocol):
    """The rule that picks the next k patches (the paper's "selection criterion")."""

    @property
    def needs(self) -> frozenset[Feature]:
        """The features that `select` reads."""

    def select(
        self, pool: PoolFeatures, labelled: PoolFeatures, k: int, rng: np.random.Generator
    ) -> Selection:
        """Pick `k` distinct patches of `pool` (all of them where it holds fewer), best first.

        `labelled` holds the same features of the patches that already have labels. The same arguments and
        the same state of `rng` give the same picks.
        """


_ROWS_AT_ONCE = 65_536  # bounds the temporary of the finiteness check on pools of millions


def _all_finite(column: NDArray[np.floating]) -> bool:
    starts = range(0, len(column), _ROWS_AT_ONCE)
    return all(bool(np.isfinite(column[i : i + _ROWS_AT_ONCE]).all()) for i in starts)
