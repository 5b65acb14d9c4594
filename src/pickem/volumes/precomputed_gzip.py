"""Precomputed chunks that lie in a folder as gzip files, which tensorstore takes as they are.

A server says of a file that it is compressed, and whoever fetches it unpacks it; in a folder nobody does.
CloudVolume adds .gz to the names there; copies from S3 keep the names and the compressed bytes.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError
from pickem.geometry import Box, Shape3
from pickem.volumes.chunk_storage import explained, open_files
from pickem.volumes.chunked import ChunkedVolume, as_zyx
from pickem.volumes.volume import VoxelSize, check_box, missing

_MAGIC = b"\x1f\x8b"  # the first bytes of a gzip file
_CHUNK = re.compile(r"-?\d+--?\d+(_-?\d+--?\d+){2}(\.\w+)?")  # X-X_Y-Y_Z-Z.gz
_KEY = "chunks"  # the folder of the unpacked chunks, in memory
_OTHERS = (".br", ".zstd", ".xz", ".bz2")  # endings that CloudVolume gives to what is compressed otherwise


def packing(chunks: Path) -> Literal["gzip", "none"]:
    """How the chunks in a folder are compressed: by their names, or else by what the first of them holds.

    Other files may lie there. Raises VolumeFormatError for what cannot be unpacked.
    """
    try:
        with os.scandir(chunks) as entries:
            first, gzipped = None, False
            for entry in entries:
                if _CHUNK.fullmatch(entry.name):
                    first = first or entry
                    gzipped = gzipped or entry.name.endswith(".gz")
        if first is None:
            return "none"
        with Path(first.path).open("rb") as file:
            begins = file.read(len(_MAGIC))
    except OSError:
        return "none"  # no chunk was ever written, or reading them says why it fails
    if gzipped:
        return "gzip"
    if first.name.endswith(_OTHERS):
        raise VolumeFormatError(
            f"The chunks in {chunks} are compressed in a way that pickem does not read.",
            got=first.name,
            expected="files without compression, or gzip",
            todo="unpack them, or write the image anew",
        )
    return "gzip" if begins == _MAGIC else "none"


class GzippedChunks:
    """A precomputed image whose chunks are gzip files in a folder. Each read unpacks those under its box.

    `volume` is the image as tensorstore opens it, `info` what its metadata say, `folder` where they lie. A
    chunk that is not there reads as 0.
    """

    def __init__(self, volume: ChunkedVolume, info: dict[str, Any], folder: Path) -> None:
        self.source = volume.source
        self.voxel_size: VoxelSize | None = volume.voxel_size
        self._volume = volume
        self._folder = folder
        scale = info["scales"][0]
        self._info = {**info, "scales": [{**scale, "key": _KEY}]}
        self._chunks = folder / str(scale["key"])
        origin = scale.get("voxel_offset", (0, 0, 0))
        self._grid = [
            (int(offset), int(size), int(side))  # which JSON may have as 8.0
            for offset, size, side in zip(origin, scale["size"], scale["chunk_sizes"][0], strict=True)
        ]

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._volume.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels, in this machine's byte order."""
        return self._volume.dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        if not box.size:
            return np.empty(box.shape, dtype=self.dtype)
        if not (self._folder / "info").exists():
            raise missing(self._folder)
        files = {"info": json.dumps(self._info).encode()}
        for name in self._names(box):
            content = self._unpacked(name)
            if content is not None:
                files[f"{_KEY}/{name}"] = content
        with explained(self.source):
            store = open_files(files, "neuroglancer_precomputed")
            voxels: NDArray[Any] = as_zyx(store, "xyzc", self.source)[box.slices].read().result()
        return voxels

    def _names(self, box: Box) -> Iterator[str]:
        """Of the chunks that the box touches, without an ending: X-X_Y-Y_Z-Z, in the image's coordinates."""
        ranges = []
        for (offset, size, side), start, stop in zip(
            self._grid, box.start[::-1], box.stop[::-1], strict=True
        ):
            begins = range(start // side * side, stop, side)
            ranges.append([f"{offset + begin}-{offset + min(begin + side, size)}" for begin in begins])
        return ("_".join(parts) for parts in itertools.product(*ranges))

    def _unpacked(self, name: str) -> bytes | None:
        path = next((p for p in (self._chunks / name, self._chunks / f"{name}.gz") if p.exists()), None)
        if path is None:
            return None
        content = path.read_bytes()
        if not content.startswith(_MAGIC):
            return content
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise VolumeFormatError(
                "The image cannot be read.",
                got=f"{path}: {error}",
                expected="a whole gzip file",
                todo="copy or fetch it again",
            ) from error
