"""MRC, the format of electron tomography: headers through mrcfile, voxels mapped into memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mrcfile.mrcfile import MrcFile
from mrcfile.utils import data_dtype_from_header, data_shape_from_header
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError
from pickem.geometry import Box, Shape3
from pickem.volumes.volume import VoxelSize, check_box, check_type, grey_shape, missing

MRC_ENDINGS = (".mrc", ".rec", ".st", ".map")
_HEADER_BYTES = 1024
_NM_PER_ANGSTROM = 0.1
_IMOD_STAMP = 1146047817  # IMOD was here: the next word holds its flags
_IMOD_SIGNED = 1  # flag


@dataclass(frozen=True)
class _Header:
    shape: Shape3
    dtype: np.dtype[Any]  # in the file's byte order
    offset: int  # of the first voxel, in bytes
    voxel_size: VoxelSize | None


class MrcVolume:
    """An MRC file as a volume. It is mapped anew for each read, so that a file cut short or removed since is
    an error and not a crash."""

    def __init__(self, path: Path, voxel_size: VoxelSize | None = None) -> None:
        self.source = str(path)
        self._path = path
        self._header = _read_header(path)
        self._dtype: np.dtype[Any] = self._header.dtype.newbyteorder("=")
        self.voxel_size = voxel_size or self._header.voxel_size
        check_type(self._dtype, self.source)
        self._map()

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._header.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels, in this machine's byte order."""
        return self._dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume."""
        check_box(box, self)
        return np.array(self._map()[box.slices], dtype=self._dtype)

    def _map(self) -> NDArray[Any]:
        header = self._header
        try:
            return np.memmap(self._path, header.dtype, "r", header.offset, header.shape)
        except FileNotFoundError as error:
            raise missing(self._path) from error
        except (ValueError, OSError) as error:
            raise _damaged(self._path, error) from error


def _read_header(path: Path) -> _Header:
    try:
        with MrcFile(path, header_only=True) as file:
            header = file.header
            dtype, shape = data_dtype_from_header(header), data_shape_from_header(header)
    except FileNotFoundError as error:
        raise missing(path) from error
    except (ValueError, OSError) as error:
        raise _damaged(path, error) from error
    order = (int(header.mapc), int(header.mapr), int(header.maps))
    if order not in ((1, 2, 3), (0, 0, 0)):  # the latter by programs that leave the fields empty
        raise VolumeFormatError(
            "The axes of the MRC file are in an unusual order.",
            got=f"{path}: columns, rows, sections are axes {order}",
            expected="(1, 2, 3): x, y, z",
            todo="write it anew with its sections along z",
        )
    if min(shape) < 0 or header.nsymbt < 0:
        raise _damaged(path, f"shape {shape}, {header.nsymbt} bytes of extended header")
    return _Header(
        shape=grey_shape(shape, str(path)),
        dtype=np.dtype(np.uint8) if dtype == np.int8 and _are_bytes_unsigned(header) else dtype,
        offset=_HEADER_BYTES + int(header.nsymbt),
        voxel_size=_voxel_size(header),
    )


def _are_bytes_unsigned(header: Any) -> bool:  # noqa: ANN401  (mrcfile is untyped)
    """Bytes are signed by the standard; IMOD writes unsigned ones too, and says so in words 39 and 40."""
    words = np.frombuffer(header.extra2.tobytes(), header.mode.dtype)
    stamp, flags = int(words[10]), int(words[11])  # extra2 begins with word 29
    return stamp == _IMOD_STAMP and not flags & _IMOD_SIGNED


def _voxel_size(header: Any) -> VoxelSize | None:  # noqa: ANN401
    """nm; the header has the extent in Å and the number of intervals along each axis, 0 where unknown."""
    extents = [float(header.cella[axis]) for axis in "zyx"]
    intervals = [int(header[f"m{axis}"]) for axis in "zyx"]
    if min(extents) <= 0 or min(intervals) <= 0:
        return None
    z, y, x = (a / n * _NM_PER_ANGSTROM for a, n in zip(extents, intervals, strict=True))
    return z, y, x


def _damaged(path: Path, why: object) -> VolumeFormatError:
    return VolumeFormatError(
        "The image cannot be read.",
        got=f"{path}: {why}",
        expected="a whole MRC file",
        todo="copy or fetch the file again",
    )
