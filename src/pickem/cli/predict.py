"""`pickem predict`: segment a whole volume, block by block."""

from __future__ import annotations

import shlex
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from pickem.cli.moved import open_asking
from pickem.cli.options import parse_voxel_size
from pickem.cli.voxel_progress import VoxelProgress
from pickem.errors import CheckpointError, ConfigError, DiskFullError
from pickem.predictor.description import read_description
from pickem.project.classes import class_values
from pickem.project.predicting import Chosen, choose_volume, newest_checkpoint, other_volume
from pickem.volumes import LabelValue, VoxelSize

if TYPE_CHECKING:
    from distributed import Client

    from pickem.blockwise.prediction import Start
    from pickem.predictor.settings import Views

EXIT_INTERRUPTED = 130


def predict(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="PROJECT_OR_CHECKPOINT",
            help="A project, whose newest network is taken, or the .safetensors file of a network.",
        ),
    ],
    volume: Annotated[
        str | None,
        typer.Argument(
            metavar="VOLUME",
            help="A file, a folder, an address, or the name of a volume of the project; may be left out "
            "where the project has a single one.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="What to write: NAME.ome.zarr, of any size, or NAME.tif.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Work on the workers of this Dask scheduler.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes to start on this machine; by default one for four cores.", min=1),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads a worker; by default the cores are shared out.", min=1)
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the network runs.")] = "auto",
    precision: Annotated[
        Literal["auto", "fp32", "bf16"], typer.Option(help="Of the network's arithmetic.")
    ] = "auto",
    augment: Annotated[
        Literal["none", "turns", "flips"] | None,
        typer.Option(
            help="turns: mean over quarter turns, at four times the cost; flips: over mirror images too, at "
            "eight times. By default as the quality of the network was estimated."
        ),
    ] = None,
    smoothing: Annotated[
        int | None,
        typer.Option(
            help="Sections to each side that a section's probabilities are averaged with; 0 where they are "
            "images of their own. By default as the quality of the network was estimated.",
            min=0,
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write those of each class too, as 0 to 255.")
    ] = False,
    voxel_size: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="nm along z,y,x; replaces what the file says.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what is there; begin where nothing is.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Segment a whole volume, on this machine or on a cluster; may be killed, and resumed."""
    from pickem.blockwise.cluster import cores, existing_cluster, local_cluster, usual_workers
    from pickem.blockwise.job import NetworkAddress
    from pickem.blockwise.prediction import Order
    from pickem.blockwise.prediction import predict as predict_volume

    if out is None:
        raise ConfigError("Where to write was not said.", expected="--out NAME.ome.zarr, or --out NAME.tif")
    if scheduler and (workers or threads):
        raise ConfigError(
            "The workers of a scheduler are started with it, not here.",
            got="--scheduler with --workers or --threads",
            expected="one or the other",
        )
    console = Console()
    network = _network(source, volume, parse_voxel_size(voxel_size))
    console.print(network.volume.said, highlight=False, soft_wrap=True)
    processes = workers or usual_workers(device)
    if scheduler is None:
        threads = threads or max(1, cores() // processes)
    described = read_description(network.checkpoint)
    order = Order(
        volume=network.volume.address,
        network=NetworkAddress(
            checkpoint=network.checkpoint.absolute(),
            sha256=described.sha256,
            normalisation=network.volume.normalisation,
            device=device,
            precision=precision,
            views=described.views if augment is None else _VIEWS[augment],
            smoothing=described.smoothing if smoothing is None else smoothing,
            threads=threads,
        ),
        out=out.absolute(),
        values=network.values,
        probabilities=tuple(value.name for value in network.values[1:]) if probabilities else (),
        start=_start(resume, overwrite),
        provenance={"command": shlex.join(["pickem", *sys.argv[1:]])},
    )

    def connect() -> AbstractContextManager[Client]:
        return existing_cluster(scheduler) if scheduler else local_cluster(processes)

    with VoxelProgress(console) as progress:
        try:
            predict_volume(order, connect, lambda at: progress(at.stage, at.done, at.total))
        except DiskFullError as error:
            todo = f"free some space, then go on with: {_resumed()}"
            raise DiskFullError(error.what, got=error.got, todo=todo) from error
        except KeyboardInterrupt:
            console.print(
                f"Stopped; {progress.share:.0%} of this part is done and kept. "
                f"Go on with\n\n    {_resumed()}",
                highlight=False,
                soft_wrap=True,
            )
            raise typer.Exit(EXIT_INTERRUPTED) from None
    console.print(f"wrote {out}", highlight=False, soft_wrap=True)


_STARTS = ("--resume", "--overwrite")
_VIEWS: dict[str, Views] = {"none": "one", "turns": "turns", "flips": "flips"}


@dataclass(frozen=True)
class _Network:
    """A network on disk, what its outputs mean, and the volume as it sees it."""

    checkpoint: Path
    values: tuple[LabelValue, ...]
    volume: Chosen


def _network(source: Path, volume: str | None, voxel_size: VoxelSize | None) -> _Network:
    if source.is_dir():
        with open_asking(source) as project:
            return _Network(
                newest_checkpoint(project),
                class_values(project.settings.classes),
                choose_volume(project, volume, voxel_size),
            )
    if source.suffix != ".safetensors":
        raise CheckpointError(
            "This is neither a project nor a network.",
            got=source,
            expected="a folder made by `pickem new`, or a .safetensors file",
        )
    found = read_description(source)
    names = found.class_names or tuple(f"class {number}" for number in range(1, found.classes))
    if volume is None:
        raise ConfigError(
            "A network alone does not say what to segment.", todo=f"pickem predict {source} VOLUME --out …"
        )
    return _Network(source, class_values(names), other_volume(volume, voxel_size, found))


def _resumed() -> str:
    """The command that goes on with what this one has begun."""
    return shlex.join(["pickem", *(word for word in sys.argv[1:] if word not in _STARTS), "--resume"])


def _start(resume: bool, overwrite: bool) -> Start:
    if resume and overwrite:
        raise ConfigError(
            "To go on with a result and to replace it are two things.",
            got="--resume and --overwrite",
            expected="one of them",
        )
    return "resume" if resume else "overwrite" if overwrite else "new"
