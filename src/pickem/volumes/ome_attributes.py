"""What pickem writes about an image into its OME-Zarr 0.5 group, and about a group of label images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import pickem
from pickem.errors import VolumeFormatError
from pickem.geometry import Shape3
from pickem.volumes.pyramid import Level
from pickem.volumes.volume import VoxelSize

Downsampling = Literal["mean", "mode"]  # tensorstore's names
Json = Mapping[str, Any]


class PyramidRecipe(BaseModel):
    """Of each level, the finest first, how many of the finest voxels one spans; and how they become one."""

    model_config = ConfigDict(frozen=True)

    factors: tuple[Shape3, ...] = Field(min_length=1)
    downsampling: Downsampling


@dataclass(frozen=True, slots=True)
class LabelValue:
    """What a value of a label image means, and how to show it."""

    value: int
    name: str
    rgba: tuple[int, int, int, int]  # 0 to 255


def image_attributes(
    name: str,
    levels: Sequence[Level],
    voxel_size: VoxelSize | None,
    downsampling: Downsampling,
    values: Sequence[LabelValue] | None,
    provenance: Json,
) -> dict[str, Any]:
    """Attributes of the group of an image; of a label image where `values` is not None.

    `voxel_size` is nm along (z, y, x), and where it is None lengths are in voxels, without a unit.
    `provenance` stands under "pickem", beside the version of pickem and what `read_recipe` reads.
    """
    unit = {} if voxel_size is None else {"unit": "nanometer"}
    multiscale = {
        "name": name,
        "axes": [{"name": axis, "type": "space", **unit} for axis in "zyx"],
        "datasets": [
            {
                "path": str(number),
                "coordinateTransformations": _place(level, voxel_size or (1.0, 1.0, 1.0)),
            }
            for number, level in enumerate(levels)
        ],
        "type": downsampling,
        "metadata": {
            "method": "tensorstore.downsample",
            "version": version("tensorstore"),
            "kwargs": {"method": downsampling},
        },
    }
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [multiscale]}
    if values is not None:
        ome["image-label"] = _image_label(values)
    recipe = PyramidRecipe(factors=tuple(level.factor for level in levels), downsampling=downsampling)
    return {"ome": ome, "pickem": {**_stamped(provenance), "pyramid": recipe.model_dump(mode="json")}}


def read_recipe(attributes: Json, source: str) -> PyramidRecipe:
    """How the pyramid of an image that pickem wrote is to be built. Raises VolumeFormatError for others."""
    try:
        return PyramidRecipe.model_validate(attributes["pickem"]["pyramid"])
    except (ValidationError, KeyError, TypeError) as error:
        raise VolumeFormatError(
            f"{source} is no image that pickem can go on writing.",
            got="attributes without the pyramid's factors",
            expected="an image that pickem began",
            todo="write to another folder",
        ) from error


def labels_attributes(names: Sequence[str], provenance: Json) -> dict[str, Any]:
    """Attributes of a group that holds a label image under each of these names."""
    return {"ome": {"version": "0.5", "labels": list(names)}, "pickem": _stamped(provenance)}


def group_document(attributes: Json) -> bytes:
    """The zarr.json of a group with these attributes."""
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _place(level: Level, voxel_size: VoxelSize) -> list[dict[str, Any]]:
    scale = [size * factor for size, factor in zip(voxel_size, level.factor, strict=True)]
    steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if level.factor != (
        1,
        1,
        1,
    ):  # positions are those of voxels' middles, and a coarse voxel's lies further on
        middle = [size * (f - 1) / 2 for size, f in zip(voxel_size, level.factor, strict=True)]
        steps.append({"type": "translation", "translation": middle})
    return steps


def _image_label(values: Sequence[LabelValue]) -> dict[str, Any]:
    if not values:
        return {}
    return {
        "colors": [{"label-value": label.value, "rgba": list(label.rgba)} for label in values],
        "properties": [{"label-value": label.value, "class": label.name} for label in values],
    }


def _stamped(provenance: Json) -> dict[str, Any]:
    return {"version": pickem.__version__, **provenance}
