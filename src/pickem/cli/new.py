"""`pickem new`: a project for one's own volume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pickem.cli.options import ProjectPath, parse_voxel_size
from pickem.errors import ConfigError
from pickem.project.importing import copy_checkpoint, import_labels, network_of
from pickem.project.picture import write_picture
from pickem.project.project import Project, create_project, open_project
from pickem.project.settings import MOST_CLASSES, ProjectSettings, Recipe, Unpainted, VolumeSource
from pickem.strategies import strategy
from pickem.volumes import open_volume, rescale_factor

START = "start.safetensors"


def new(
    project: ProjectPath,
    volumes: Annotated[
        list[str], typer.Argument(metavar="VOLUME...", help="Images: files, folders or URLs.")
    ],
    classes: Annotated[list[str], typer.Option("--class", help="What is to be labelled; may be repeated.")],
    voxel_size: Annotated[
        str | None, typer.Option(help="nm along z,y,x; replaces what the files say.", metavar="Z,Y,X")
    ] = None,
    resolution: Annotated[
        float | None, typer.Option(help="nm a pixel at which to label and learn, if coarser.", min=0.01)
    ] = None,
    patch: Annotated[int, typer.Option(help="Height and width of a patch, pixels.", min=16)] = 128,
    strategy_name: Annotated[str, typer.Option("--strategy", help="How patches are chosen.")] = "entropy",
    unpainted: Annotated[
        Unpainted, typer.Option(help="What a pixel means that nobody painted.")
    ] = "background",
    labels: Annotated[
        str | None, typer.Option(help="Masks that exist already, of the volume's shape; 255 = not labelled.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="An earlier project, to begin with its network.")
    ] = None,
    audit: Annotated[int, typer.Option(help="Control patches that measure the quality.", min=0)] = 60,
    seed: Annotated[int, typer.Option(help="Names all random choices.", min=0)] = 0,
) -> None:
    """Make a project for one's own volume."""
    strategy(strategy_name)
    if patch % 16:
        raise ConfigError("A patch's side must be a multiple of 16.", got=patch, expected="64, 128, 256 …")
    size = parse_voxel_size(voxel_size)
    home = project.absolute().parent
    sources = {
        name: VolumeSource(path=_kept(path, home), voxel_size=size, factor=_factor(path, size, resolution))
        for name, path in _names(volumes)
    }
    if len(classes) > MOST_CLASSES:
        raise ConfigError(
            "So many classes have no number keys.",
            got=f"{len(classes)} classes",
            expected=f"{MOST_CLASSES} at most",
        )
    if len(set(classes)) != len(classes):
        raise ConfigError("Two classes have the same name.", got=", ".join(classes))
    network = network_of(start, classes) if start else None
    settings = ProjectSettings(
        name=project.name.removesuffix(".pickem"),
        classes=tuple(classes),
        volumes=sources,
        patch=patch,
        unpainted=unpainted,
        strategy=strategy_name,
        audit_patches=audit,
        start=START if network else None,
        seed=seed,
        recipe=network[1] if network else Recipe(),
    )

    def fill(made: Project) -> None:
        if network:
            copy_checkpoint(network[0], made.checkpoints, START)
        if labels:
            taken = import_labels(made, open_volume(labels), unpainted)
            typer.echo(f"Took over the labels of {taken} patches.")

    create_project(project, settings, fill)
    with open_project(project) as made:
        picture = write_picture(made)
        control = len(made.store.patches("audit"))
        for name, volume in made.images.volumes.items():
            z, y, x = volume.shape
            typer.echo(f"{name}: {z} sections of {y} × {x} pixels, as labelled")
    if control < audit:
        typer.echo(f"The volume is small: {control} control patches instead of {audit}.")
    typer.echo(f"What patches look like: {picture}\n\nGo on with:\n\n    pickem label {project}\n")


def _names(paths: list[str]) -> list[tuple[str, str]]:
    """A name for each volume: what its file is called, without the ending."""
    named = [(path.rstrip("/").rsplit("/", 1)[-1].split(".")[0] or "volume", path) for path in paths]
    if len({name for name, _ in named}) != len(named):
        raise ConfigError(
            "Two volumes have the same name.",
            got=", ".join(name for name, _ in named),
            expected="different file names",
            todo="rename one of the files",
        )
    return named


def _kept(path: str, home: Path) -> str:
    """The path as the project keeps it: relative where both lie in one folder, so that they can move."""
    if "://" in path:
        return path
    absolute = Path(path).absolute()
    return str(absolute.relative_to(home)) if absolute.is_relative_to(home) else str(absolute)


def _factor(path: str, voxel_size: tuple[float, float, float] | None, resolution: float | None) -> int:
    volume = open_volume(path, voxel_size)  # so that a path that is wrong is told here
    return 1 if resolution is None else rescale_factor(volume.voxel_size, resolution)
