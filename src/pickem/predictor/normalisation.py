"""Grey values to numbers of mean 0 and standard deviation 1, by the statistics of the training region."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class Normalisation(BaseModel):
    """(grey value − mean) / deviation; stored in every checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    deviation: float = Field(gt=0)

    @classmethod
    def of(cls, images: Iterable[NDArray[np.generic]]) -> Normalisation:
        """Mean and standard deviation over all pixels of all `images`, summed in float64.

        A constant image gets deviation 1.
        """
        count, total, squares = 0, 0.0, 0.0
        for image in images:
            values = np.asarray(image, dtype=np.float64)
            count += values.size
            total += float(values.sum())
            squares += float(np.square(values).sum())
        mean = total / max(count, 1)
        variance = max(squares / max(count, 1) - mean**2, 0.0)
        return cls(mean=mean, deviation=variance**0.5 or 1.0)

    def apply(self, images: NDArray[np.generic]) -> NDArray[np.float32]:
        """(n, h, w) grey values of any real type as (n, 1, h, w), normalised."""
        values = np.asarray(images, dtype=np.float32)
        return ((values - np.float32(self.mean)) / np.float32(self.deviation))[:, None]
