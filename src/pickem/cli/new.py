"""`pickem new`: a project for one's own volume."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from pickem.cli.images import EVERYWHERE, open_images
from pickem.cli.labels import open_labels
from pickem.cli.options import ProjectPath, parse_voxel_size
from pickem.cli.resolution import ask_resolution
from pickem.errors import ConfigError
from pickem.learning import Purpose, stream
from pickem.predictor.settings import SMALLEST_PATCH, check_sides
from pickem.project.importing import copy_checkpoint, import_labels, network_of
from pickem.project.picture import write_picture
from pickem.project.project import Project, check_free, create_project, open_project
from pickem.project.scale import check_scale, learned_pixel_sizes
from pickem.project.settings import LARGEST_PATCH, MOST_CLASSES, ProjectSettings, Recipe, Unpainted
from pickem.strategies import strategy
from pickem.volumes import Rescaled, Volume, discontinuous

START = "start.safetensors"


def new(
    project: ProjectPath,
    volumes: Annotated[
        list[str],
        typer.Argument(
            metavar="VOLUME...", help="Images: files, folders, or addresses of Zarr, N5 or precomputed."
        ),
    ],
    classes: Annotated[list[str], typer.Option("--class", help="What is to be labelled; may be repeated.")],
    voxel_size: Annotated[
        str | None, typer.Option(help="nm along z,y,x; replaces what the files say.", metavar="Z,Y,X")
    ] = None,
    resolution: Annotated[
        float | None, typer.Option(help="nm a pixel at which to label and learn, if coarser.", min=0.01)
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MASK",
            help=f"Image that is 0 where not to look; once a volume, in their order, or {EVERYWHERE}.",
        ),
    ] = None,
    patch: Annotated[
        int, typer.Option(help="Height and width of a patch, pixels.", min=SMALLEST_PATCH, max=LARGEST_PATCH)
    ] = 128,
    strategy_name: Annotated[str, typer.Option("--strategy", help="How patches are chosen.")] = "auto",
    unpainted: Annotated[
        Unpainted, typer.Option(help="What a pixel means that nobody painted.")
    ] = "background",
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]MASKS",
            help="Masks that exist already, of a volume's shape, 255 = not labelled; once a volume, in their "
            "order, or with the volume's name.",
        ),
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="An earlier project, to begin with its network.")
    ] = None,
    audit: Annotated[int, typer.Option(help="Control patches that measure the quality.", min=0)] = 60,
    audit_every: Annotated[int, typer.Option(help="One patch in so many is a control patch.", min=2)] = 5,
    seed: Annotated[int, typer.Option(help="Names all random choices.", min=0)] = 0,
) -> None:
    """Make a project for one's own volume."""
    check_free(project)
    _check(classes, strategy_name)
    size = parse_voxel_size(voxel_size)
    images = open_images(volumes, where or [], size)
    masks = open_labels(labels or [], list(images.volumes))
    network = network_of(start, classes) if start else None
    recipe = network[1] if network else Recipe()
    check_sides(patch, recipe.training.context, recipe.network.stride)
    picture = project.with_name(f"{project.name}.resolutions.png")
    try:
        if resolution is None:
            resolution = ask_resolution(picture, images, patch, stream(seed, Purpose.POOL))
        settings = ProjectSettings(
            name=project.name.removesuffix(".pickem"),
            classes=tuple(classes),
            volumes=images.sources(project, size, resolution),
            patch=patch,
            unpainted=unpainted,
            strategy=strategy_name,
            audit_patches=audit,
            audit_every=audit_every,
            start=START if network else None,
            seed=seed,
            recipe=recipe,
        )
        working = {
            name: Rescaled(images.volumes[name], source.factor) for name, source in settings.volumes.items()
        }
        if network:
            _check_scale(network[0], working)
        fitting = _with_fitting_smoothing(recipe, working)
        settings = settings.model_copy(update={"recipe": fitting})

        def fill(made: Project) -> None:
            if network:
                copy_checkpoint(network[0], made.checkpoints, START)
            for name, mask in masks.items():
                taken = import_labels(made, name, mask, unpainted)
                typer.echo(f"Took over the labels of {taken} patches of {name}.")
            if picture.exists():
                picture.replace(made.folder / "resolutions.png")

        create_project(project, settings, fill)
    finally:
        if picture.exists():  # no project was made
            picture.unlink()
    _tell(project, audit)


def _check(classes: list[str], strategy_name: str) -> None:
    strategy(strategy_name)
    if len(classes) > MOST_CLASSES:
        raise ConfigError(
            "So many classes have no number keys.",
            got=f"{len(classes)} classes",
            expected=f"{MOST_CLASSES} at most",
        )
    if len(set(classes)) != len(classes):
        raise ConfigError("Two classes have the same name.", got=", ".join(classes))


def _check_scale(checkpoint: Path, working: Mapping[str, Volume]) -> None:
    learned = learned_pixel_sizes(checkpoint)
    sizes = {name: volume.voxel_size for name, volume in working.items()}
    check_scale(learned, sizes)
    if not learned or None in sizes.values():
        typer.echo("Whether the earlier network has learned at this resolution is not known.")


def _with_fitting_smoothing(recipe: Recipe, working: Mapping[str, Volume]) -> Recipe:
    """Without averaging over neighbouring sections where they have little in common, or there are none."""
    apart = discontinuous(working) if recipe.measuring.smoothing else []
    if apart:
        names = ", ".join(apart)
        typer.echo(f"Neighbouring sections of {names} have little in common: each is segmented on its own.")
    elif any(volume.shape[0] > 1 for volume in working.values()):
        return recipe
    return recipe.model_copy(update={"measuring": recipe.measuring.without_smoothing()})


def _tell(project: Path, audit: int) -> None:
    """What was made, what it looks like, and what comes next."""
    with open_project(project) as made:
        picture = write_picture(made)
        control = len(made.store.patches("audit"))
        for name, volume in made.images.volumes.items():
            z, y, x = volume.shape
            typer.echo(f"{name}: {z} sections of {y} × {x} pixels, as labelled")
        if made.masks:
            share = made.candidates().share_inside(stream(made.settings.seed, Purpose.POOL))
            typer.echo(f"The masks allow about {share:.0%} of the patches.")
    if control < audit:
        typer.echo(f"There is little room: {control} control patches instead of {audit}.")
    typer.echo(f"What patches look like: {picture}\n\nGo on with:\n\n    pickem label {project}\n")
