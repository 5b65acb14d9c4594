"""The picture of `pickem objects`: how large the objects of each class are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pickem.benchmark.report.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
    new_figure,
    render,
    settings,
)
from pickem.durable import write_durably

NM3_PER_UM3 = 1e9
BINS_PER_DECADE = 8
SHOWN = 7  # classes, those with the most objects
_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, SKY_BLUE, PURPLE, GREY)


def write_size_figure(path: Path, table: pa.Table) -> None:
    """A histogram of volumes for each class, on one logarithmic axis; PNG, or SVG where the name says so.

    `table`: as `object_table` makes it. In µm³ where the voxel size is known, else in voxels. Raises
    StorageError.
    """
    known = table["volume_nm3"].null_count == 0
    sizes = table["volume_nm3"].to_numpy() / NM3_PER_UM3 if known else table["voxels"].to_numpy()
    by_class = _by_class(table, sizes)
    with settings():
        figure = new_figure(90, 14 + 26 * max(1, len(by_class)))
        axes = np.atleast_1d(figure.subplots(max(1, len(by_class)), sharex=True))
        bins = _bins(sizes)
        for ax, (name, values), colour in zip(axes, by_class.items(), _COLOURS, strict=False):
            _draw(ax, name, values, bins, colour, "µm³" if known else "voxels")
        if not by_class:
            axes[0].set_title("no objects", loc="left")
        axes[-1].set_xlabel(f"volume of an object, {'µm³' if known else 'voxels'}")
        figure.supylabel("objects", fontsize=7)
        rendered = render("sizes", figure)
    write_durably(path, rendered.svg if path.suffix.lower() == ".svg" else rendered.png)


def _by_class(table: pa.Table, sizes: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Sizes by the name of the class; those with the most objects, in the order of their values."""
    classes = table["class"].to_numpy()
    values, counts = np.unique(classes, return_counts=True)
    kept = values[np.sort(np.argsort(-counts, kind="stable")[:SHOWN])]
    names = dict(zip(classes.tolist(), table["class_name"].to_pylist(), strict=True))
    return {names[value] or f"class {value}": sizes[classes == value] for value in kept.tolist()}


def _bins(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(sizes):
        return np.array([1.0, 10.0])
    low = np.floor(np.log10(sizes.min()) * BINS_PER_DECADE)
    high = np.floor(np.log10(sizes.max()) * BINS_PER_DECADE) + 1
    edges: NDArray[np.float64] = 10 ** (np.arange(low, high + 1) / BINS_PER_DECADE)
    return edges


def _draw(
    ax: Axes, name: str, sizes: NDArray[np.float64], bins: NDArray[np.float64], colour: str, unit: str
) -> None:
    median = float(np.median(sizes))
    ax.hist(sizes, bins=bins.tolist(), color=colour, edgecolor="white", linewidth=0.4)
    ax.axvline(median, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    ax.set_xscale("log")
    ax.set_xlim(bins[0], bins[-1])
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    count = f"{len(sizes):,} object{'s' if len(sizes) != 1 else ''}"
    ax.set_title(f"{name}: {count}, median {median:.3g} {unit} (dashed)", loc="left")
