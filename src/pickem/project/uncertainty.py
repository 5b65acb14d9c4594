"""How unsure a network is of every pixel that it makes a proposal for: the one place that defines it.

    uncertainty = −Σ_c p_c log p_c / log(classes)        0 = certain, 1 = every class equally likely

kept as 0 … 255 beside the proposal, for as many rounds as a page may ask for it: it does not compress. It is
what the network itself believes: a network can be certain and wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from pickem.geometry import PatchId
from pickem.project.masks import pack, unpack
from pickem.project.store import SUPERSEDED, Store

LEVELS = 255


def uncertainty(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Entropy of class probabilities (n, classes, h, w), as a share of the largest there can be.

    Returns (n, h, w) uint8, 0 = certain, 255 = every class equally likely.
    """
    share = entr(probability).sum(axis=1) / math.log(probability.shape[1])
    quantised: NDArray[np.uint8] = np.rint(LEVELS * np.clip(share, 0, 1)).astype(np.uint8)
    return quantised


def write_uncertainties(store: Store, round_: int, levels: Mapping[PatchId, NDArray[np.uint8]]) -> None:
    """Keep `levels` (h, w) beside the proposals of a round, and forget those of long ago."""
    place = "volume = ? AND z = ? AND y = ? AND x = ? AND height = ? AND width = ?"
    with store.change() as connection:
        for patch, each in levels.items():
            connection.execute(
                "UPDATE proposals SET uncertainty = ? WHERE round = ? "
                f"AND patch = (SELECT id FROM patches WHERE {place})",
                (
                    *(pack(each), round_, patch.volume),
                    *(patch.z, patch.y, patch.x, patch.height, patch.width),
                ),
            )
        connection.execute(
            "UPDATE proposals SET uncertainty = NULL WHERE round < ? AND uncertainty IS NOT NULL",
            (round_ - SUPERSEDED,),
        )


def stored_uncertainty(store: Store, number: int, by: int | None = None) -> NDArray[np.uint8] | None:
    """How unsure the network of a proposal is of a patch: of round `by`, else that of `Store.proposed_by`.

    (h, w); None where there is no such proposal, or it is not known (any more). Raises UnknownPatchError.
    """
    patch = store.patch(number).patch
    sql = "SELECT uncertainty FROM proposals WHERE patch = ? AND round = ? AND uncertainty IS NOT NULL"
    rows = store.rows(sql, number, store.proposed_by(number) if by is None else by)
    return unpack(rows[0]["uncertainty"], patch.height, patch.width) if rows else None
