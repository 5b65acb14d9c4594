"""Every random decision of a run has a stream of its own, named by seed, purpose and round.

So all strategies of one seed share pool, initial set and first network, and a run continued after a crash
draws exactly what it would have drawn, without any generator state on disk.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of the results: never renumber."""

    POOL = 0
    INITIAL_WEIGHTS = 1
    TRAIN = 2
    SCORE = 3
    SELECT = 4
    PRETRAIN = 5


def stream(seed: int, purpose: Purpose, round_number: int = 0) -> np.random.Generator:
    """The generator of one purpose in one round; the same arguments give the same numbers."""
    return np.random.default_rng(np.random.SeedSequence([seed, int(purpose), round_number]))
