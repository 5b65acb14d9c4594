"""From a segmentation to its objects, block by block, on volumes of any size.

    label     every block by itself: components, counts, planes that neighbours see    records/
    join      components that touch across blocks are one object; number the objects   objects.npz
    split     where wanted: objects with a thin neck, each by itself                   whole/, parts/
    write     every block again: its components, under the numbers of their objects    image/
    pyramid   the label image from afar

The objects are exactly those of the whole volume at once, whatever the blocks; they are numbered by their
first voxel in the order z, y, x, 1 and up, those that are too small left out. What is held is a block's worth
a process, and some 300 bytes an object. Killed at any moment, it goes on with the blocks that are missing.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickem.blockwise.components import Components, check_label_image, label_block, read_classes
from pickem.blockwise.grid import Grid
from pickem.blockwise.mapping import Mapper
from pickem.blockwise.parts import (
    box_of,
    number_all,
    objects_from,
    objects_to,
    owners,
    paint_parts,
    part_file,
    read_crop,
    split_objects,
)
from pickem.blockwise.records import make_record, read_record, write_arrays
from pickem.blockwise.unfinished import Plan
from pickem.blockwise.union import Objects, join
from pickem.durable import storage_error, write_durably
from pickem.geometry import Box
from pickem.volumes import ImageSpec, OmeZarrImage, Volume, create_image, open_image, open_volume

Progress = Callable[[str, int, int], None]  # stage, voxels done, of how many; a stage begins with its first
JOINING_PASSES = 3  # over the records


@dataclass(frozen=True)
class Found:
    """The objects, and how many were too large to be split."""

    objects: Objects
    left_whole: int


@dataclass(frozen=True)
class Job:
    """What a process has to know to work on any block."""

    plan: Plan
    folder: Path

    @cached_property
    def grid(self) -> Grid:
        """The blocks."""
        return Grid(self.plan.shape, self.plan.settings.block)

    def record(self, number: int) -> Path:
        """Where a block's record lies."""
        return self.folder / "records" / f"{number:05d}.npz"

    def mark(self, image: str, number: int) -> Path:
        """The file that says that a block is in an image."""
        return self.folder / "written" / f"{image}-{number:05d}"


def find_objects(job: Job, run: Mapper, progress: Progress) -> Found:
    """All objects of the plan's image, and its label image in the job's folder where the plan has one.

    Raises VolumeFormatError for what is no label image, StorageError, and what `run` raises.
    """
    check_label_image(_opened(job.plan))
    _run(job, run, partial(label_one, job), job.record, "labelling", progress)
    objects = _joined(job, progress)
    found = Found(objects, 0)
    if job.plan.settings.neck is not None:
        _image(job, "whole", len(objects), levels=1)
        _run(job, run, partial(write_one, job, "whole"), partial(job.mark, "whole"), "marking", progress)
        _run(job, run, partial(split_one, job), partial(part_file, job.folder), "splitting", progress)
        found = _numbered(job, objects)
    if job.plan.image:
        _image(job, "image", len(found.objects), levels=None)
        write = write_one if job.plan.settings.neck is None else paint_one
        _run(job, run, partial(write, job, "image"), partial(job.mark, "image"), "writing", progress)
        _build_pyramid(job, run, progress)
    return found


def label_one(job: Job, number: int) -> int:
    """Find the components of a block and write its record; returns the number, as all of these do."""
    write_arrays(job.record(number), make_record(_components(job, number), job.grid, number))
    return number


def write_one(job: Job, image: str, number: int) -> int:
    """Write a block of components under the numbers of their objects."""
    target = open_image(job.folder / image)
    first, last = np.load(job.folder / "offsets.npy", mmap_mode="r")[number : number + 2]
    numbers = np.load(job.folder / "numbers.npy", mmap_mode="r")[first:last]
    names = np.append(0, numbers).astype(target.dtype)
    if names.any():
        own = job.grid.own(number)
        labels = _components(job, number).labels[: own.shape[0], : own.shape[1], : own.shape[2]]
        target.write(own, names[labels])
    write_durably(job.mark(image, number), b"")
    return number


def split_one(job: Job, number: int) -> int:
    """Split the objects whose first voxels are in a block."""
    objects, settings = _whole_objects(job), job.plan.settings
    assert settings.neck is not None
    rows = np.flatnonzero(owners(objects, job.grid) == number)
    image = open_image(job.folder / "whole")
    arrays = split_objects(image, objects, rows, job.plan.voxel_size, settings.neck)
    write_arrays(part_file(job.folder, number), arrays)
    return number


def paint_one(job: Job, image: str, number: int) -> int:
    """Write a block of whole objects and of the parts of split ones."""
    target, own, objects = open_image(job.folder / image), job.grid.own(number), _whole_objects(job)
    entire = open_image(job.folder / "whole").read(own)
    with np.load(job.folder / "final.npz") as arrays:
        final = arrays["names"].astype(target.dtype)[entire]
        for split in arrays["split"].tolist():
            box = box_of(objects, split - 1)
            if box.intersection(own).size:
                owner = int(owners(objects.taken(np.array([split - 1])), job.grid)[0])
                crop = read_crop(job.folder, owner, split)
                paint_parts(final, entire, own, box, split, crop, arrays[f"parts{split}"])
    target.write(own, final)
    write_durably(job.mark(image, number), b"")
    return number


