"""The images that a job writes, which are also its journal: a block is done when its labels are there.

seg.ome.zarr/                    class indices; 255 = not done yet, so a shard that is done is never empty
  zarr.json                      classes, provenance, what job this is; "complete" once all is done
seg-probability-NAME.ome.zarr/   255 p, of each foreground class where asked for; written before the labels

A shard appears whole or not at all, and holds what no other process writes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pickem.acquisition import UNLABELLED
from pickem.blockwise.blocks import Layout
from pickem.blockwise.job import Job
from pickem.durable import storage_error, write_durably
from pickem.errors import OtherResultError, VolumeExistsError, VolumeNotFoundError
from pickem.geometry import Box
from pickem.volumes import ImageSpec, LabelValue, OmeZarrImage, Volume, VoxelSize, create_image, open_image
from pickem.volumes.chunk_storage import read_json
from pickem.volumes.ome_attributes import group_document
from pickem.volumes.ome_zarr import is_zarr_folder

Json = dict[str, Any]
_BYTE = np.dtype(np.uint8)


@dataclass(frozen=True)
class Begun:
    """A result that is there already: what of, how it is cut into blocks, and whether nothing is missing."""

    identity: Json
    layout: Layout
    complete: bool


def read_begun(labels: Path) -> Begun | None:
    """What lies at the place of a result; None where nothing does. Raises OtherResultError for others."""
    if not labels.exists():
        return None
    node = read_json(str(labels), "zarr.json") or {}
    about = (node.get("attributes") or {}).get("pickem") or {}
    try:
        return Begun(about["job"], Layout.model_validate(about["layout"]), bool(about.get("complete")))
    except (KeyError, ValueError) as error:
        raise OtherResultError(
            "What is to be resumed is not a result of `pickem predict`.",
            got=labels,
            expected="an OME-Zarr image that `pickem predict` began",
            todo="choose another name, or replace it with --overwrite",
        ) from error


def identity(volume: Volume, job: Mapping[str, object]) -> Json:
    """What makes a job this one, as JSON: `job`, and the volume by its shape, its type and some voxels."""
    z, y, x = volume.shape
    corner = (z // 2, max(0, y // 2 - 128), max(0, x // 2 - 128))
    middle = volume.read(Box(corner, (corner[0] + 1, min(y, corner[1] + 256), min(x, corner[2] + 256))))
    found = {
        **job,
        "shape": volume.shape,
        "dtype": volume.dtype.name,
        "grey values": hashlib.sha256(np.ascontiguousarray(middle).tobytes()).hexdigest(),
    }
    return dict(json.loads(json.dumps(found)))


def check_same(begun: Json, asked: Json, labels: Path) -> None:
    """Raise OtherResultError, naming what differs, where a result was begun by another job."""
    names = sorted(key for key in begun.keys() | asked.keys() if begun.get(key) != asked.get(key))
    if names:
        raise OtherResultError(
            f"{labels.name} was begun with something else: {', '.join(names)}.",
            got="; ".join(f"{name} {asked.get(name)}" for name in names),
            expected="; ".join(f"{name} {begun.get(name)}" for name in names),
            todo="give what it was begun with, choose another --out, or begin anew with --overwrite",
        )


def check_free(path: Path) -> None:
    """Raise VolumeExistsError where something lies at the place of a new result."""
    if path.exists():
        raise VolumeExistsError(
            "Something is there already.",
            got=path,
            expected="a name that is free",
            todo="go on with it by --resume, replace it by --overwrite, or choose another name",
        )


def check_replaceable(path: Path) -> None:
    """Raise VolumeExistsError where something else than an image lies at the place of a result."""
    if path.is_dir() and not is_zarr_folder(path):
        raise VolumeExistsError(
            "Something else lies where the result should.",
            got=path,
            expected="nothing, or an image to replace",
            todo="move it away, or choose another name",
        )


def remove(path: Path) -> None:
    """Delete an image that is to be replaced, where there is one. Raises as `check_replaceable`, and
    StorageError."""
    check_replaceable(path)
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


def create(job: Job, values: tuple[LabelValue, ...], voxel_size: VoxelSize | None, provenance: Json) -> None:
    """The images of a job, empty; the labels last. Raises VolumeExistsError and StorageError."""
    for folder in job.probabilities:
        remove(folder)  # left by a process that was killed before the labels were there
        name = folder.name.removesuffix(".ome.zarr")
        create_image(folder, _spec(job, name, voxel_size, provenance))
    name = job.labels.name.removesuffix(".ome.zarr")
    create_image(job.labels, _spec(job, name, voxel_size, provenance, fill=UNLABELLED, values=values))


def _spec(job: Job, name: str, voxel_size: VoxelSize | None, provenance: Json, **more: Any) -> ImageSpec:  # noqa: ANN401
    return ImageSpec(
        name,
        job.shape,
        _BYTE,
        voxel_size,
        provenance=provenance,
        chunk=job.layout.chunk,
        shard=job.layout.shard,
        **more,
    )


def open_images(job: Job) -> tuple[OmeZarrImage, ...]:
    """The labels of a job, then its probabilities. Raises VolumeNotFoundError and VolumeFormatError."""
    return tuple(open_image(folder) for folder in (job.labels, *job.probabilities))


def blocks_left(job: Job, labels: OmeZarrImage) -> list[Box]:
    """The blocks of which a shard of the labels is not there."""
    there = set(labels.written(0))
    return [block for block in job.layout.blocks(job.shape) if not there.issuperset(labels.shards(block))]


def coarse_left(image: OmeZarrImage, level: int) -> list[Box]:
    """The shards of a coarser level that are not there, and below which there is something."""
    there = set(image.written(level))
    return [box for box in image.blocks_to_build(level) if box not in there]


def mark_complete(labels: Path) -> None:
    """Write down that nothing is missing. Raises StorageError."""
    for left in labels.glob("zarr.json.*.partial"):  # by a process that was killed just here
        left.unlink(missing_ok=True)
    node = read_json(str(labels), "zarr.json")
    if node is None:
        raise VolumeNotFoundError("The result has gone.", got=labels)
    attributes = node["attributes"]
    attributes["pickem"] = {**attributes["pickem"], "complete": True}
    write_durably(labels / "zarr.json", group_document(attributes))


def sections(labels: OmeZarrImage) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
    """The sections (h, w) of an image, one by one; read by shards, which are decoded once."""
    depth, height, width = labels.shape
    together = next(labels.shards()).shape[0]
    for z in range(0, depth, together):
        yield from labels.read(Box((z, 0, 0), (min(depth, z + together), height, width)))
