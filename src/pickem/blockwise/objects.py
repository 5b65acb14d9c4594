"""From a segmentation to its objects, block by block, on volumes of any size.

    label     every block by itself: components, counts, planes that neighbours see    records/
    join      components that touch across blocks are one object; number the objects   objects.npz
    split     where wanted: objects with a thin neck, each by itself                   parts/
    write     every block again: its components, under the numbers of their objects    image/
    pyramid   the label image from afar

The objects are exactly those of the whole volume at once, whatever the blocks; they are numbered by their
first voxel in the order z, y, x, 1 and up, those that are too small left out. What is held is a block's worth
a process, and some 300 bytes an object. Killed at any moment, it goes on with the blocks that are missing.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path

import numpy as np

from pickem.blockwise.components import Components, check_label_image, label_block, read_classes
from pickem.blockwise.grid import Grid
from pickem.blockwise.mapping import Mapper
from pickem.blockwise.measures import Extents
from pickem.blockwise.records import is_record, make_record, read_record, write_record
from pickem.blockwise.unfinished import Plan
from pickem.blockwise.union import Objects, join
from pickem.durable import write_durably
from pickem.geometry import Box
from pickem.volumes import ImageSpec, OmeZarrImage, Volume, create_image, open_image, open_volume

Progress = Callable[[str, int, int], None]  # stage, voxels done, of how many; a stage begins with its first
JOINING_PASSES = 3  # over the records


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

    def written(self, number: int) -> Path:
        """The file that says that a block is in the label image."""
        return self.folder / "written" / f"{number:05d}"

    @property
    def image(self) -> Path:
        """Where the label image is made."""
        return self.folder / "image"


def find_objects(job: Job, run: Mapper, progress: Progress) -> Objects:
    """All objects of the plan's image, and its label image in the job's folder where the plan has one.

    Raises VolumeFormatError for what is no label image, StorageError, and what `run` raises.
    """
    source = _opened(job.plan)
    check_label_image(source)
    numbers = range(len(job.grid))
    _run(
        job,
        run,
        partial(label_one, job),
        "labelling",
        [n for n in numbers if is_record(job.record(n))],
        progress,
    )
    objects = _joined(job, progress)
    if job.plan.image:
        _image(job, len(objects))
        done = [n for n in numbers if job.written(n).exists()]
        _run(job, run, partial(write_one, job), "writing", done, progress)
        _build_pyramid(job, run, progress)
    return objects


def label_one(job: Job, number: int) -> int:
    """Find the components of a block and write its record; returns the number."""
    write_record(job.record(number), make_record(_components(job, number), job.grid, number))
    return number


def write_one(job: Job, number: int) -> int:
    """Write a block of the label image; returns the number."""
    table = np.load(job.folder / "numbers.npy", mmap_mode="r")
    offsets = np.load(job.folder / "offsets.npy")
    image = open_image(job.image)
    names = np.append(0, table[offsets[number] : offsets[number + 1]]).astype(image.dtype)
    if names.any():
        own = job.grid.own(number)
        labels = _components(job, number).labels[: own.shape[0], : own.shape[1], : own.shape[2]]
        image.write(own, names[labels])
    write_durably(job.written(number), b"")
    return number


def build_one(image: Path, level: int, blocks: Sequence[Box], number: int) -> int:
    """Make a block of a coarser level of the label image; returns the number."""
    open_image(image).build_block(level, blocks[number])
    return number


def _components(job: Job, number: int) -> Components:
    settings, box = job.plan.settings, job.grid.seen(number)
    voxels = read_classes(_opened(job.plan), box)
    return label_block(voxels, settings.connectivity, settings.holes, job.plan.source)


@lru_cache(maxsize=1)  # a process works on one image, block after block
def _opened(plan: Plan) -> Volume:
    return open_volume(plan.source, plan.voxel_size)


def _run(
    job: Job, run: Mapper, function: Callable[[int], int], stage: str, done: Sequence[int], progress: Progress
) -> None:
    """Call the function on every block that is not done, and say so in voxels."""
    sizes = [job.grid.own(number).size for number in range(len(job.grid))]
    total, known = sum(sizes), sum(sizes[number] for number in done)
    progress(stage, known, total)
    for number in run(function, sorted(set(range(len(sizes))) - set(done))):
        known += sizes[number]
        progress(stage, known, total)


def _joined(job: Job, progress: Progress) -> Objects:
    """The objects, from the records of all blocks; or as they were joined before."""
    path = job.folder / "objects.npz"
    if not path.exists():
        sizes = [job.grid.own(number).size for number in range(len(job.grid))]
        total, known = sum(sizes), 0

        def done(number: int) -> None:
            nonlocal known
            known += sizes[number]
            progress("joining", known // JOINING_PASSES, total)

        progress("joining", 0, total)
        found = join(lambda number: read_record(job.record(number)), job.grid, done)
        kept = np.flatnonzero(found.objects.extents.voxels >= job.plan.settings.min_voxels)
        names = np.zeros(len(found.objects) + 1, np.int64)
        names[kept + 1] = np.arange(1, len(kept) + 1)
        _save(job.folder / "numbers.npy", names[found.numbers])
        _save(job.folder / "offsets.npy", found.offsets)
        write_objects(path, found.objects.taken(kept))
    return read_objects(path)


def _image(job: Job, count: int) -> OmeZarrImage:
    """The label image, made where it is not there yet."""
    if job.image.exists():
        return open_image(job.image)
    plan = job.plan
    spec = ImageSpec(
        name="objects",
        shape=plan.shape,
        dtype=np.dtype(np.uint32 if count < 2**32 else np.uint64),
        voxel_size=plan.voxel_size,
        values=(),
        provenance={"objects": plan.document},
        chunk=plan.settings.chunk,
        shard=plan.settings.shard,
    )
    return create_image(job.image, spec)


def _build_pyramid(job: Job, run: Mapper, progress: Progress) -> None:
    image = open_image(job.image)
    for level in range(1, len(image.levels)):
        blocks = image.blocks_to_build(level)
        done, total = 0, sum(block.size for block in blocks)
        stage = f"level {level} of the pyramid"
        progress(stage, 0, total)
        for number in run(partial(build_one, job.image, level, blocks), range(len(blocks))):
            done += blocks[number].size
            progress(stage, done, total)


def write_objects(path: Path, objects: Objects) -> None:
    """Write what was counted, whole or not at all."""
    where = objects.extents
    buffer = io.BytesIO()
    np.savez(
        buffer,
        classes=objects.classes,
        crossings=objects.crossings,
        border=objects.border,
        voxels=where.voxels,
        first=where.first,
        low=where.low,
        high=where.high,
        sums=where.sums,
    )
    write_durably(path, buffer.getvalue())


def read_objects(path: Path) -> Objects:
    """What `write_objects` wrote."""
    with np.load(path) as a:
        where = Extents(a["voxels"], a["first"], a["low"], a["high"], a["sums"])
        return Objects(a["classes"], where, a["crossings"], a["border"])


def _save(path: Path, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_durably(path, buffer.getvalue())


def deliver(job: Job, out: Path) -> None:
    """Move the finished label image to where it was wanted, in place of what lies there."""
    if not job.image.exists():  # moved before the process was killed
        return
    if out.exists():
        shutil.rmtree(out)
    job.image.rename(out)
