"""Opening a project whose images may have moved, and `pickem move`, which says where they went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pickem.cli.options import ProjectPath
from pickem.cli.terminal import is_answered
from pickem.errors import ConfigError, InvalidMaskError, VolumeError, VolumeMovedError
from pickem.project.project import Project, open_project
from pickem.project.sources import move_image, move_mask


def move(
    project: ProjectPath,
    volume: Annotated[str, typer.Argument(metavar="NAME", help="The volume, as project.toml names it.")],
    path: Annotated[
        str | None, typer.Argument(metavar="PATH", help="Where its image lies now: a path or a URL.")
    ] = None,
    where: Annotated[str | None, typer.Option(metavar="MASK", help="Where its mask lies now.")] = None,
) -> None:
    """Say where an image of a project has gone. Moves no file, changes project.toml alone."""
    if path is None and where is None:
        raise ConfigError(
            "Nothing was said of where it has gone.", todo=f"pickem move {project} {volume} PATH"
        )
    if path is not None:
        move_image(project, volume, path)
        typer.echo(f"{volume} is read from {path} from now on.")
    if where is not None:
        move_mask(project, volume, where)
        typer.echo(f"The mask of {volume} is read from {where} from now on.")


def open_asking(folder: Path) -> Project:
    """Open a project; where an image of it has moved, ask whoever is there for its new place, and keep that.

    Raises as `open_project`: with nobody there, or without an answer, VolumeMovedError too.
    """
    while True:
        try:
            return open_project(folder)
        except VolumeMovedError as moved:
            if not is_answered():
                raise
            _ask(folder, moved)


def _ask(folder: Path, moved: VolumeMovedError) -> None:
    """Raises `moved` where the answer is empty."""
    typer.echo(f"{moved.what}\n  it was:   {moved.got}", err=True)
    keep = {"image": move_image, "mask": move_mask}[moved.part]
    while True:
        answer = typer.prompt("Where is it now? (Enter to give up)", default="", show_default=False, err=True)
        place = answer.strip().strip("'\"")  # quoted by terminals that a file is dropped on
        if not place:
            raise moved
        try:
            keep(folder, moved.name, place if "://" in place else str(Path(place).expanduser()))
        except (VolumeError, InvalidMaskError) as wrong:
            typer.echo(str(wrong), err=True)
        else:
            return
