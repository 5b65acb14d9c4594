"""Units of length as image files spell them, in nm."""

from __future__ import annotations

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
