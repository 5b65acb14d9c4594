"""Writing a stack of sections as a TIFF file, section by section, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from pickem.durable import storage_error
from pickem.errors import PickemError
from pickem.geometry import Shape3


def write_stack(path: Path, sections: Iterator[NDArray[Any]], shape: Shape3) -> Path:
    """Write uint8 sections (h, w) one by one, as a compressed stack of this `shape`; returns its path.

    Raises StorageError, and whatever `sections` raises; `path` is then as it was before.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with tifffile.TiffWriter(partial, bigtiff=True) as file:
                file.write(
                    sections,
                    shape=shape,
                    dtype=np.uint8,
                    photometric="minisblack",
                    compression="zlib",
                    metadata={"axes": "ZYX"},
                )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except PickemError:  # a volume that cannot be read
        raise
    except OSError as error:
        raise storage_error(path, error) from error
    return path
