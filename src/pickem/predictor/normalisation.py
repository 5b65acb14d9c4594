"""Grey values to numbers of about mean 0 and deviation 1, by what a sample of the volume says.

Two rules. `deviation` takes mean and standard deviation of all values. `percentiles` takes the median and the
range of the middle 98 %, which single glaring pixels and black borders do not move, and cuts off what lies
far outside:

        low          1 %      median      99 %         high
    ─────┼────────────┼─────────┼──────────┼────────────┼─────
    cut off     ◄──── as wide as from 1 % to 99 % ────►     cut off
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

RANGE = 2 * 2.3263  # standard deviations from the 1st to the 99th percentile of a normal distribution
HEAP = 0.01  # share of the sample that an extreme value has to hold …
PILED = 4  # … and how many times as often as the next value, to be padding or saturation and not tissue


class Normaliser(Protocol):
    """What a network puts its images through, and what its checkpoints say of that."""

    def apply(self, images: NDArray[np.generic]) -> NDArray[np.float32]:
        """(n, h, w) grey values as (n, 1, h, w), or (n, channels, h, w) as they are; normalised."""

    def description(self) -> dict[str, Any]:
        """As JSON."""

    def matches(self, description: object) -> bool:
        """Whether a checkpoint that says this of its grey values was trained on the same."""


class Normalisation(BaseModel):
    """(grey value − mean) / deviation, of values cut off at `low` and `high` where these are given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    deviation: float = Field(gt=0)
    low: float | None = None
    high: float | None = None

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

    @classmethod
    def robust(cls, samples: Iterable[NDArray[np.generic]]) -> Normalisation:
        """The median, and the deviation that a normal distribution of the same 1st and 99th percentile has.

        NaN and infinities do not count, nor do extreme values in a heap: a black border, saturation. What
        lies further out than one range beyond the percentiles is cut off. Where they coincide, the least and
        the greatest value stand in for them. A constant image gets deviation 1.
        """
        values = _finite(samples)
        if not values.size:
            return cls(mean=0.0, deviation=1.0, low=-RANGE, high=RANGE)
        low, middle, high = np.percentile(_without_heaps(values), [1, 50, 99], method="nearest").tolist()
        if not _differ(low, high):
            low, high = float(values.min()), float(values.max())
        spread = high - low if _differ(low, high) else RANGE
        return cls(mean=middle, deviation=spread / RANGE, low=low - spread, high=high + spread)

    def apply(self, images: NDArray[np.generic]) -> NDArray[np.float32]:
        """See Normaliser; grey values of any real type.

        NaN becomes the mean where there are limits, else grey value 0, as do infinities then.
        """
        if self.low is None or self.high is None:
            values = np.asarray(images, dtype=np.float32)
            if images.dtype.kind == "f":
                values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
            return _with_channels((values - np.float32(self.mean)) / np.float32(self.deviation))
        wide = np.asarray(images, dtype=np.float64)
        cut = np.where(np.isnan(wide), self.mean, wide).clip(self.low, self.high)
        return _with_channels(((cut - self.mean) / self.deviation).astype(np.float32))

    def description(self) -> dict[str, Any]:
        """As JSON; the limits only where there are any."""
        return self.model_dump(exclude_none=True)

    def matches(self, description: object) -> bool:
        """See Normaliser."""
        return description == self.description()


class PerVolume(BaseModel):
    """A normalisation of its own for each volume, by name: they may come from different microscopes.

    A network does not know which volume its images are of, so they come to it normalised already, by
    `normalised`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    volumes: dict[str, Normalisation]

    def normalised(
        self, images: Sequence[NDArray[np.generic]] | NDArray[np.generic], names: Sequence[str]
    ) -> NDArray[np.float32]:
        """(n, [channels,] h, w) of n images ([channels,] h, w) of the volumes of these names."""
        pairs = zip(images, names, strict=True)
        return np.stack([self.volumes[name].apply(image[None]).reshape(image.shape) for image, name in pairs])

    def apply(self, images: NDArray[np.generic]) -> NDArray[np.float32]:
        """See Normaliser; normalised already."""
        return _with_channels(np.asarray(images, dtype=np.float32))

    def description(self) -> dict[str, Any]:
        """As JSON."""
        return {"volumes": {name: volume.description() for name, volume in self.volumes.items()}}

    def matches(self, description: object) -> bool:
        """See Normaliser. Checkpoints of before name one normalisation, which held for all volumes."""
        if description == self.description():
            return True
        return all(volume.matches(description) for volume in self.volumes.values())


def _with_channels(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return images if images.ndim == 4 else images[:, None]


def _differ(low: float, high: float) -> bool:
    """Whether float32 could tell them apart."""
    return high - low > float(np.finfo(np.float32).eps) * max(abs(low), abs(high))


def _finite(samples: Iterable[NDArray[np.generic]]) -> NDArray[np.float64]:
    values = [np.asarray(sample, dtype=np.float64).ravel() for sample in samples]
    together = np.concatenate(values) if values else np.zeros(0)
    return together[np.isfinite(together)]


def _without_heaps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """All values but the least and the greatest, where these are heaps; all where nothing else is there."""
    kept = values
    for extreme in (values.min(), values.max()):
        others = kept[kept != extreme]
        if not others.size:
            return values
        next_one = others.min() if extreme < others.min() else others.max()
        held = len(kept) - len(others)
        if held > HEAP * len(values) and held > PILED * np.count_nonzero(others == next_one):
            kept = others
    return kept
