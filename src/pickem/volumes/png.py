"""Grey PNG images, read with imagecodecs: it is there already for compressed TIFF, and keeps 16 bits."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError
from pickem.volumes.volume import missing

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 0  # colour type


def read_png_header(path: Path) -> tuple[int, int, np.dtype[Any]]:
    """Height, width and type of a grey PNG, from its first 26 bytes."""
    with _open(path) as file:
        head = file.read(26)
    if len(head) < 26 or not head.startswith(_SIGNATURE):
        raise _damaged(path, "it does not begin as a PNG does")
    width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
    if colour != _GREY:
        raise VolumeFormatError(
            "The image has colours.",
            got=f"{path}: PNG colour type {colour}",
            expected="a grey image",
            todo="convert it to grey values first",
        )
    return height, width, np.dtype(np.uint16 if bits == 16 else np.uint8)


def read_png(path: Path) -> NDArray[Any]:
    """Grey values (y, x). A 1-bit image holds 0 and 1, or 0 and 255: its foreground is what is above 0."""
    height, width, dtype = read_png_header(path)
    try:
        image: NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    except (imagecodecs.PngError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if image.shape != (height, width):
        raise _damaged(path, f"shape {image.shape} instead of {(height, width)}")
    return image.astype(dtype, copy=False)


def _open(path: Path) -> Any:  # noqa: ANN401  (typeshed's BufferedReader is generic since 3.14 only)
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise missing(path) from error


def _damaged(path: Path, why: str) -> VolumeFormatError:
    return VolumeFormatError(
        "The image cannot be read.", got=f"{path}: {why}", expected="a whole PNG", todo="fetch the file again"
    )
