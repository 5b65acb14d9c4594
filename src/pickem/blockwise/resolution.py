"""At which pixel size a network sees a volume: the one it was trained at."""

from __future__ import annotations

from dataclasses import dataclass

from pickem.errors import ConfigError
from pickem.volumes import Volume
from pickem.volumes.resampled import Scale

SAME = 0.02  # pixel sizes that differ by less than this share count as equal


@dataclass(frozen=True)
class Fit:
    """How many pixels of a volume the network sees as one, and what to tell the person about it."""

    scale: Scale
    said: str


def fit(volume: Volume, resolution: float | None) -> Fit:
    """The scale at which `volume` looks as the network's training images, of `resolution` nm a pixel.

    Where that is not known, every pixel is seen as one. Raises ConfigError where the volume's own pixel size
    is not known, but needed.
    """
    if resolution is None:
        return Fit((1.0, 1.0), "Seen as it is: at which resolution the network was trained is not known.")
    if volume.voxel_size is None:
        raise ConfigError(
            "The size of the volume's voxels is not known, and the network was trained at a known one.",
            got=f"{volume.source}, which does not say",
            expected=f"nm along z,y,x; the network sees {resolution:g} nm a pixel",
            todo="give --voxel-size",
        )
    _, y, x = volume.voxel_size
    scale = (_ratio(resolution / y), _ratio(resolution / x))
    if scale == (1.0, 1.0):
        return Fit(scale, f"Seen as it is, at {y:g} nm a pixel.")
    return Fit(
        scale,
        f"Resampled for the network from {_sizes(y, x)} to {resolution:g} nm a pixel, at which it was "
        "trained; the result is on the volume's own grid.",
    )


def _ratio(ratio: float) -> float:
    whole = max(1, round(ratio))
    return float(whole) if abs(ratio - whole) <= SAME * whole else ratio


def _sizes(y: float, x: float) -> str:
    return f"{y:g}" if y == x else f"{y:g} × {x:g}"
