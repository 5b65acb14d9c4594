"""`pickem new`, `label`, `status`, `export`: from one's own volume to labels and a trained network."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from pickem.cli.options import parse_voxel_size
from pickem.errors import ConfigError
from pickem.project.export import export_curve, export_labels, export_model
from pickem.project.project import create_project, open_project
from pickem.project.settings import ProjectSettings, VolumeSource
from pickem.strategies import strategy
from pickem.web.server import serve
from pickem.web.standing import standing
from pickem.web.supervisor import Activity

ProjectPath = Annotated[Path, typer.Argument(metavar="PROJECT", help="The project's folder, NAME.pickem.")]


def new(
    project: ProjectPath,
    volumes: Annotated[
        list[str], typer.Argument(metavar="VOLUME...", help="Images: files, folders or URLs.")
    ],
    classes: Annotated[list[str], typer.Option("--class", help="What is to be labelled; may be repeated.")],
    voxel_size: Annotated[
        str | None, typer.Option(help="nm along z,y,x; replaces what the files say.", metavar="Z,Y,X")
    ] = None,
    patch: Annotated[int, typer.Option(help="Height and width of a patch, pixels.", min=16)] = 128,
    strategy_name: Annotated[str, typer.Option("--strategy", help="How patches are chosen.")] = "entropy",
    unpainted: Annotated[
        Literal["background", "unlabelled"], typer.Option(help="What a pixel means that nobody painted.")
    ] = "background",
    audit: Annotated[int, typer.Option(help="Control patches that measure the quality.", min=0)] = 60,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Make a project for one's own volume."""
    strategy(strategy_name)
    size = parse_voxel_size(voxel_size)
    home = project.absolute().parent
    sources = {name: VolumeSource(path=_kept(path, home), voxel_size=size) for name, path in _names(volumes)}
    if patch % 16:
        raise ConfigError(
            "A patch's side must be a multiple of 16.", got=patch, expected="such as 64, 128, 256"
        )
    settings = ProjectSettings(
        name=project.name.removesuffix(".pickem"),
        classes=tuple(classes),
        volumes=sources,
        patch=patch,
        unpainted=unpainted,
        strategy=strategy_name,
        audit_patches=audit,
        seed=seed,
    )
    create_project(project, settings)
    typer.echo(f"Made {project}. Go on with:\n\n    pickem label {project}\n")


def label(
    project: ProjectPath,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.", min=0, max=65535)] = 8765,
    host: Annotated[
        str, typer.Option(help="Address to serve at; others than this machine can then connect.")
    ] = ("127.0.0.1"),
    token: Annotated[str | None, typer.Option(help="The secret in the address; random by default.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where the network learns.")
    ] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads of the trainer.", min=1)] = 2,
) -> None:
    """Open the labelling page; the network learns in the background."""
    console = Console()

    def ready(address: str) -> None:
        console.print(
            f"The page is open at\n\n    {address}\n\nCtrl-C ends; everything painted is saved.",
            highlight=False,
            soft_wrap=True,
        )
        if browser:
            webbrowser.open(address)

    serve(
        project,
        host=host,
        port=port,
        token=token,
        trainer_options=["--device", device, "--threads", str(threads)],
        ready=ready,
    )


def status(project: ProjectPath) -> None:
    """Say what is labelled, how good the network is, and whether it is worth going on."""
    with open_project(project) as opened:
        now = standing(opened.store, Activity("not running"))
        events = opened.store.events(3)
    lines = [
        f"{now.labelled} patches labelled, {now.skipped} skipped, {now.queue} waiting",
        f"control patches: {now.audit_done} of {now.audit_total} painted",
        f"network: {now.network.name}, from {now.network.labelled} patches"
        if now.network
        else "network: none yet",
    ]
    if now.quality:
        q = now.quality
        lines.append(
            f"Jaccard {q.jaccard:.3f}, 95 % interval {q.low:.3f} to {q.high:.3f}, {q.patches} control patches"
        )
    lines.append(now.advice)
    lines += [f"{at[:16]}  {kind}: {message.splitlines()[0]}" for at, kind, message in events]
    typer.echo("\n".join(lines))


def export(
    project: ProjectPath,
    what: Annotated[Literal["labels", "model", "curve", "everything"], typer.Argument(help="What to write.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default beside the project.")
    ] = None,
) -> None:
    """Write labels (TIFF, 255 = not labelled), the network, or the course of the quality."""
    with open_project(project) as opened:
        folder = out or project.absolute().parent / f"{opened.settings.name}-export"
        parts = {"labels": export_labels, "model": export_model, "curve": export_curve}
        chosen = list(parts) if what == "everything" else [what]
        for name in chosen:
            for path in parts[name](opened, folder):
                typer.echo(f"wrote {path}")


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
