"""Averaging what is predicted of neighbouring sections.

A network that sees one section at a time errs in each on its own, while objects go on through several: what
only one section shows is more often an error than an object (compare the Z-filter of Casser et al. 2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Values = TypeVar("Values", NDArray[np.float32], torch.Tensor)


def section_weights(reach: int) -> list[float]:
    """Binomial weights of `reach` sections to each side: ¼ ½ ¼ for one, a deviation of √(reach / 2) sections.

    They sum to 1.
    """
    return [math.comb(2 * reach, k) / 4**reach for k in range(2 * reach + 1)]


def smoothed(
    predicted: Callable[[int], Values], sections: Iterable[int], depth: int, reach: int
) -> Iterator[Values]:
    """The weighted means around some sections of a stack of `depth`, whose ends are repeated:
    mirrored, the first section would count for no more than the second.

    `predicted` gives the values of a section. Of ascending sections each is asked for once, and no more than
    2 reach + 1 are held.
    """
    held: dict[int, Values] = {}
    for section in sections:
        around = np.arange(section - reach, section + reach + 1)
        places: list[int] = around.clip(0, depth - 1).tolist()
        held = {place: held[place] if place in held else predicted(place) for place in sorted({*places})}
        yield _weighted_sum([held[place] for place in places], section_weights(reach))


def _weighted_sum(values: Sequence[Values], factors: Sequence[float]) -> Values:
    total = values[0] * factors[0]
    for value, factor in zip(values[1:], factors[1:], strict=True):
        total += value * factor
    return total
