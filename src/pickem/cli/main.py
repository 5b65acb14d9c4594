"""The `pickem` command and its subcommands; the one place where an error becomes a message."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from pickem import __version__
from pickem.cli import data, queue
from pickem.cli.benchmark import benchmark
from pickem.cli.info import info
from pickem.cli.moved import move
from pickem.cli.new import new
from pickem.cli.objects import objects
from pickem.cli.predict import predict
from pickem.cli.pretrain import pretrain
from pickem.cli.project import export, label, status
from pickem.cli.report import report
from pickem.cli.strategies import strategies
from pickem.errors import PickemError

EXIT_BAD_INPUT = 2

app = typer.Typer(
    name="pickem",
    help="pickem picks 'EM: which patches of an electron-microscopy volume are worth labelling.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(data.app, name="data")
app.command()(info)
app.command()(new)
app.command()(pretrain)
app.command()(label)
app.command()(status)
app.command()(export)
app.command()(predict)
app.command()(objects)
app.command()(move)
app.add_typer(queue.app, name="queue")
app.command()(benchmark)
app.command()(report)
app.command()(strategies)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pickem {__version__}")
        raise typer.Exit


@app.callback()
def pickem(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """pickem picks 'EM: which patches of an electron-microscopy volume are worth labelling."""


def run() -> None:
    """Entry point of the console script: exit code 0, or 2 for bad input."""
    try:
        app()
    except PickemError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(EXIT_BAD_INPUT)
