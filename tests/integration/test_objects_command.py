"""`pickem objects`: from a segmentation to a label image, a table and a picture."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from pickem.geometry import whole
from pickem.volumes import ImageSpec, LabelValue, create_image, open_volume
from tests.fixtures.ome_zarr_reading import valid_label_levels
from tests.integration.command_line import REPOSITORY, Outcome, pickem, pickem_here

SIZE = (20.0, 5.0, 5.0)
SHAPE = (10, 40, 44)
CLASSES = (LabelValue(1, "axon", (230, 159, 0, 255)), LabelValue(2, "myelin", (86, 180, 233, 255)))


def balls() -> NDArray[np.uint8]:
    """Five objects of two classes, across blocks and at the border; a speck; a hole in the largest."""
    image = np.zeros(SHAPE, np.uint8)
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    for value, (cz, cy, cx), radius in ((1, (5, 12, 12), 9), (1, (5, 30, 30), 7), (2, (2, 34, 6), 5)):
        image[(4 * (z - cz)) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = value
    image[5, 12, 12] = 0
    image[0:3, 0:6, 36:44] = 2
    image[9, 2, 2] = 1
    return image


def write(folder: Path, image: NDArray[np.uint8] | None = None) -> Path:
    """The image as an OME-Zarr segmentation."""
    image = balls() if image is None else image
    z, y, x = image.shape
    spec = ImageSpec("seg", (z, y, x), image.dtype, SIZE, values=CLASSES)
    create_image(folder / "seg.ome.zarr", spec).write(whole((z, y, x)), image)
    return folder / "seg.ome.zarr"


def objects(segmentation: Path, **options: object) -> Outcome:
    """Run the command in this process, in small blocks."""
    given = {"block": "4,16,16", "workers": 1} | options
    flags = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is True]
    pairs = [(f"--{k.replace('_', '-')}", v) for k, v in given.items() if v is not True]
    return pickem_here("objects", segmentation, *flags, *(part for pair in pairs for part in pair))


def test_the_label_image_is_valid_and_holds_the_objects(tmp_path: Path) -> None:
    out = tmp_path / "objects.ome.zarr"
    outcome = objects(write(tmp_path), out=out, min_size=2)
    assert outcome.returncode == 0, outcome.stderr
    assert "axon: 2 objects\nmyelin: 2 objects" in outcome.stdout
    assert "Mvoxel/s" in outcome.stdout
    levels = valid_label_levels(out)
    assert levels[0].dtype == np.uint32
    expected = np.zeros(SHAPE, np.int64)
    for number, part in enumerate((balls() == 2, balls() == 1), start=0):
        labels, _ = ndimage.label(part, np.ones((3, 3, 3)))
        expected += np.where(labels > 0, labels + 10 * number, 0)
    expected[9, 2, 2] = 0  # too small
    pairs = np.unique(np.stack([expected.ravel(), levels[0].ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == 5
    _, first = np.unique(levels[0], return_index=True)
    assert (np.diff(first[1:]) > 0).all()  # numbered by their first voxels
    attributes = json.loads((out / "zarr.json").read_text())["attributes"]["pickem"]
    assert attributes["objects"]["settings"]["min_voxels"] == 2
    assert attributes["objects"]["source"] == str(tmp_path / "seg.ome.zarr")
    assert open_volume(write(tmp_path / "again")).voxel_size == SIZE
    assert not list(tmp_path.glob("*.unfinished"))


def test_the_table_says_where_and_how_large(tmp_path: Path) -> None:
    table = tmp_path / "objects.parquet"
    assert objects(write(tmp_path), table=table, fill_holes=True).returncode == 0
    rows = pyarrow.parquet.read_table(table).to_pylist()
    assert [row["object"] for row in rows] == [1, 2, 3, 4, 5]
    image = balls()
    image[5, 12, 12] = 1
    at = next(row for row in rows if row["z_from"] <= 5 < row["z_to"] and row["x_from"] <= 12 < row["x_to"])
    ball = ndimage.label(image == 1, np.ones((3, 3, 3)))[0] == ndimage.label(image == 1)[0][5, 12, 12]
    z, y, x = np.nonzero(ball)
    assert (at["class"], at["class_name"], at["voxels"]) == (1, "axon", len(z))
    assert at["volume_nm3"] == pytest.approx(len(z) * math.prod(SIZE))
    assert (at["z"], at["y"], at["x"]) == pytest.approx((z.mean(), y.mean(), x.mean()))
    assert (at["z_nm"], at["x_nm"]) == pytest.approx((z.mean() * 20, x.mean() * 5))
    assert [at[f"{a}_from"] for a in "zyx"] == [z.min(), y.min(), x.min()]
    assert [at[f"{a}_to"] for a in "zyx"] == [z.max() + 1, y.max() + 1, x.max() + 1]
    assert image[at["first_z"], at["first_y"], at["first_x"]] == 1
    assert not at["at_border"]
    assert at["surface_nm2"] == pytest.approx(
        4 * math.pi * 45**2, rel=0.1
    )  # of a ball with a radius of 45 nm


def touching() -> NDArray[np.uint8]:
    """Two balls that touch across blocks, one with a third of another class on it; one alone."""
    image = np.zeros((20, 60, 60), np.uint8)
    z, y, x = np.ogrid[:20, :60, :60]
    for value, centre in ((1, (10, 20, 16)), (1, (10, 20, 31)), (2, (10, 33, 16)), (1, (10, 46, 44))):
        image[(2 * (z - centre[0])) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= 64] = value
    return image


def test_touching_objects_are_split_alike_whatever_the_blocks(tmp_path: Path) -> None:
    segmentation, results = write(tmp_path, touching()), []
    for block in ("20,60,60", "8,16,16"):
        out, table = tmp_path / block / "o.ome.zarr", tmp_path / block / "t.csv"
        outcome = objects(
            segmentation, out=out, table=table, block=block, split=0.8, min_size=50, voxel_size="10,5,5"
        )
        assert outcome.returncode == 0, outcome.stderr
        results.append((valid_label_levels(out)[0], table.read_bytes()))
    (labels, table_bytes), (other, other_bytes) = results
    assert np.array_equal(labels, other)
    assert table_bytes == other_bytes
    assert labels[10, 20, 16] != labels[10, 20, 31]
    rows = pyarrow.csv.read_csv(tmp_path / "8,16,16" / "t.csv").to_pylist()
    assert len(rows) == labels.max() == 4
    assert [row["voxels"] for row in rows] == np.bincount(labels.ravel())[1:].tolist()
    for row in rows:
        own = labels == row["object"]
        assert (row["z"], row["y"], row["x"]) == pytest.approx([i.mean() for i in np.nonzero(own)])
        assert row["surface_nm2"] == pytest.approx(4 * math.pi * 40**2, rel=0.15)


def test_csv_without_a_voxel_size_and_a_picture(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "seg.tif", balls(), photometric="minisblack")
    table, plot = tmp_path / "objects.csv", tmp_path / "sizes.png"
    assert objects(tmp_path / "seg.tif", table=table, plot=plot).returncode == 0
    rows = pyarrow.csv.read_csv(table).to_pylist()
    assert len(rows) == 5
    assert {row["volume_nm3"] for row in rows} == {None}
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_sizes_in_cubic_nanometres(tmp_path: Path) -> None:
    table = tmp_path / "objects.csv"
    assert objects(write(tmp_path), table=table, min_size=1000, unit="nm3").returncode == 0
    assert min(row["voxels"] for row in pyarrow.csv.read_csv(table).to_pylist()) >= 2
    tifffile.imwrite(tmp_path / "seg.tif", balls(), photometric="minisblack")
    refused = objects(tmp_path / "seg.tif", table=tmp_path / "t.csv", min_size=1000, unit="nm3")
    assert refused.returncode == 2
    assert "--voxel-size" in refused.stderr


def test_one_section_and_an_empty_one(tmp_path: Path) -> None:
    for image, count in ((balls()[5], 2), (np.zeros((20, 20), np.uint8), 0)):
        tifffile.imwrite(tmp_path / "section.tif", image, photometric="minisblack")
        out, table, plot = tmp_path / "o.ome.zarr", tmp_path / "t.csv", tmp_path / "p.svg"
        outcome = objects(
            tmp_path / "section.tif", out=out, table=table, plot=plot, overwrite=True, voxel_size="30,5,5"
        )
        assert outcome.returncode == 0, outcome.stderr
        assert valid_label_levels(out)[0].max() == count
        assert ("no objects" in outcome.stdout) == (count == 0)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the label image and the table of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("clean")
    outcome = objects(write(folder), out=folder / "o.ome.zarr", table=folder / "t.csv")
    assert outcome.returncode == 0, outcome.stderr
    return folder


def test_processes_find_what_one_process_finds_in_one_block(tmp_path: Path, clean: Path) -> None:
    finished = pickem(
        *("objects", write(tmp_path), "--out", tmp_path / "o.ome.zarr", "--table", tmp_path / "t.csv"),
        *("--workers", 2, "--block", "8,40,44"),
    )
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "t.csv").read_bytes() == (clean / "t.csv").read_bytes()
    images = [valid_label_levels(folder / "o.ome.zarr") for folder in (tmp_path, clean)]
    assert all(np.array_equal(a, b) for a, b in zip(*images, strict=True))


# Renames, of 27 blocks: the plan, a record each, three files of the joining, two of the image, a mark each,
# the table.
@pytest.mark.parametrize("point", ["20", "40", "t.csv"])
def test_killed_anywhere_it_goes_on(tmp_path: Path, clean: Path, point: str) -> None:
    segmentation, out, table = write(tmp_path), tmp_path / "o.ome.zarr", tmp_path / "t.csv"
    arguments = (
        "objects",
        segmentation,
        "--out",
        out,
        "--table",
        table,
        "--block",
        "4,16,16",
        "--workers",
        1,
    )
    killed = subprocess.run(
        [sys.executable, "-m", "tests.integration.killing", "after", point, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    refused = objects(segmentation, out=out, table=table)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    resumed = objects(segmentation, out=out, table=table, resume=True)
    assert resumed.returncode == 0, resumed.stderr
    assert "is there already" in resumed.stdout
    assert table.read_bytes() == (clean / "t.csv").read_bytes()
    images = [valid_label_levels(folder / "o.ome.zarr") for folder in (tmp_path, clean)]
    assert all(np.array_equal(a, b) for a, b in zip(*images, strict=True))
    assert "finished already" in objects(segmentation, out=out, table=table, resume=True).stdout


def test_what_was_begun_is_gone_on_with_as_it_was_begun(tmp_path: Path) -> None:
    segmentation, out = write(tmp_path), tmp_path / "o.ome.zarr"
    assert objects(segmentation, out=out).returncode == 0
    for changes in ({}, {"connectivity": 6, "resume": True}, {"resume": True, "overwrite": True}):
        refused = objects(segmentation, out=out, **changes)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
    assert "connectivity 6" in objects(segmentation, out=out, connectivity=6, resume=True).stderr
    assert objects(segmentation, out=out, connectivity=6, overwrite=True).returncode == 0
    kept = tmp_path / "folder"
    kept.mkdir()
    (kept / "thesis.tex").touch()
    assert objects(segmentation, out=kept, overwrite=True).returncode == 2
    assert (kept / "thesis.tex").exists()


def _float(folder: Path) -> Path:
    np.save(folder / "x.npy", np.zeros((4, 8, 8), np.float32))
    return folder / "x.npy"


def _colours(folder: Path) -> Path:
    tifffile.imwrite(folder / "x.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    return folder / "x.tif"


def _grey(folder: Path) -> Path:
    np.save(folder / "x.npy", np.random.default_rng(0).integers(0, 255, (4, 30, 30), np.uint8))
    return folder / "x.npy"


def _negative(folder: Path) -> Path:
    np.save(folder / "x.npy", np.full((4, 8, 8), -1, np.int16))
    return folder / "x.npy"


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        (_float, {}, "not a label image"),
        (_colours, {}, "grey"),
        (_grey, {}, "grey values, or objects already"),
        (_negative, {}, "the value -1"),
        (write, {"min_size": -1}, "least size"),
        (write, {"table": "t.txt"}, ".parquet or .csv"),
        (write, {"out": "seg.ome.zarr"}, "would replace the image"),
        (write, {"out": "seg.ome.zarr/zarr.json/o"}, "A file lies where a folder is needed"),
        (write, {"block": "5,200,16"}, "multiple"),
        (write, {"split": 1.5}, "neck"),
        (write, {"block": "many"}, "not understood"),
        (lambda folder: folder / "nothing.tif", {}, "no such image"),
        (write, {"connectivity": 7}, "7"),
    ],
)
def test_bad_input_is_refused_with_a_word_why(
    tmp_path: Path, image: Any, options: dict[str, Any], words: str
) -> None:
    paths = {name: tmp_path / value for name, value in options.items() if name in ("out", "table")}
    outcome = objects(image(tmp_path), **({"out": tmp_path / "o.ome.zarr"} | options | paths))
    assert outcome.returncode == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (tmp_path / "o.ome.zarr").exists()


def test_nothing_asked_for_is_refused(tmp_path: Path) -> None:
    outcome = objects(write(tmp_path))
    assert outcome.returncode == 2
    assert "--table" in outcome.stderr
