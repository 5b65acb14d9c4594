"""HDF5: one dataset of a file as a volume. `file.h5:/path/in/it` names the dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, Shape3
from pickem.volumes.volume import VoxelSize, check_box, check_type, grey_shape, missing

HDF5_ENDINGS = (".h5", ".hdf5")
_LOCATION = re.compile(r"(?P<file>.+\.(?:h5|hdf5))(?::(?P<inner>/.*|))?", re.IGNORECASE | re.DOTALL)
_NM_PER_UM = 1e3
_MOST_LISTED = 20  # datasets, in an error message
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError)


def split_location(path: Path) -> tuple[Path, str]:
    """The file, and what in it is meant: `a.h5:/raw` is `a.h5` and `/raw`; `a.h5` is `a.h5` and `/`."""
    match = _LOCATION.fullmatch(str(path))
    return (Path(match["file"]), match["inner"] or "/") if match else (path, "/")


class Hdf5Volume:
    """A dataset of two or three axes, taken as (y, x) and (z, y, x).

    Where a group is named, the file's root by default, its only 3-D dataset is taken, else its only 2-D one.
    The file is opened anew for each read: nothing is held open, and volumes can be sent to other processes.
    """

    def __init__(self, path: Path, voxel_size: VoxelSize | None = None) -> None:
        self._file, inner = split_location(path)
        with _opened(self._file) as file:
            dataset = _find(file, inner, self._file)
            self._name = str(dataset.name)
            self.source = f"{self._file}:{self._name}"
            self._dtype: np.dtype[Any] = dataset.dtype.newbyteorder("=")
            check_type(self._dtype, self.source)
            self._shape = grey_shape(dataset.shape, self.source)
            self.voxel_size = voxel_size or _voxel_size(dataset)

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels, in this machine's byte order."""
        return self._dtype

    def read(self, box: Box) -> NDArray[Any]:
        """See Volume. Decodes the chunks that the box touches."""
        check_box(box, self)
        voxels = np.empty(box.shape, dtype=self._dtype)
        if box.size:
            with _opened(self._file) as file:
                dataset = file[self._name]
                voxels[:] = dataset[box.slices[3 - dataset.ndim :]]
        return voxels


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open file; damage that shows while it is used is a VolumeFormatError as well."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (VolumeFormatError, VolumeNotFoundError):
        raise
    except FileNotFoundError as error:
        raise missing(path) from error
    except _DAMAGE as error:
        raise VolumeFormatError(
            "The image cannot be read.",
            got=f"{path}: {error}",
            expected="a whole HDF5 file, compressed by filters that HDF5 itself has (gzip, lzf, szip)",
            todo="close it in other programs; else copy, fetch or convert the file again",
        ) from error


def _find(file: Any, inner: str, path: Path) -> Any:  # noqa: ANN401  (h5py is untyped)
    found = file.get(inner)
    if isinstance(found, h5py.Dataset) and found.shape is not None:
        return found
    datasets = _datasets(found if isinstance(found, h5py.Group) else file)
    if found is None:
        raise VolumeNotFoundError(
            f"The file {path} has nothing under that name.", got=inner, expected=_listing(datasets)
        )
    candidates = [d for d in datasets if d.ndim == 3] or [d for d in datasets if d.ndim == 2]
    if len(candidates) != 1:
        raise VolumeFormatError(
            f"Which dataset of {path} is the volume?" if candidates else f"{path} holds no volume.",
            got=_listing(datasets),
            expected="one dataset with axes (z, y, x) or (y, x)",
            todo=f"name it: {path}:{candidates[0].name}" if candidates else "look for the voxels elsewhere",
        )
    return candidates[0]


def _datasets(group: Any) -> list[Any]:  # noqa: ANN401
    found: list[Any] = []
    group.visititems(
        lambda _, item: (
            found.append(item) if isinstance(item, h5py.Dataset) and item.shape is not None else None
        )
    )
    return found


def _listing(datasets: list[Any]) -> str:
    named = [f"{d.name} {tuple(d.shape)} {d.dtype}" for d in datasets[:_MOST_LISTED]]
    more = len(datasets) - len(named)
    return ", ".join([*named, f"{more} more"] if more else named) or "no dataset at all"


def _voxel_size(dataset: Any) -> VoxelSize | None:  # noqa: ANN401
    """nm, from the attribute that ilastik and others write: µm along the dataset's axes."""
    sizes = np.asarray(dataset.attrs.get("element_size_um", ())).ravel()
    if sizes.shape != (dataset.ndim,) or sizes.dtype.kind not in "fiu" or not (sizes > 0).all():
        return None
    # One section has no distance to the next: the height of its pixels stands for it.
    z, y, x = (float(size) * _NM_PER_UM for size in (sizes if len(sizes) == 3 else (sizes[0], *sizes)))
    return z, y, x
