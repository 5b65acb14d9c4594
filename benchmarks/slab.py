"""A slab of EPFL's hippocampus, segmented and taken apart into objects: a picture, and how many are found.

    python -m benchmarks.slab NETWORK.safetensors       # entropy's, 100 labels, seed 0, trained on dev

`pickem predict` segments the testing stack of Lucchi++ (every third section), `pickem objects` finds what is
connected, in the segmentation and in the ground truth. The picture shows no image, which may not be shipped:
one section's objects with the outlines of the truth, and the surfaces of all objects of the slab.

Writes docs/results/volumes-slab.png and a table of docs/results/volumes.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from matplotlib.colors import LightSource, to_rgb
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from benchmarks.machine import RESULTS, described_machine
from benchmarks.marked import fill, table
from benchmarks.test_runs import RUN, record
from pickem.benchmark.report.style import PALETTE, new_figure
from pickem.benchmark.report.style import settings as style
from pickem.datasets import open_dataset
from pickem.geometry import whole
from pickem.predictor.description import read_description
from pickem.volumes import ImageSpec, LabelValue, Volume, create_image, open_image

PICTURE = RESULTS / "volumes-slab.png"
VOXEL_SIZE = (15.0, 5.0, 5.0)  # nm: every third section of 5 nm
MIN_SIZE = 2000  # voxels: a ball of 0.11 µm radius; smaller ones are specks
COARSER = 6  # pixels along y and x that become one for the surfaces
LIGHT = LightSource(azdeg=315, altdeg=45)


def main() -> None:
    """Segment, find, draw and fill the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("--section", type=int, default=27)
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args()
    (stack,) = open_dataset("lucchi++", given.data_dir).split("test").evaluate
    with tempfile.TemporaryDirectory(prefix="slab-") as scratch:
        folder = Path(scratch)
        size = ",".join(f"{nm:g}" for nm in VOXEL_SIZE)
        seg, truth = folder / "seg.ome.zarr", folder / "truth.ome.zarr"
        _pickem("predict", given.network, stack.image.source, "--out", seg, "--voxel-size", size)
        _write_truth(stack.labels, truth)
        found, sizes = _objects(seg, folder / "found")
        true, true_sizes = _objects(truth, folder / "true")
    _draw(found, true, given.section)
    rows = [_row("segmentation", sizes), _row("ground truth", true_sizes)]
    head = ["", "objects", "median volume, µm³", "total volume, µm³"]
    jaccard = _jaccard(found > 0, true > 0)
    settings = read_description(given.network).sha256[:12]
    about = ("lucchi++", "slab", settings, "entropy on dev", "0", "100", f"{jaccard:.6f}")
    record([dict(zip(RUN, about, strict=True))])
    command = "python -m benchmarks.slab"
    fill(
        RESULTS / "volumes.md",
        "slab",
        f"`{command}`, {described_machine()}.\n\n{table(head, rows)}\n\n"
        f"Voxel Jaccard of the two: {jaccard:.3f}, both less objects of fewer than "
        f"{MIN_SIZE:,} voxels.",
    )


def _pickem(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "pickem.cli", *map(str, arguments)], check=True)


def _write_truth(labels: Volume, out: Path) -> None:
    values = (LabelValue(1, "mitochondrion", (230, 159, 0, 255)),)
    spec = ImageSpec("truth", labels.shape, np.dtype(np.uint8), VOXEL_SIZE, values=values)
    everything = whole(labels.shape)
    create_image(out, spec).write(everything, (labels.read(everything) == 1).astype(np.uint8))


def _objects(segmentation: Path, to: Path) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """The label image, and the volumes of the objects in µm³."""
    image, rows = to.with_suffix(".ome.zarr"), to.with_suffix(".parquet")
    _pickem("objects", segmentation, "--out", image, "--table", rows, "--min-size", MIN_SIZE)
    opened = open_image(image)
    volumes = pq.read_table(rows)["volume_nm3"].to_numpy()
    return opened.read(whole(opened.shape)), volumes / 1e9


def _row(name: str, volumes: NDArray[np.float64]) -> list[str]:
    return [name, str(len(volumes)), f"{np.median(volumes):.3f}", f"{volumes.sum():.2f}"]


def _jaccard(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def _draw(found: NDArray[np.uint32], true: NDArray[np.uint32], section: int) -> None:
    with style():
        figure = new_figure(180, 74)
        grid = figure.add_gridspec(1, 2, width_ratios=(0.95, 1))
        flat = figure.add_subplot(grid[0])
        flat.imshow(_coloured(found[section]), interpolation="nearest")
        flat.contour(true[section] > 0, levels=[0.5], colors="black", linewidths=0.6)
        flat.set_title(f"section {section}: objects found, outlines of the truth", loc="left")
        flat.set_axis_off()
        solid = figure.add_subplot(grid[1], projection="3d")
        _draw_surfaces(solid, found)
        solid.set_title(f"{len(np.unique(found)) - 1} objects in {found.shape[0]} sections", loc="left")
        figure.savefig(PICTURE, dpi=160, metadata={"Software": "pickem"})


def _colour(number: int) -> tuple[float, float, float]:
    return to_rgb(PALETTE[(number - 1) % len(PALETTE)])


def _coloured(labels: NDArray[np.uint32]) -> NDArray[np.float64]:
    picture = np.ones((*labels.shape, 3))
    for number in np.unique(labels[labels > 0]).tolist():
        picture[labels == number] = _colour(number)
    return picture


def _draw_surfaces(axes: Axes3D, labels: NDArray[np.uint32]) -> None:
    """The surface of every object, each in its colour, lit from one side."""
    coarse = labels[:, ::COARSER, ::COARSER]
    spacing = np.array(VOXEL_SIZE) * (1, COARSER, COARSER) / 1000  # µm
    triangles, colours = [], []
    for number in np.unique(coarse[coarse > 0]).tolist():
        solid = np.pad(coarse == number, 1)
        corners, faces, _, _ = marching_cubes(solid, 0.5, spacing=tuple(spacing))  # type: ignore[no-untyped-call]
        triangles.append(corners[faces][:, :, [2, 1, 0]])  # x, y, z
        colours.append(np.tile(_colour(number), (len(faces), 1)))
    surface = Poly3DCollection(
        np.concatenate(triangles), facecolors=np.concatenate(colours), shade=True, lightsource=LIGHT
    )
    surface.set_clip_on(False)
    axes.add_collection3d(surface)
    z, y, x = np.array(coarse.shape) * spacing
    axes.set(xlim=(0, x), ylim=(y, 0), zlim=(0, z), xlabel="x, µm", ylabel="y, µm", zlabel="z, µm")
    axes.set_zticks([0, round(z, 1)])
    axes.set_box_aspect((x, y, z), zoom=1.12)
    axes.view_init(elev=35, azim=-60)


if __name__ == "__main__":
    main()
