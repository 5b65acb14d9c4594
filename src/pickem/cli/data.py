"""`pickem data`: which datasets there are, bring one here, check one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from pickem.cli.options import DataDir
from pickem.datasets import Source, data_folder, find_source, open_dataset, sources
from pickem.datasets.embedded import copy_demo
from pickem.datasets.fetch import fetch as fetch_source
from pickem.datasets.fetch import is_installed
from pickem.datasets.verify import verify as verify_dataset
from pickem.errors import DownloadError

app = typer.Typer(help="Labelled datasets: list, fetch, verify.", no_args_is_help=True)

EXIT_FINDINGS = 2


@app.command("list")
def list_datasets(data_dir: DataDir = None) -> None:
    """List the datasets that pickem knows by name, and whether they are on this machine."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what", "licence", "here"):
        table.add_column(heading)
    table.add_row("demo", open_dataset("demo").title, "MIT", "embedded")
    folder = data_folder(data_dir)
    for source in sources().values():
        here = "yes" if is_installed(source, folder / source.name) else "no"
        table.add_row(source.name, source.title, source.licence, here)
    console = Console()
    console.print(table)
    console.print(f"\nlooked in {folder}; your own dataset: the path of its TOML file", highlight=False)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Name of a public dataset.")],
    data_dir: DataDir = None,
    mirror: Annotated[
        str | None,
        typer.Option(help="Address that serves each file under its path in the dataset's folder."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept the terms without being asked.")] = False,
) -> None:
    """Download a public dataset: resumed when interrupted, verified, never half-installed."""
    console = Console()
    if name == "demo":
        if data_dir is None:
            console.print("demo is inside the package; there is nothing to fetch (--data-dir copies it)")
        else:
            console.print(f"copied to {copy_demo(data_dir / name)}", highlight=False, soft_wrap=True)
        return
    source = find_source(name)
    folder = data_folder(data_dir) / name
    if is_installed(source, folder):
        console.print(f"{name} is here already: {folder}", highlight=False, soft_wrap=True)
        return
    _show_terms(console, source)
    if source.files and not yes and not _accepted():
        raise DownloadError(
            "Nothing was downloaded: the terms were not accepted.", todo="answer with y, or give --yes"
        )
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        bars: dict[str, TaskID] = {}

        def show(file: str, done: int, total: int | None) -> None:
            if file not in bars:
                bars[file] = progress.add_task(file)
            progress.update(bars[file], completed=done, total=total)

        fetch_source(source, folder, mirror, show)
    console.print(f"{name} is complete: {folder}", highlight=False, soft_wrap=True)


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="Name of a dataset, or a TOML file of your own.")],
    data_dir: DataDir = None,
) -> None:
    """Read a whole dataset and say what looks wrong in it; exit code 2 where something does."""
    console = Console()
    dataset = open_dataset(name, data_dir)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"reading {name}", total=None)
        result = verify_dataset(
            dataset, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    for summary in result.summaries:
        shares = ", ".join(
            f"{class_name} {share:.1%}"
            for class_name, share in zip(dataset.classes, summary.shares, strict=True)
        )
        size = " × ".join(map(str, summary.shape))
        console.print(f"{summary.volume}: {size}, {shares}", highlight=False, soft_wrap=True)
    for note in result.notes:
        console.print(f"{note.volume}: note: {note.message}", style="yellow", highlight=False, soft_wrap=True)
    for finding in result.findings:
        console.print(f"{finding.volume}: {finding.message}", style="red", highlight=False, soft_wrap=True)
    if result.findings:
        raise typer.Exit(EXIT_FINDINGS)
    console.print(f"{name} makes sense", highlight=False, soft_wrap=True)


def _accepted() -> bool:
    try:
        return typer.confirm("Download it on these terms?")
    except typer.Abort:  # nobody is there to answer
        return False


def _show_terms(console: Console, source: Source) -> None:
    hashed = all(file.sha256 for file in source.files)
    known = "known for every file" if hashed else "not published; what comes is recorded in provenance.json"
    lines = (
        f"{source.name}: {source.title}",
        f"from:     {source.home}",
        f"licence:  {source.licence}",
        f"cite:     {source.citation}",
        *((f"SHA-256:  {known}",) if source.files else ()),
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
