"""What `pickem objects` does once its options are read: check, find, write, tell."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from rich.console import Console

from pickem.blockwise.components import Holes, check_label_image
from pickem.blockwise.mapping import processes
from pickem.blockwise.object_settings import ObjectSettings, SizeUnit, in_voxels
from pickem.blockwise.object_table import object_table, write_table
from pickem.blockwise.objects import Found, Job, deliver, find_objects
from pickem.blockwise.source import location_of, plan_of
from pickem.blockwise.splitting import LARGEST
from pickem.blockwise.targets import Targets, check_finished, check_targets
from pickem.blockwise.unfinished import Existing, Plan, work_folder
from pickem.cli.options import parse_voxel_size
from pickem.cli.voxel_progress import VoxelProgress
from pickem.errors import ConfigError
from pickem.geometry import Shape3
from pickem.volumes import class_names, open_volume

MOST_WORKERS = 4  # by default; each takes about a GiB


@dataclass(frozen=True)
class Wanted:
    """The options of `pickem objects`, as they were typed."""

    segmentation: str
    out: Path | None
    table: Path | None
    plot: Path | None
    min_size: float
    unit: SizeUnit
    connectivity: int
    holes: Holes
    neck: float | None
    voxel_size: str | None
    workers: int | None
    block: str
    existing: Existing


def find(wanted: Wanted, console: Console) -> None:
    """Find the objects and write what was asked for. Raises PickemError for everything that is wrong."""
    targets = Targets(wanted.out, wanted.table, wanted.plot)
    plan = _plan(wanted)
    if wanted.existing == "resume" and targets.all and targets.are_there():
        check_finished(targets, plan)
        console.print("This is finished already.", highlight=False)
        return
    check_targets(targets, location_of(wanted.segmentation), wanted.existing)
    job = Job(plan, targets.folder)
    workers = min(wanted.workers or min(os.cpu_count() or 1, MOST_WORKERS), len(job.grid))
    names = class_names(plan.source)
    with work_folder(targets.folder, plan, wanted.existing):
        with processes(workers) as run, VoxelProgress(console) as progress:
            found = find_objects(job, run, progress)
        _write(targets, found, plan, names)
        if targets.out:
            deliver(job, targets.out)
    _tell(console, found, names, targets)


def _plan(wanted: Wanted) -> Plan:
    volume = open_volume(wanted.segmentation, parse_voxel_size(wanted.voxel_size))
    check_label_image(volume)
    given = {
        "connectivity": wanted.connectivity,
        "holes": wanted.holes,
        "min_voxels": in_voxels(wanted.min_size, wanted.unit, volume.voxel_size),
        "neck": wanted.neck,
        "block": _block(wanted.block),
    }
    try:
        settings = ObjectSettings.model_validate(given)
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError("The settings make no sense.", got=words) from error
    return plan_of(wanted.segmentation, volume, settings, image=wanted.out is not None)


def _block(text: str) -> Shape3:
    try:
        z, y, x = (int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            "The block is not understood.",
            got=text,
            expected="three numbers, voxels along z,y,x: 128,512,512",
        ) from None
    return z, y, x


def _write(targets: Targets, found: Found, plan: Plan, names: dict[int, str]) -> None:
    if targets.table or targets.plot:
        rows = object_table(found.objects, plan, names)
        if targets.table:
            write_table(targets.table, rows)
        if targets.plot:
            from pickem.cli.size_figure import write_size_figure  # which loads all of the report

            write_size_figure(targets.plot, rows)


def _tell(console: Console, found: Found, names: dict[int, str], targets: Targets) -> None:
    """How many objects there are of each class, and where they are."""
    say = partial(console.print, highlight=False, soft_wrap=True, markup=False)
    if not len(found.objects):
        say("There are no objects: nothing but background, or all of it smaller than --min-size.")
    values, counts = np.unique(found.objects.classes, return_counts=True)
    for value, number in zip(values.tolist(), counts.tolist(), strict=True):
        say(f"{names.get(value, f'class {value}')}: {number:,} object{'s' if number != 1 else ''}")
    if found.left_whole:
        say(f"left whole, as their boxes hold more than {LARGEST:,} voxels: {found.left_whole:,}")
    for path in targets.all:
        say(f"wrote {path}")
