"""TIFF: single images, stacks, BigTIFF and ImageJ's, through tifffile. One section is read at a time."""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError
from pickem.geometry import Box, Shape3
from pickem.volumes.units import nm_per
from pickem.volumes.volume import VoxelSize, check_box, check_type, missing

# What it says of damage goes into our errors; whoever configures logging still reads its own words.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

TIFF_ENDINGS = (".tif", ".tiff")


class TiffVolume:
    """The first image series of a TIFF file as a volume. Opening reads headers alone."""

    def __init__(
        self,
        path: Path,
        pages: Sequence[int],
        shape: Shape3,
        dtype: np.dtype[Any],
        voxel_size: VoxelSize | None,
    ) -> None:
        self._path = path
        self._pages = pages  # their places in the file; fewer than sections in ImageJ's stacks
        self._shape = shape
        self._dtype = dtype
        self.voxel_size = voxel_size
        self.source = str(path)

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        return self._dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume. Decodes the sections of the box alone."""
        check_box(box, self)
        voxels = np.empty(box.shape, dtype=self._dtype)
        _, rows, columns = box.slices
        try:
            with tifffile.TiffFile(self._path) as file:
                for index, z in enumerate(range(box.start[0], box.stop[0])):
                    voxels[index] = self._section(file, z)[rows, columns]
        except FileNotFoundError as error:
            raise missing(self._path) from error
        except _DAMAGE as error:
            raise _damaged(self._path, error) from error
        return voxels

    def _section(self, file: Any, z: int) -> NDArray[Any]:  # noqa: ANN401  (tifffile is untyped)
        if len(self._pages) == self._shape[0]:
            section: NDArray[Any] = file.pages[self._pages[z]].asarray()
            return section.reshape(self._shape[1:])
        # ImageJ writes one page and the other sections, uncompressed, behind it.
        first = file.pages[self._pages[0]].dataoffsets[0]
        offset = first + z * self._shape[1] * self._shape[2] * self._dtype.itemsize
        return np.memmap(self._path, self._dtype.newbyteorder(file.byteorder), "r", offset, self._shape[1:])


_DAMAGE = (
    tifffile.TiffFileError,
    struct.error,
    ValueError,
    OSError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
)


def open_tiff(path: Path, voxel_size: VoxelSize | None) -> TiffVolume:
    """Open a TIFF file; its own voxel size is used where `voxel_size` is None.

    Raises VolumeNotFoundError, and VolumeFormatError for colours, more than three axes and damage.
    """
    try:
        with tifffile.TiffFile(path) as file:
            if not file.series:
                raise _damaged(path, "there is no image in it")
            if not _is_chain_whole(file):
                raise _damaged(path, f"it breaks off after section {len(file.pages) - 1}")
            series = file.series[0]
            shape = _grey_shape(path, series)
            dtype = np.dtype(series.dtype)
            check_type(dtype, str(path))
            found = voxel_size or _voxel_size(file)
            pages = [page.index for page in series.pages if page is not None]
    except FileNotFoundError as error:
        raise missing(path) from error
    except VolumeFormatError:
        raise
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    return TiffVolume(path, pages, shape, dtype.newbyteorder("="), found)


def _is_chain_whole(file: Any) -> bool:  # noqa: ANN401
    """Whether the last page says that no other follows: tifffile gives what it finds of a file cut short."""
    form = file.tiff
    file.filehandle.seek(file.pages[len(file.pages) - 1].offset)
    (tags,) = struct.unpack(form.tagnoformat, file.filehandle.read(form.tagnosize))
    file.filehandle.seek(tags * form.tagsize, 1)
    following = file.filehandle.read(form.offsetsize)
    return len(following) == form.offsetsize and not any(following)


def _grey_shape(path: Path, series: Any) -> Shape3:  # noqa: ANN401
    axes = [
        (name, size) for name, size in zip(series.axes, series.shape, strict=True) if size > 1 or name in "YX"
    ]
    names = "".join(name for name, _ in axes)
    sizes = [size for _, size in axes]
    if names not in ("YX", "ZYX", "IYX", "QYX"):  # I and Q: pages that the file does not name
        raise VolumeFormatError(
            "The image is not a grey image or a stack of them.",
            got=f"{path}: axes {series.axes}, shape {tuple(series.shape)}",
            expected="axes (y, x) or (z, y, x); others of length 1",
            todo=_remedy(names),
        )
    if 0 in sizes:
        raise _damaged(path, f"empty: shape {tuple(series.shape)}")
    z = sizes[0] if len(sizes) == 3 else 1
    return z, sizes[-2], sizes[-1]


def _remedy(axes: str) -> str:
    if axes == "TYX":
        return "if the frames are sections, say so: in Fiji with Image > Properties; slices instead of frames"
    return "convert it to grey values, one channel and one time point"


def _voxel_size(file: Any) -> VoxelSize | None:  # noqa: ANN401
    return _of_imagej(file) or _of_ome(file.ome_metadata)


def _of_ome(text: str | None) -> VoxelSize | None:
    """nm from the first image of an OME-XML; of unknown thickness, a section is as thick as a pixel."""
    try:
        pixels = ElementTree.fromstring(text or "").find(".//{*}Pixels")
    except ElementTree.ParseError:
        return None
    sizes: dict[str, float] = {}
    for axis in "ZYX":
        given = pixels.get(f"PhysicalSize{axis}") if pixels is not None else None
        nm = nm_per(pixels.get(f"PhysicalSize{axis}Unit", "µm")) if pixels is not None else None
        if given is not None and nm is not None:
            sizes[axis] = float(given) * nm
    if not {"Y", "X"} <= sizes.keys() or min(sizes.values()) <= 0:
        return None
    return sizes.get("Z", sizes["Y"]), sizes["Y"], sizes["X"]


def _of_imagej(file: Any) -> VoxelSize | None:  # noqa: ANN401
    """nm from ImageJ's metadata: pixels per unit in the resolution tags, spacing and unit beside them."""
    imagej = file.imagej_metadata or {}
    nm = nm_per(imagej.get("unit"))
    tags = file.pages[0].tags
    if nm is None or "XResolution" not in tags or "YResolution" not in tags:
        return None
    per_unit = [tags[name].value for name in ("YResolution", "XResolution")]
    if any(numerator == 0 for numerator, _ in per_unit):
        return None
    y, x = (nm * denominator / numerator for numerator, denominator in per_unit)
    return float(imagej.get("spacing", 1.0)) * nm, y, x


def _damaged(path: Path, why: object) -> VolumeFormatError:
    return VolumeFormatError(
        "The image cannot be read.",
        got=f"{path}: {why}",
        expected="a whole TIFF file",
        todo="copy or fetch the file again",
    )
