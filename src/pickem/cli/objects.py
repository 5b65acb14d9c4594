"""`pickem objects SEGMENTATION`: from voxels to objects, with a table of them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from pydantic import ValidationError
from rich.console import Console

from pickem.blockwise.components import Connectivity, check_label_image
from pickem.blockwise.mapping import processes
from pickem.blockwise.object_settings import BLOCK, ObjectSettings, SizeUnit, in_voxels
from pickem.blockwise.object_table import object_table, write_table
from pickem.blockwise.objects import Job, deliver, find_objects
from pickem.blockwise.source import location_of, plan_of
from pickem.blockwise.targets import Targets, check_finished, check_targets
from pickem.blockwise.unfinished import Existing, work_folder
from pickem.blockwise.union import Objects
from pickem.cli.options import parse_voxel_size
from pickem.cli.size_figure import write_size_figure
from pickem.cli.voxel_progress import VoxelProgress
from pickem.errors import ConfigError
from pickem.geometry import Shape3
from pickem.volumes import class_names, open_volume

MOST_WORKERS = 4  # by default; a block takes about half a GiB

_CONNECTIVITIES: dict[str, Connectivity] = {"6": 6, "18": 18, "26": 26}


def objects(
    segmentation: Annotated[
        str,
        typer.Argument(metavar="SEGMENTATION", help="Label image: 0 is background, 1 and more are classes."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="OME-Zarr image in which every object has its own number.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Table with a row for each object: .parquet or .csv.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the sizes by class: .png or .svg.")] = None,
    min_size: Annotated[float, typer.Option(help="Leave out smaller objects; see --unit.")] = 0,
    unit: Annotated[SizeUnit, typer.Option(help="Of --min-size: voxels, or nm3 for nm³.")] = "voxels",
    connectivity: Annotated[
        Literal["6", "18", "26"],
        typer.Option(
            help="Voxels are one object that share a face (6), an edge too (18), a corner too (26)."
        ),
    ] = "26",
    fill_holes: Annotated[
        bool, typer.Option("--fill-holes", help="Fill cavities that are closed on all sides.")
    ] = False,
    voxel_size: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="nm along z,y,x; replaces what the file says.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help=f"Processes; by default one a core, at most {MOST_WORKERS}.", min=1)
    ] = None,
    block: Annotated[
        str, typer.Option(metavar="Z,Y,X", help="Voxels that a process works on at once.")
    ] = ",".join(map(str, BLOCK)),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was interrupted.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew; replace what is there.")
    ] = False,
) -> None:
    """Find the objects in a segmentation of any size: connected components, a label image, a table."""
    console = Console()
    existing = _existing(resume, overwrite)
    targets = Targets(out, table, plot)
    volume = open_volume(segmentation, parse_voxel_size(voxel_size))
    check_label_image(volume)
    settings = _settings(
        connectivity=_CONNECTIVITIES[connectivity],
        holes="fill" if fill_holes else "keep",
        min_voxels=in_voxels(min_size, unit, volume.voxel_size),
        block=_block(block),
    )
    plan = plan_of(segmentation, volume, settings, image=out is not None)
    if existing == "resume" and targets.all and targets.are_there():
        check_finished(targets, plan)
        console.print("This is finished already.", highlight=False)
        return
    check_targets(targets, location_of(segmentation), existing)
    job = Job(plan, targets.folder)
    count = min(workers or min(os.cpu_count() or 1, MOST_WORKERS), len(job.grid))
    with work_folder(targets.folder, plan, existing):
        with processes(count) as run, VoxelProgress(console) as progress:
            found = find_objects(job, run, progress)
        names = class_names(plan.source)
        if table or plot:
            rows = object_table(found, plan, names)
        if table:
            write_table(table, rows)
        if plot:
            write_size_figure(plot, rows)
        if out:
            deliver(job, out)
    _tell(console, found, names, targets)


def _existing(resume: bool, overwrite: bool) -> Existing:
    if resume and overwrite:
        raise ConfigError(
            "--resume and --overwrite contradict each other.",
            got="both",
            expected="--resume to go on, or --overwrite to begin anew",
        )
    return "resume" if resume else "overwrite" if overwrite else "refuse"


def _settings(**given: object) -> ObjectSettings:
    try:
        return ObjectSettings.model_validate(given)
    except ValidationError as error:
        words = "; ".join(str(problem["msg"]) for problem in error.errors())
        raise ConfigError("The settings make no sense.", got=words) from error


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


def _tell(console: Console, found: Objects, names: dict[int, str], targets: Targets) -> None:
    """How many objects there are of each class, and where they are."""
    say = partial(console.print, highlight=False, soft_wrap=True, markup=False)
    if not len(found):
        say("There are no objects: nothing but background, or all of it smaller than --min-size.")
    values, counts = np.unique(found.classes, return_counts=True)
    for value, number in zip(values.tolist(), counts.tolist(), strict=True):
        say(f"{names.get(value, f'class {value}')}: {number:,} object{'s' if number != 1 else ''}")
    for path in targets.all:
        say(f"wrote {path}")
