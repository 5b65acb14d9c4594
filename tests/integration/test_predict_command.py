"""`pickem predict` as a user runs it: projects and bare networks, other voxel sizes, and bad input."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.project.export import export_model
from pickem.project.project import open_project
from pickem.volumes import open_volume
from tests.fixtures.ome_zarr_reading import valid_label_levels
from tests.fixtures.prediction import workers_here
from tests.fixtures.tiny_project import SHAPE, make_tiny_project, make_trained_project, write_tiny_volume
from tests.integration.command_line import Outcome, pickem, pickem_here


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler whose workers are threads of this process."""
    with workers_here("tcp") as client:
        yield str(client.scheduler_info()["address"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained at 8 nm a pixel, on a volume of 4 nm."""
    source = {"path": "discs.tif", "voxel_size": (30, 4, 4), "factor": 2}
    return make_trained_project(
        tmp_path_factory.mktemp("project"), volumes={"discs": source}, audit_patches=0
    )


@pytest.fixture(scope="module")
def network(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with open_project(project) as opened:
        _, weights = export_model(opened, tmp_path_factory.mktemp("network"))
    return weights


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return write_tiny_volume(tmp_path / "v.tif")


def predict(*arguments: object) -> Outcome:
    return pickem_here("predict", *arguments, "--device", "cpu")


def refused(tmp_path: Path, arguments: list[object], *words: str) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    result = predict(*arguments)
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("error: ") or "Usage:" in result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr
    assert {path.name for path in tmp_path.iterdir()} == before, "nothing was begun"


# what works -----------------------------------------------------------------------------------------------


def test_a_projects_only_volume(project: Path, tmp_path: Path, address: str) -> None:
    done = predict(project, "--out", tmp_path / "seg.ome.zarr", "--scheduler", address)
    assert done.returncode == 0, done.stderr
    assert "2 × 2 pixels as one" in done.stdout
    assert "Mvoxel/s" in done.stdout
    (labels,) = valid_label_levels(tmp_path / "seg.ome.zarr")
    assert labels.shape == SHAPE
    exported = pickem_here("export", project, "segmentation", "--out", tmp_path, "--device", "cpu")
    assert exported.returncode == 0, exported.stderr
    np.testing.assert_array_equal(labels, tifffile.imread(tmp_path / "discs-segmentation.tif"))


def test_a_network_alone_brings_its_classes_and_its_resolution(
    network: Path, volume: Path, tmp_path: Path, address: str
) -> None:
    out = tmp_path / "seg.ome.zarr"
    size = ("--voxel-size", "30,5,5")
    done = predict(network, volume, "--out", out, *size, "--scheduler", address, "--probabilities")
    assert done.returncode == 0, done.stderr
    assert "Resampled for the network from 5 to 8 nm a pixel" in done.stdout
    assert valid_label_levels(out)[0].shape == SHAPE
    about = json.loads((out / "zarr.json").read_text())["attributes"]
    assert [entry["class"] for entry in about["ome"]["image-label"]["properties"]] == ["background", "disc"]
    assert about["pickem"]["command"].startswith("pickem predict ")
    assert (tmp_path / "seg-probability-disc.ome.zarr").is_dir()


def test_a_single_section_becomes_a_tiff(project: Path, tmp_path: Path, address: str) -> None:
    tifffile.imwrite(tmp_path / "one.tif", np.random.default_rng(0).integers(0, 255, (60, 50), np.uint8))
    out = tmp_path / "seg.tif"
    wanted = [project, tmp_path / "one.tif", "--voxel-size", "30,8,8", "--out", out, "--scheduler", address]
    done = predict(*wanted)
    assert done.returncode == 0, done.stderr
    assert open_volume(str(out)).shape == (1, 60, 50)
    again = predict(*wanted)
    assert again.returncode == 2
    assert predict(*wanted, "--overwrite").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"one.tif", "seg.tif"}


@pytest.mark.parametrize(
    ("asked", "seen"),
    [((), ("turns", 1)), (("--augment", "none"), ("one", 1)), (("--smoothing", "0"), ("turns", None))],
)
def test_a_volume_is_seen_as_the_quality_was_estimated(
    network: Path,
    volume: Path,
    tmp_path: Path,
    address: str,
    asked: tuple[str, ...],
    seen: tuple[str, int | None],
) -> None:
    measured = Path(shutil.copy(network, tmp_path))
    described = json.loads(network.with_suffix(".json").read_text())
    measured.with_suffix(".json").write_text(json.dumps(described | {"views": "turns", "smoothing": 1}))
    out = tmp_path / "seg.ome.zarr"
    done = predict(measured, volume, "--voxel-size", "30,8,8", "--out", out, "--scheduler", address, *asked)
    assert done.returncode == 0, done.stderr
    job = json.loads((out / "zarr.json").read_text())["attributes"]["pickem"]["job"]
    assert (job["views"], job.get("smoothing")) == seen


def test_a_damaged_part_is_said(project: Path, tmp_path: Path, address: str) -> None:
    """The last section of a TIFF stack, in the second of two blocks."""
    intact = tifffile.imread(project.parent / "discs.tif")
    tifffile.imwrite(tmp_path / "v.tif", intact, compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "v.tif") as file:
        offset = file.pages[11].dataoffsets[0]
    with (tmp_path / "v.tif").open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\0" * 100)
    out = tmp_path / "seg.ome.zarr"
    done = predict(
        project, tmp_path / "v.tif", "--voxel-size", "30,4,4", "--out", out, "--scheduler", address
    )
    assert done.returncode == 2
    assert "z, y, x from (8, 0, 0) to (12, 128, 96)" in done.stderr
    assert "--resume" in done.stderr
    assert not (valid_label_levels(out)[0][:8] == 255).any()
    tifffile.imwrite(tmp_path / "v.tif", intact, compression="zlib", photometric="minisblack")
    again = predict(
        *(project, tmp_path / "v.tif", "--voxel-size", "30,4,4", "--out", out),
        *("--scheduler", address, "--resume"),
    )
    assert again.returncode == 0, again.stderr


# what is refused ------------------------------------------------------------------------------------------


def test_without_saying_where_to(project: Path, tmp_path: Path) -> None:
    refused(tmp_path, [project], "--out")


def test_to_a_name_that_says_nothing(project: Path, tmp_path: Path) -> None:
    refused(tmp_path, [project, "--out", tmp_path / "seg.png"], "seg.png", ".ome.zarr", ".tif")


def test_where_something_lies(project: Path, tmp_path: Path) -> None:
    (tmp_path / "seg.ome.zarr").mkdir()
    for name in ("a", "seg.ome.zarr"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "seg.ome.zarr" / "mine.txt").write_text("precious")
    out = ["--out", tmp_path / "seg.ome.zarr"]
    refused(tmp_path, [project, *out], "already", "--resume", "--overwrite")
    refused(tmp_path, [project, *out, "--overwrite"], "Something else lies")
    refused(tmp_path, [project, *out, "--resume"], "not a result of `pickem predict`")
    refused(tmp_path, [project, *out, "--resume", "--overwrite"], "one of them")
    assert (tmp_path / "seg.ome.zarr" / "mine.txt").read_text() == "precious"


def test_to_a_place_that_cannot_be_written(project: Path, tmp_path: Path, address: str) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "seg.ome.zarr"
    refused(tmp_path, [project, "--out", out, "--scheduler", address], "A file lies where a folder is needed")
    refused(tmp_path, [project, "--out", "/proc/seg.ome.zarr", "--scheduler", address], "/proc/seg.ome.zarr")


def test_a_full_disk_says_how_to_go_on(project: Path, tmp_path: Path, address: str) -> None:
    command = [
        "predict",
        project,
        "--out",
        tmp_path / "seg.ome.zarr",
        "--scheduler",
        address,
        "--device",
        "cpu",
    ]
    full = pickem("full-disk", 2, *command, "--overwrite", module="tests.integration.under_pressure")
    assert full.returncode == 2, full.stderr
    assert "disk is full" in full.stderr
    again = shlex.join(["pickem", *map(str, command), "--resume"])
    assert f"free some space, then go on with: {again}\n" in full.stderr
    assert pickem_here(*command, "--resume").returncode == 0


def test_a_project_without_a_network(tmp_path: Path) -> None:
    project = make_tiny_project(tmp_path)
    refused(tmp_path, [project, "--out", tmp_path / "seg.ome.zarr"], "no trained network", "pickem label")


def test_a_project_with_the_network_of_another(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project.parent, tmp_path, dirs_exist_ok=True)
    copy = tmp_path / project.name
    text = (copy / "project.toml").read_text()
    (copy / "project.toml").write_text(text.replace('"disc",', '"disc", "ring",'))
    refused(
        tmp_path, [copy, "--out", tmp_path / "seg.ome.zarr"], "other classes", "1 foreground", "disc, ring"
    )


def test_a_network_of_an_even_number_of_sections(network: Path, volume: Path, tmp_path: Path) -> None:
    for path in network.parent.iterdir():
        shutil.copy(path, tmp_path / path.name)
    described = tmp_path / network.with_suffix(".json").name
    described.write_text(described.read_text().replace('"channels": 1', '"channels": 2'))
    refused(
        tmp_path, [tmp_path / network.name, volume, "--out", tmp_path / "s.ome.zarr"], "2 sections", "odd"
    )


def test_a_damaged_network(network: Path, volume: Path, tmp_path: Path) -> None:
    for path in network.parent.iterdir():
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / network.name).write_bytes(b"")
    refused(tmp_path, [tmp_path / network.name, volume, "--out", tmp_path / "s.ome.zarr"], "damaged")


def test_what_is_neither_project_nor_network(volume: Path, tmp_path: Path) -> None:
    refused(tmp_path, [volume, volume, "--out", tmp_path / "s.ome.zarr"], "neither a project nor a network")
    refused(tmp_path, [tmp_path, "--out", tmp_path / "s.ome.zarr"], "no pickem project")
    refused(tmp_path, [tmp_path / "no.safetensors", volume, "--out", tmp_path / "s.ome.zarr"], "missing")


def test_a_network_without_a_volume(network: Path, tmp_path: Path) -> None:
    refused(tmp_path, [network, "--out", tmp_path / "s.ome.zarr"], "what to segment", "VOLUME")


def test_a_volume_of_unknown_voxels(network: Path, project: Path, volume: Path, tmp_path: Path) -> None:
    for source in (network, project):
        refused(tmp_path, [source, volume, "--out", tmp_path / "s.ome.zarr"], "--voxel-size", "8 nm a pixel")


def test_a_volume_that_is_not_there(project: Path, tmp_path: Path) -> None:
    refused(tmp_path, [project, "dsics", "--out", tmp_path / "s.ome.zarr"], "did you mean discs?")
    refused(tmp_path, [project, tmp_path / "no.tif", "--out", tmp_path / "s.ome.zarr"], "no such image")


def test_an_empty_volume(project: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "empty.npy", np.zeros((0, 10, 10), np.uint8))
    refused(tmp_path, [project, tmp_path / "empty.npy", "--out", tmp_path / "s.ome.zarr"], "is empty")


def test_a_volume_smaller_than_what_the_network_sees_as_a_pixel(project: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "dot.npy", np.zeros((1, 1, 9), np.uint8))
    refused(
        tmp_path,
        [project, tmp_path / "dot.npy", "--voxel-size", "30,4,4", "--out", tmp_path / "s.ome.zarr"],
        "smaller than one pixel",
    )


def test_probabilities_and_a_tiff(project: Path, tmp_path: Path) -> None:
    refused(tmp_path, [project, "--out", tmp_path / "s.tif", "--probabilities"], "OME-Zarr", "s.ome.zarr")


def test_a_scheduler_and_workers_of_ones_own(project: Path, tmp_path: Path) -> None:
    refused(
        tmp_path,
        [project, "--out", tmp_path / "s.tif", "--scheduler", "tcp://x:1", "--workers", 2],
        "--scheduler",
    )


def test_cuda_where_there_is_none(project: Path, tmp_path: Path, address: str) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    result = pickem_here(
        "predict", project, "--out", tmp_path / "s.ome.zarr", "--device", "cuda", "--scheduler", address
    )
    assert result.returncode == 2
    assert "no CUDA device" in result.stderr
    assert not list(tmp_path.iterdir())
