"""Reading the values of options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pickem.errors import ConfigError
from pickem.volumes import VoxelSize

ProjectPath = Annotated[Path, typer.Argument(metavar="PROJECT", help="The project's folder, NAME.pickem.")]

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="The folder with a folder for each dataset; by default PICKEM_DATA, then ../shared/data as seen "
        "from the working directory, where that exists, then the user's cache."
    ),
]


def parse_voxel_size(text: str | None) -> VoxelSize | None:
    """ "45,4.6,4.6" as nm along (z, y, x). Raises ConfigError for anything but three positive numbers."""
    if text is None:
        return None
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError:
        z = y = x = 0.0
    if not (0 < z < float("inf") and 0 < y < float("inf") and 0 < x < float("inf")):
        raise ConfigError(
            "The voxel size is not understood.",
            got=text,
            expected="three positive numbers, nm along z,y,x: 45,4.6,4.6",
        )
    return z, y, x
