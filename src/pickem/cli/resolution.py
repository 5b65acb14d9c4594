"""The one question of `pickem new`: at which resolution to work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer

from pickem.cli.images import Images
from pickem.cli.terminal import is_answered
from pickem.project.resolutions import fits, offer, write_resolutions


def ask_resolution(picture: Path, images: Images, patch: int, rng: np.random.Generator) -> float | None:
    """The resolution a person chooses, nm a pixel, with a picture of what a patch then shows to look at.

    None, and no picture, where nobody is there to be asked or where there is no choice.
    """
    offered = offer(images.volumes, patch) if is_answered() else None
    if offered is None:
        return None
    write_resolutions(picture, images.volumes, images.masks, offered.resolutions, patch, rng)
    typer.echo(
        f"A patch has {patch} × {patch} pixels. What it shows at {_listed(offered.resolutions)} nm a pixel\n"
        f"is drawn in {picture}\n"
        "What is to be labelled should be recognisable, with some surroundings.",
        err=True,
    )

    def understood(text: str | float) -> float:
        try:
            nm = float(text)
        except ValueError:
            nm = 0.0
        if not 0 < nm < float("inf"):
            raise typer.BadParameter("a number is expected, nm a pixel")
        if not fits(images.volumes, nm, patch):
            raise typer.BadParameter("so coarse, a volume is smaller than a patch")
        return nm

    chosen: float = typer.prompt(
        "Work at how many nm a pixel?", default=f"{offered.usual:g}", value_proc=understood, err=True
    )
    return chosen


def _listed(numbers: tuple[float, ...]) -> str:
    *most, last = (f"{number:g}" for number in numbers)
    return f"{', '.join(most)} and {last}"
