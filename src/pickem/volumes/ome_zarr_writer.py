"""Write OME-Zarr 0.5 images block by block, of any size, in bounded memory.

x.ome.zarr/
  zarr.json        multiscales, image-label, provenance; the last file of `create_image`
  0/zarr.json      the finest level
  0/c/0/3/1        a shard: a file with many chunks; absent where nothing but the fill value was written
  1/ …             half as fine, made from level 0

A shard is replaced whole, so a process that is killed leaves shards as they were or as they should be, and
writing a box again does no harm. Several processes may write at once: those that write whole shards never
wait for each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from pickem.durable import whole_folder, write_durably
from pickem.errors import VolumeExistsError, VolumeFormatError
from pickem.geometry import Box, Shape3, blocks, whole
from pickem.volumes.chunk_storage import (
    create_array,
    explained,
    explained_writing,
    open_array_to_write,
    read_json,
)
from pickem.volumes.ome_attributes import (
    Downsampling,
    Json,
    LabelValue,
    group_document,
    image_attributes,
    read_recipe,
)
from pickem.volumes.ome_metadata import read_image
from pickem.volumes.pyramid import Level, coarse_box, fine_box, plan_levels
from pickem.volumes.volume import VoxelSize, check_inside, missing

_SHARD_KEY = re.compile(rb"c/(\d+)/(\d+)/(\d+)")
_WRITABLE = "uint8 to uint64, int8 to int64, float16 to float64"


@dataclass(frozen=True)
class ImageSpec:
    """What an image is to be.

    `chunk` is what is compressed, and read, at once; `shard` is a file, whole chunks along each axis; both
    shrink to fit small images. `levels` is the number of levels of the pyramid, None = as many as it takes.
    An image with `values`, if only an empty tuple, is a label image: its pyramid shows the commonest value
    of the voxels below (of equally common ones the least), that of others the mean.
    """

    name: str
    shape: Shape3
    dtype: np.dtype[Any]
    voxel_size: VoxelSize | None = None  # nm, (z, y, x)
    fill: float = 0  # what was never written reads as this
    values: tuple[LabelValue, ...] | None = None
    provenance: Json = field(default_factory=dict)
    levels: int | None = None
    chunk: Shape3 = (32, 128, 128)
    shard: Shape3 = (32, 1024, 1024)

    def __post_init__(self) -> None:
        if self.dtype.kind not in "uif":
            raise _unwritable("voxel type", self.dtype, _WRITABLE)
        if min(self.shape) < 1:
            raise _unwritable("shape", self.shape, "at least one voxel along each axis")
        if min(self.chunk) < 1 or any(s < c or s % c for s, c in zip(self.shard, self.chunk, strict=True)):
            raise _unwritable("shard", self.shard, f"a multiple of the chunk, {self.chunk}")

    @property
    def downsampling(self) -> Downsampling:
        """How several voxels become one of a coarser level."""
        return "mean" if self.values is None else "mode"

    def fitted(self, shape: Shape3) -> tuple[Shape3, Shape3]:
        """Chunk and shard of a level of this shape."""
        z, y, x = (_fit(*lengths) for lengths in zip(shape, self.chunk, self.shard, strict=True))
        return (z[0], y[0], x[0]), (z[1], y[1], x[1])


class OmeZarrImage:
    """An image that is being written, itself a Volume. Can be sent to other processes; must not be forked."""

    def __init__(
        self,
        source: str,
        levels: tuple[Level, ...],
        downsampling: Downsampling,
        stores: list[ts.TensorStore],
        voxel_size: VoxelSize | None,
    ) -> None:
        self.source = source
        self.levels = levels
        self.voxel_size = voxel_size
        self._downsampling = downsampling
        self._stores = stores

    @property
    def shape(self) -> Shape3:
        """Voxels along (z, y, x) of the finest level."""
        return self.levels[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        return np.dtype(self._stores[0].dtype.numpy_dtype)

    def read(self, box: Box, level: int = 0) -> NDArray[Any]:
        """The voxels of `box`, counted on `level`. Raises VolumeFormatError as Volume says."""
        if box.size == 0:
            return np.empty(box.shape, self.dtype)
        check_inside(box, self.levels[level].shape, self.source)
        with explained_writing(self.source):
            voxels: NDArray[Any] = self._stores[level][box.slices].read().result()
        return voxels

    def write(self, box: Box, voxels: NDArray[Any]) -> None:
        """Write any box of the finest level; on the disk when this returns. The pyramid stays as it was.

        Shards that the box covers in part are read and written anew, so boxes of whole shards, as `shards`
        gives them, are quickest. Raises VolumeFormatError for a box outside of the image, voxels of another
        shape or type, and damaged shards; StorageError.
        """
        check_inside(box, self.shape, self.source)
        if voxels.shape != box.shape or voxels.dtype != self.dtype:
            raise VolumeFormatError(
                f"Voxels do not fit into their place in {self.source}.",
                got=f"{voxels.dtype}, shape {voxels.shape}",
                expected=f"{self.dtype}, shape {box.shape}",
            )
        if box.size:
            with explained_writing(self.source):
                self._stores[0][box.slices].write(voxels).result()

    def shards(self, within: Box | None = None, level: int = 0) -> Iterator[Box]:
        """The shards of a level that touch `within`, or all, as boxes cut at the image's border."""
        border = whole(self.levels[level].shape)
        asked = border if within is None else within.intersection(border)
        if asked.size:
            shard = self._shard(level)
            indices = coarse_box(asked, shard)
            for block in blocks(fine_box(indices, shard, border.stop), shard, (0, 0, 0), border):
                yield block.write

    def written(self, level: int) -> list[Box]:
        """The shards of a level that are there, as boxes cut at the border: those in which something was
        written that is not the fill value."""
        files = self._stores[level].kvstore
        assert files is not None  # an array of files
        with explained_writing(self.source):
            keys = files.list().result()
        found = []
        for match in filter(None, map(_SHARD_KEY.fullmatch, keys)):
            z, y, x = (int(index) for index in match.groups())
            index = Box((z, y, x), (z + 1, y + 1, x + 1))
            found.append(fine_box(index, self._shard(level), self.levels[level].shape))
        return found

    def build_block(self, level: int, box: Box) -> None:
        """Make `box` of a coarser level, any box of it, from the level below. Raises as `write` does.

        Holds what is written, and a chunk's worth of what is read.
        """
        finer, target = self._stores[level - 1], self._stores[level]
        step = self.levels[level - 1].step_to(self.levels[level])
        view = ts.downsample(finer, step, self._downsampling)
        chunk = _lengths(target.chunk_layout.read_chunk.shape)
        with explained_writing(self.source), ts.Transaction() as transaction:  # a shard is written once
            for part in blocks(box, chunk, (0, 0, 0), box):
                voxels = view[part.write.slices].read().result()
                target.with_transaction(transaction)[part.write.slices].write(voxels).result()

    def blocks_to_build(self, level: int) -> list[Box]:
        """The shards of a coarser level that `build_pyramid` makes: those below which, or in which, something
        was written."""
        step = self.levels[level - 1].step_to(self.levels[level])
        written = set(self.written(level))
        for box in self.written(level - 1):
            written.update(self.shards(coarse_box(box, step), level))
        return sorted(written, key=lambda box: box.start)

    def build_pyramid(self) -> None:
        """Make every coarser level anew, shard by shard. Interrupted, it can be begun again."""
        for level in range(1, len(self.levels)):
            for box in self.blocks_to_build(level):
                self.build_block(level, box)

    def update_pyramid(self, box: Box) -> None:
        """Make anew what the coarser levels show of `box`, which is counted on the finest level."""
        for level in range(1, len(self.levels)):
            box = coarse_box(box, self.levels[level - 1].step_to(self.levels[level]))
            self.build_block(level, box)

    def _shard(self, level: int) -> Shape3:
        return _lengths(self._stores[level].chunk_layout.write_chunk.shape)


