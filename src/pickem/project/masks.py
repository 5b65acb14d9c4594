"""A mask as it lies in the database: zlib over the bytes of a (h, w) uint8 array."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from pickem.errors import ProjectDamagedError


def pack(mask: NDArray[np.uint8]) -> bytes:
    """Compress a mask (h, w) uint8."""
    return zlib.compress(np.ascontiguousarray(mask).tobytes(), level=6)


def unpack(blob: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """The mask (height, width) of `pack`; raises ProjectDamagedError for anything else."""
    try:
        data = zlib.decompress(blob)
    except zlib.error as error:
        raise ProjectDamagedError("A stored mask cannot be read.", got=str(error)) from error
    if len(data) != height * width:
        raise ProjectDamagedError(
            "A stored mask has another size than its patch.", got=len(data), expected=height * width
        )
    return np.frombuffer(data, np.uint8).reshape(height, width)
