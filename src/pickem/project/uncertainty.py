"""How unsure a network is of every pixel that it makes a proposal for: the one place that defines it.

    uncertainty = −Σ_c p_c log p_c / log(classes)        0 = certain, 1 = every class equally likely

kept as 0 … 255 beside the proposal. It is what the network itself believes: a network can be certain and
wrong.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

LEVELS = 255


def uncertainty(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Entropy of class probabilities (n, classes, h, w), as a share of the largest there can be.

    Returns (n, h, w) uint8, 0 = certain, 255 = every class equally likely.
    """
    share = entr(probability).sum(axis=1) / math.log(probability.shape[1])
    quantised: NDArray[np.uint8] = np.rint(LEVELS * np.clip(share, 0, 1)).astype(np.uint8)
    return quantised