def build_one(image: Path, level: int, blocks: Sequence[Box], number: int) -> int:
    """Make a block of a coarser level of the label image."""
    open_image(image).build_block(level, blocks[number])
    return number


def deliver(job: Job, out: Path) -> None:
    """Move the finished label image to its place, over what lies there. Raises StorageError."""
    image = job.folder / "image"
    if not image.exists():  # moved before the process was killed
        return
    try:
        if out.exists():
            shutil.rmtree(out)
        image.rename(out)
    except OSError as error:
        raise storage_error(out, error) from error


def _components(job: Job, number: int) -> Components:
    settings, box = job.plan.settings, job.grid.seen(number)
    voxels = read_classes(_opened(job.plan), box)
    return label_block(voxels, settings.connectivity, settings.holes, job.plan.source)


@lru_cache(maxsize=1)  # a process works on one image, block after block
def _opened(plan: Plan) -> Volume:
    return open_volume(plan.source, plan.voxel_size)


def _run(
    job: Job,
    run: Mapper,
    function: Callable[[int], int],
    product: Callable[[int], Path],
    stage: str,
    progress: Progress,
) -> None:
    """Call the function on every block whose product is not there, and say so in voxels."""
    sizes = [job.grid.own(number).size for number in range(len(job.grid))]
    waiting = [number for number in range(len(sizes)) if not product(number).exists()]
    total, done = sum(sizes), sum(sizes) - sum(sizes[number] for number in waiting)
    progress(stage, done, total)
    for number in run(function, waiting):
        done += sizes[number]
        progress(stage, done, total)


def _joined(job: Job, progress: Progress) -> Objects:
    """The objects, from the records of all blocks; or as they were joined before."""
    path, settings = job.folder / "objects.npz", job.plan.settings
    if not path.exists():
        total, known = job.grid.size, 0

        def done(number: int) -> None:
            nonlocal known
            known += job.grid.own(number).size
            progress("joining", known // JOINING_PASSES, total)

        progress("joining", 0, total)
        found = join(lambda number: read_record(job.record(number)), job.grid, done)
        least = settings.min_voxels if settings.neck is None else 1  # parts are asked for their size later
        kept = np.flatnonzero(found.objects.extents.voxels >= least)
        names = np.zeros(len(found.objects) + 1, np.int64)
        names[kept + 1] = np.arange(1, len(kept) + 1)
        _save_array(job.folder / "numbers.npy", names[found.numbers])
        _save_array(job.folder / "offsets.npy", found.offsets)
        _save(path, objects_to(found.objects.taken(kept)))
    return _whole_objects(job)


@lru_cache(maxsize=1)
def _whole_objects(job: Job) -> Objects:
    with np.load(job.folder / "objects.npz") as arrays:
        return objects_from(arrays)


def _numbered(job: Job, objects: Objects) -> Found:
    """All objects and parts, and their final numbers on the disk."""
    files = [part_file(job.folder, number) for number in range(len(job.grid))]
    numbering = number_all(objects, map(_loaded, files), job.plan.settings.min_voxels)
    arrays = {f"parts{number}": names for number, names in numbering.split.items()}
    arrays["split"] = np.array(sorted(numbering.split), np.int64)
    _save(job.folder / "final.npz", {"names": numbering.names, **arrays})
    return Found(numbering.objects, sum(int(_loaded(file)["too_large"][0]) for file in files))


def _loaded(path: Path) -> Mapping[str, NDArray[Any]]:
    loaded: Mapping[str, NDArray[Any]] = np.load(path)
    return loaded


def _image(job: Job, name: str, count: int, levels: int | None) -> OmeZarrImage:
    """An image of the job's folder, made where it is not there yet."""
    folder, plan = job.folder / name, job.plan
    if folder.exists():
        return open_image(folder)
    spec = ImageSpec(
        name="objects",
        shape=plan.shape,
        dtype=np.dtype(np.uint32 if count < 2**32 else np.uint64),
        voxel_size=plan.voxel_size,
        values=(),
        provenance={"objects": plan.document},
        levels=levels,
        chunk=plan.settings.chunk,
        shard=plan.settings.shard,
    )
    return create_image(folder, spec)


def _build_pyramid(job: Job, run: Mapper, progress: Progress) -> None:
    folder = job.folder / "image"
    image = open_image(folder)
    for level in range(1, len(image.levels)):
        blocks = image.blocks_to_build(level)
        done, total = 0, sum(block.size for block in blocks)
        stage = f"level {level} of the pyramid"
        progress(stage, 0, total)
        for number in run(partial(build_one, folder, level, blocks), range(len(blocks))):
            done += blocks[number].size
            progress(stage, done, total)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name, uncompressed, whole or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # the stubs take the names for options
    write_durably(path, buffer.getvalue())


def _save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array so that a part of it can be read, whole or not at all."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_durably(path, buffer.getvalue())
