"""`pickem info VOLUME`: what pickem understands of an image."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from pickem.cli.options import parse_voxel_size
from pickem.volumes import GreyValues, Volume, open_volume, recognise, sample_grey_values

_BYTES = ("bytes", "kB", "MB", "GB", "TB", "PB")


def info(
    volume: Annotated[
        str,
        typer.Argument(
            metavar="VOLUME",
            help="A file, a folder of sections, file.h5:/dataset; a folder of Zarr, x.n5/dataset or "
            "neuroglancer precomputed, or its address.",
        ),
    ],
    voxel_size: Annotated[
        str | None, typer.Option(metavar="Z,Y,X", help="nm along z,y,x; replaces what the file says.")
    ] = None,
) -> None:
    """Show what pickem understands of an image: its size, its type, its voxels' size and grey values."""
    opened = open_volume(volume, parse_voxel_size(voxel_size))
    values = sample_grey_values(opened)
    lines = {
        "volume": opened.source,
        "format": recognise(volume).name,
        "shape": f"{_times(opened.shape)} (z, y, x)",
        "type": str(opened.dtype),
        "voxel size": _voxel_size(opened),
        "size": _size(opened),
        "sections": f"{opened.shape[0]:,}",
        "grey values": _grey_values(values),
    }
    console = Console()
    for name, text in lines.items():
        console.print(f"{name + ':':<13}{text}", markup=False, highlight=False, soft_wrap=True)


def _times(numbers: tuple[float, ...]) -> str:
    return " × ".join(f"{number:g}" if isinstance(number, float) else str(number) for number in numbers)


def _voxel_size(volume: Volume) -> str:
    if volume.voxel_size is None:
        return "unknown: give --voxel-size"
    return f"{_times(volume.voxel_size)} nm (z, y, x)"


def _size(volume: Volume) -> str:
    z, y, x = volume.shape
    size = float(z * y * x * volume.dtype.itemsize)
    unit = 0
    while size >= 1000 and unit < len(_BYTES) - 1:
        size, unit = size / 1000, unit + 1
    return f"{z * y * x:,} voxels, {size:.3g} {_BYTES[unit]} in memory"


def _grey_values(values: GreyValues) -> str:
    where = f"in the middle {_times(values.box.shape)} voxels"
    if values.quantiles is None:
        return f"none is a finite number, {where}"
    named = zip(("min", "1 %", "median", "99 %", "max"), values.quantiles, strict=True)
    found = ", ".join(f"{name} {value:g}" for name, value in named)
    odd = f", besides {values.not_finite:,} NaN or infinite" if values.not_finite else ""
    return f"{found}{odd}, {where}"
