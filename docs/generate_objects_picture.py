"""The picture of docs/how-to/objects.md: the axons of an embedded image, as objects.

    python docs/generate_objects_picture.py

`pickem objects` is run on the demo's labels of one image. Writes docs/images/objects.png (image, classes,
objects) and docs/images/objects-sizes.png (its --plot).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from pickem.benchmark.report.style import PALETTE, new_figure
from pickem.benchmark.report.style import settings as style
from pickem.cli.finding import Wanted, find
from pickem.datasets import open_dataset
from pickem.geometry import Box, whole
from pickem.volumes import ImageSpec, LabelValue, create_image, open_image

IMAGES = Path(__file__).parent / "images"
IMAGE = "rat3-data9"
SHOWN = Box((0, 0, 0), (1, 420, 420))
OPACITY = 0.65


def main() -> None:
    """Make both pictures."""
    demo = open_dataset("demo")
    volume, labels = demo.volumes[IMAGE].image, demo.class_labels(IMAGE)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        values = tuple(LabelValue(i, name, (0, 0, 0, 255)) for i, name in enumerate(demo.classes, start=1))
        spec = ImageSpec("labels", labels.shape, np.dtype(np.uint8), values=values)
        create_image(folder / "seg.ome.zarr", spec).write(
            whole(labels.shape), labels.read(whole(labels.shape))
        )
        wanted = Wanted(
            segmentation=str(folder / "seg.ome.zarr"),
            out=folder / "objects.ome.zarr",
            table=None,
            plot=IMAGES / "objects-sizes.png",
            min_size=30,
            unit="voxels",
            connectivity=26,
            holes="fill",
            neck=None,
            voxel_size=None,
            workers=1,
            block="128,512,512",
            existing="overwrite",
        )
        find(wanted, Console())
        objects = open_image(folder / "objects.ome.zarr").read(SHOWN)[0]
    draw(volume.read(SHOWN)[0], labels.read(SHOWN)[0], objects)


def draw(grey: NDArray[np.generic], classes: NDArray[np.uint8], objects: NDArray[np.uint32]) -> None:
    """Image, classes and objects side by side."""
    with style():
        figure = new_figure(180, 66)
        panels = (
            ("image", None),
            ("2 classes", classes),
            (f"{len(np.unique(objects)) - 1} objects", objects),
        )
        for axes, (title, labels) in zip(figure.subplots(1, 3), panels, strict=True):
            axes.imshow(
                grey if labels is None else coloured(grey, labels), cmap="gray", interpolation="nearest"
            )
            axes.set_title(title, loc="left")
            axes.set_axis_off()
        figure.savefig(IMAGES / "objects.png", dpi=150, metadata={"Software": "pickem"})


def coloured(grey: NDArray[np.generic], labels: NDArray[np.unsignedinteger]) -> NDArray[np.float64]:
    """(h, w, 3): the image with each label in a colour of its own; objects further apart may share one."""
    background = np.repeat(np.asarray(grey, np.float64)[..., None] / 255, 3, axis=2)
    palette = np.array([matplotlib.colors.to_rgb(colour) for colour in PALETTE])
    paint = palette[(labels.astype(np.int64) - 1) % len(palette)]
    mixed: NDArray[np.float64] = np.where(
        (labels > 0)[..., None], OPACITY * paint + (1 - OPACITY) * background, background
    )
    return mixed


if __name__ == "__main__":
    main()
