"""Units of length as image files spell them, in nm; and the size of a voxel from its lengths."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pickem.volumes.volume import VoxelSize

_NM = {
    "angstrom": 0.1,
    "å": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "um": 1e3,
    "µm": 1e3,
    "μm": 1e3,  # the Greek letter; above it is the micro sign
    "\\u00b5m": 1e3,  # as ImageJ writes it
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "cm": 1e7,
    "centimeter": 1e7,
    "m": 1e9,
    "meter": 1e9,
}


def nm_per(unit: object) -> float | None:
    """Length of one `unit` in nm; None for what is no known unit of length, "pixel" among it."""
    return _NM.get(str(unit).lower())


def voxel_size_of(lengths: Mapping[str, float]) -> VoxelSize | None:
    """nm along (z, y, x) from nm by the name of the axis; None where y or x is missing, or one is no length.

    One section has no distance to the next: where z is missing, the height of its pixels stands for it.
    """
    if not {"y", "x"} <= lengths.keys() or not all(0 < length < math.inf for length in lengths.values()):
        return None
    return lengths.get("z", lengths["y"]), lengths["y"], lengths["x"]
