"""`pickem queue`: which patches are labelled next, and asking for one by hand."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from pickem.cli.moved import open_asking
from pickem.cli.options import ProjectPath
from pickem.cli.terminal import is_answered
from pickem.errors import AnsweredError, ConfigError
from pickem.geometry import PatchId
from pickem.project.asking import AskedFor, Place, ask_for, patch_at, volume_named
from pickem.project.leases import Leases
from pickem.project.project import Project

app = typer.Typer(help="Which patches are labelled next: list them, ask for one.", no_args_is_help=True)


@app.command()
def add(
    project: ProjectPath,
    at: Annotated[
        str, typer.Option(metavar="Z,Y,X", help="The place, on the volume's own grid, counted from 0.")
    ],
    volume: Annotated[
        str | None, typer.Option(metavar="NAME", help="The volume, as project.toml names it.")
    ] = None,
    unit: Annotated[
        Literal["voxels", "nm"], typer.Option("--in", help="What --at is counted in.")
    ] = "voxels",
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Also where the patch was labelled already, to correct it.")
    ] = False,
) -> None:
    """Ask for a place: its patch is the next one to be labelled. Works while the page is open, too."""
    say = partial(Console().print, highlight=False, soft_wrap=True, markup=False)
    place = _place(at)
    with open_asking(project) as opened:
        patch = patch_at(opened, volume_named(opened, volume), place, unit)
        asked = _asked(opened, patch, reopen)
        holder = Leases(opened.store).held().get(asked.stored.id)
    where = f"{patch.volume}, z {patch.z}, y {patch.y} to {patch.y + patch.height - 1}, "
    say(f"Patch {asked.stored.id} is next: {where}x {patch.x} to {patch.x + patch.width - 1}, as labelled.")
    if holder:
        say(f"{holder} is at work on it now.")


@app.command("list")
def list_queue(
    project: ProjectPath,
    limit: Annotated[int, typer.Option(help="How many to show.", min=1)] = 10,
) -> None:
    """Show the top of the queue: the patches that are labelled next, and why."""
    with open_asking(project) as opened:
        queue = opened.store.queue()
        held = Leases(opened.store).held()
    table = Table(box=None, pad_edge=False)
    for heading in ("patch", "volume", "z", "y", "x", "why", "at work"):
        table.add_column(heading, justify="right" if heading in ("patch", "z", "y", "x") else "left")
    for queued in queue[:limit]:
        patch, number = queued.stored.patch, queued.stored.id
        cells = (number, patch.volume, patch.z, patch.y, patch.x, queued.reason, held.get(number, ""))
        table.add_row(*map(str, cells))
    console = Console()
    if queue:
        console.print(table, highlight=False, soft_wrap=True)
    console.print(f"{len(queue)} waiting", highlight=False)


def _asked(project: Project, patch: PatchId, reopen: bool) -> AskedFor:
    """Ask for a patch; where it was answered and somebody is there, ask them whether to reopen it."""
    try:
        return ask_for(project, patch, "reopen" if reopen else "refuse")
    except AnsweredError as error:
        if not is_answered():
            raise
        typer.echo(error.what, err=True)
        if not typer.confirm("Open it again, to correct it?", err=True):
            raise
        return ask_for(project, patch, "reopen")


def _place(text: str) -> Place:
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            "The place is not understood.", got=text, expected="three numbers, z,y,x: 40,512,1033"
        ) from None
    return z, y, x