def create_image(folder: Path, spec: ImageSpec) -> OmeZarrImage:
    """A new image, with all of its levels and nothing written yet. Appears whole or not at all.

    Raises VolumeExistsError where something lies at `folder`, and StorageError.
    """
    if folder.exists():
        raise VolumeExistsError(
            "Something is there already.",
            got=folder,
            expected="a name that is free",
            todo="choose another name, or move the folder away",
        )
    levels = plan_levels(spec.shape, spec.voxel_size, spec.levels)
    with whole_folder(folder) as building:
        for number, level in enumerate(levels):
            location = str(building / str(number))
            with explained_writing(location):
                create_array(location, level.shape, spec.dtype, spec.fill, *spec.fitted(level.shape))
        attributes = image_attributes(
            spec.name, levels, spec.voxel_size, spec.downsampling, spec.values, spec.provenance
        )
        write_durably(building / "zarr.json", group_document(attributes))
    return open_image(folder)


def open_image(folder: Path) -> OmeZarrImage:
    """An image that `create_image` made, to go on writing it.

    Raises VolumeNotFoundError and VolumeFormatError where there is no such image, or it is damaged.
    """
    source = str(folder)
    node = read_json(source, "zarr.json")
    if node is None:
        raise missing(folder)
    attributes: Json = node.get("attributes") or {}
    recipe = read_recipe(attributes, source)
    stores = []
    for number in range(len(recipe.factors)):
        location = f"{source}/{number}"
        with explained(location):
            stores.append(open_array_to_write(location))
    levels = tuple(
        Level(_lengths(store.shape), factor) for store, factor in zip(stores, recipe.factors, strict=True)
    )
    voxel_size = read_image(attributes["ome"], source).voxel_size
    return OmeZarrImage(source, levels, recipe.downsampling, stores, voxel_size)


def _lengths(shape: Iterable[int | None] | None) -> Shape3:
    """What tensorstore says of a shape that is known."""
    z, y, x = (length or 0 for length in shape or ())
    return z, y, x


def _fit(length: int, chunk: int, shard: int) -> tuple[int, int]:
    """Chunk and shard along an axis, no longer than it takes to cover `length`."""
    fitted = min(chunk, length)
    return fitted, fitted * min(shard // chunk, -(-length // fitted))


def _unwritable(what: str, got: object, expected: str) -> VolumeFormatError:
    return VolumeFormatError(f"An image of this {what} cannot be written.", got=got, expected=expected)
