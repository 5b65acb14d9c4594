"""`pickem label`, `status`, `export`: working on a project."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from pickem.cli.annotators import annotator_lines
from pickem.cli.browser import open_page, private_folder
from pickem.cli.course import course_lines
from pickem.cli.moved import open_asking
from pickem.cli.options import ProjectPath
from pickem.cli.pace import pace_lines
from pickem.cli.simulation import simulation
from pickem.project.export import export_curve, export_labels, export_model, export_segmentation
from pickem.project.exported_images import Form
from pickem.project.sources import home_of
from pickem.volumes import open_volume
from pickem.web.server import serve
from pickem.web.standing import standing
from pickem.web.supervisor import Activity

Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the network runs.")]


def label(
    project: ProjectPath,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.", min=0, max=65535)] = 8765,
    host: Annotated[
        str, typer.Option(help="Address to serve at; others than this machine can then connect.")
    ] = ("127.0.0.1"),
    token: Annotated[str | None, typer.Option(help="The secret in the address; random by default.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    device: Device = "auto",
    threads: Annotated[
        int | None, typer.Option(help="CPU threads of the trainer; by default all cores but one.", min=1)
    ] = None,
    simulate: Annotated[
        str | None, typer.Option(help="Ground truth that paints instead of a person, of the volume's shape.")
    ] = None,
    patches: Annotated[int, typer.Option(help="Patches that --simulate paints.", min=1)] = 100,
) -> None:
    """Open the labelling page; the network learns in the background."""
    console = Console()
    open_asking(project).close()  # before the server and the trainer open it, who ask nobody
    simulated = simulation(project, open_volume(simulate), patches, console) if simulate else None

    def ready(address: str, folder: Path) -> None:
        console.print(
            f"The page is open at\n\n    {address}\n\nCtrl-C ends; everything painted is saved.",
            highlight=False,
            soft_wrap=True,
        )
        if browser and not simulate:
            # aside, as some browsers return only when the page is there, or closed
            threading.Thread(target=open_page, args=(address, folder), daemon=True).start()

    cores = threads or max(1, (os.cpu_count() or 2) - 1)
    annotator = "simulated" if simulate else "person"
    with private_folder() as folder:
        serve(
            project,
            host=host,
            port=port,
            token=token,
            trainer_options=["--device", device, "--threads", str(cores), "--annotator", annotator],
            ready=lambda address: ready(address, folder),
            meanwhile=simulated,
        )


def status(project: ProjectPath) -> None:
    """Say what is labelled, how good the network is, and whether it is worth going on."""
    with open_asking(project) as opened:
        now = standing(opened.store, Activity("not running"))
        events = opened.store.events(3)
    lines = [
        f"{now.labelled} patches labelled, {now.skipped} skipped, {now.queue} waiting",
        f"control patches: {now.audit_done} of {now.audit_total} painted{_missing(now.audit_skipped)}",
        f"time spent: {_clock(now.seconds)}, {_clock(now.audit_seconds)} of it on control patches",
        *pace_lines(now),
        *annotator_lines(now.annotators),
        f"{now.network.name}, from {now.network.labelled} patches" if now.network else "network: none yet",
    ]
    lines += course_lines(now.course)
    lines.append(now.advice)
    lines += [f"{at[:16]}  {kind}: {message.splitlines()[0]}" for at, kind, message in events]
    typer.echo("\n".join(lines))


def _missing(skipped: int) -> str:
    return f", {skipped} skipped: the estimate knows nothing of them" if skipped else ""


def _clock(seconds: float) -> timedelta:
    """Prints as h:mm:ss."""
    return timedelta(seconds=round(seconds))


def export(
    project: ProjectPath,
    what: Annotated[
        Literal["labels", "segmentation", "model", "curve", "everything"],
        typer.Argument(help="What to write."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default beside the project.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="Of labels and segmentation.")] = "tiff",
    device: Device = "auto",
) -> None:
    """Write labels and segmentation (TIFF or OME-Zarr), the network, or the course of the quality (CSV)."""
    console = Console()
    with open_asking(project) as opened, Progress(console=console, transient=True) as bars:
        folder = out or home_of(project) / f"{opened.settings.name}-export"
        bar = bars.add_task("segmenting", visible=False)

        def progress(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total, visible=True)

        parts: dict[str, Callable[[], Iterator[Path]]] = {
            "labels": lambda: export_labels(opened, folder, form),
            "model": lambda: export_model(opened, folder),
            "curve": lambda: export_curve(opened, folder),
            "segmentation": lambda: export_segmentation(opened, folder, progress, device, form),
        }
        for name in parts if what == "everything" else [what]:
            for path in parts[name]():
                console.print(f"wrote {path}", highlight=False, soft_wrap=True)
