"""`pickem objects SEGMENTATION`: from voxels to objects, with a table of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from pickem.errors import ConfigError


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
    unit: Annotated[
        Literal["voxels", "nm3"], typer.Option(help="Of --min-size: voxels, or nm3 for nm³.")
    ] = "voxels",
    connectivity: Annotated[
        Literal["6", "18", "26"],
        typer.Option(
            help="Voxels are one object that share a face (6), an edge too (18), a corner too (26)."
        ),
    ] = "26",
    fill_holes: Annotated[
        bool, typer.Option("--fill-holes", help="Fill cavities that are closed on all sides.")
    ] = False,
    split: Annotated[
        float | None,
        typer.Option(
            metavar="NECK",
            help="Cut touching objects where they are thinner than this share of the thinner part, as 0.6.",
        ),
    ] = None,
    voxel_size: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="nm along z,y,x; replaces what the file says.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; by default one a core, at most 4.", min=1)
    ] = None,
    block: Annotated[
        str, typer.Option(metavar="Z,Y,X", help="Voxels that a process works on at once.")
    ] = "128,512,512",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was interrupted.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew; replace what is there.")
    ] = False,
) -> None:
    """Find the objects in a segmentation of any size: connected components, a label image, a table."""
    if resume and overwrite:
        raise ConfigError(
            "--resume and --overwrite contradict each other.",
            got="both",
            expected="--resume to go on, or --overwrite to begin anew",
        )
    # what finds objects takes a moment to load
    from pickem.cli.finding import Wanted, find

    wanted = Wanted(
        segmentation=segmentation,
        out=out,
        table=table,
        plot=plot,
        min_size=min_size,
        unit=unit,
        connectivity=int(connectivity),
        holes="fill" if fill_holes else "keep",
        neck=split,
        voxel_size=voxel_size,
        workers=workers,
        block=block,
        existing="resume" if resume else "overwrite" if overwrite else "refuse",
    )
    find(wanted, Console())
