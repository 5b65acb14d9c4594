"""What the metadata of OME-Zarr 0.4 and 0.5 say of an image: its finest level, axes and voxel size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pickem.errors import VolumeFormatError
from pickem.volumes.units import nm_per, voxel_size_of
from pickem.volumes.volume import VoxelSize


@dataclass(frozen=True)
class Image:
    """The finest level of an image."""

    path: str  # of its array, in the image's group
    axes: str  # a letter each, in the array's order
    voxel_size: VoxelSize | None  # nm, (z, y, x)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Axis(_Part):
    name: Annotated[str, Field(pattern=r"^[a-z]$")]
    unit: str | None = None


class _Transformation(_Part):
    type: str
    scale: tuple[float, ...] = ()


_Transformations = Annotated[tuple[_Transformation, ...], Field(alias="coordinateTransformations")]


class _Level(_Part):
    path: str
    transformations: _Transformations = ()


class _Multiscale(_Part):
    axes: tuple[_Axis, ...]
    levels: Annotated[tuple[_Level, ...], Field(alias="datasets", min_length=1)]  # the finest first
    transformations: _Transformations = ()


def read_image(attributes: Mapping[str, Any], source: str) -> Image:
    """The first image of a group with these attributes (Zarr 2), or with these under "ome" (Zarr 3).

    Raises VolumeFormatError where there is none, or where its metadata are not as the standard has them.
    """
    multiscales = attributes.get("multiscales")
    if not multiscales:
        raise VolumeFormatError(
            f"{source} is a Zarr group without an OME-Zarr image.",
            got=f"attributes {', '.join(attributes) or 'none'}",
            expected="multiscales",
            todo="give the path of one image or array inside it",
        )
    try:
        image = _Multiscale.model_validate(multiscales[0])
    except (ValidationError, KeyError, TypeError) as error:
        raise VolumeFormatError(
            f"The OME-Zarr metadata of {source} are not those of version 0.4 or 0.5.",
            got=_first_line(error),
            expected="multiscales with axes and datasets",
            todo="convert the image to OME-Zarr 0.5, or give the path of one array inside it",
        ) from error
    level = image.levels[0]
    axes = "".join(axis.name for axis in image.axes)
    return Image(level.path, axes, _voxel_size(image.axes, (*level.transformations, *image.transformations)))


def _voxel_size(axes: Sequence[_Axis], transformations: Iterable[_Transformation]) -> VoxelSize | None:
    scales = [step.scale for step in transformations if step.type == "scale"]
    if not scales or any(len(scale) != len(axes) for scale in scales):
        return None
    sizes: dict[str, float] = {}
    for axis, factors in zip(axes, zip(*scales, strict=True), strict=True):
        if axis.name in "zyx":
            sizes[axis.name] = math.prod(factors) * (nm_per(axis.unit) or 0)
    return voxel_size_of(sizes)


def _first_line(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"multiscales: {error}"
    first = error.errors()[0]
    return f"multiscales: {'.'.join(map(str, first['loc']))}: {first['msg']}"
