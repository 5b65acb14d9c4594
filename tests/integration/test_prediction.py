"""A volume segmented in blocks is the volume segmented whole; interrupted, resumed, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from distributed import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pickem.blockwise.prediction import At, Progress, predict
from pickem.errors import BlocksFailedError, OtherResultError, StorageError, VolumeFormatError
from pickem.geometry import Shape3
from pickem.learning import Regions
from pickem.predictor import ArrayTrainingSet, Backend, NetworkPredictor, Phase, UNetSettings
from pickem.predictor.loading import load_predictor
from pickem.volumes import ImageSpec, create_image
from pickem.volumes.resampled import Scale
from tests.conftest import CPU, new_tiny_predictor
from tests.fixtures.ome_zarr_reading import valid_label_levels, valid_levels
from tests.fixtures.prediction import files, layout, order, predict_here, workers_here

CUT = layout((2, 16, 16), (1, 2, 2), (1, 1, 1))


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with workers_here() as client:
        yield client


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, demo_patches: ArrayTrainingSet) -> dict[int, Path]:
    """A network by the side of the squares that are one pixel to it."""
    folder = tmp_path_factory.mktemp("networks")
    for side in (1, 2):
        network = UNetSettings(space_to_depth=side, feature_maps=4, depth=3 - side, dropout=0.3)
        predictor = new_tiny_predictor(demo_patches, network=network)
        rng = np.random.default_rng(0)
        predictor.fit(demo_patches, Phase(learning_rate=1e-2, steps=20), rng, lambda *_: None)
        predictor.save(folder / f"{side}.safetensors")
    return {side: folder / f"{side}.safetensors" for side in (1, 2)}


@pytest.fixture(scope="module")
def checkpoint(checkpoints: dict[int, Path]) -> Path:
    return checkpoints[1]


@pytest.fixture
def volume(tmp_path: Path, demo_regions: Regions) -> Path:
    """Five sections of 100 × 90 pixels: three, four and three blocks of CUT along the axes."""
    return write_volume(tmp_path / "volume.npy", demo_regions, (5, 100, 90))


def write_volume(path: Path, regions: Regions, shape: Shape3) -> Path:
    z, y, x = shape
    image = regions.loaded[0].images[0]
    np.save(path, np.stack([image[n : n + 4 * y : 4, n : n + 4 * x : 4] for n in range(z)]))
    return path


def shards(folder: Path) -> list[Path]:
    """The files of the finest level; the last block that was interrupted may still be writing others."""
    return [path for path in folder.glob("0/c/*/*/*") if path.name.isdigit()]


def with_context(checkpoint: Path, context: int, folder: Path) -> Path:
    """The network as one that was trained with its patches' surroundings."""
    described = json.loads(checkpoint.with_suffix(".json").read_text())
    copy = Path(shutil.copy(checkpoint, folder))
    copy.with_suffix(".json").write_text(json.dumps(described | {"context": context}))
    return copy


def whole_planes(predictor: NetworkPredictor, voxels: NDArray[Any]) -> NDArray[np.float32]:
    return np.stack([predictor.predict_plane(plane) for plane in voxels], axis=1)


# in blocks and whole --------------------------------------------------------------------------------------


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 70), st.integers(1, 70)),
    chunk=st.tuples(st.integers(1, 2), st.integers(7, 40), st.integers(7, 40)),
    shard=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)),
    block=st.tuples(st.just(1), st.integers(1, 2), st.integers(1, 2)),
    context=st.sampled_from([0, 6, 40]),
    space_to_depth=st.sampled_from([1, 2]),
)
def test_no_seams_whatever_the_blocks(
    client: Client,
    checkpoints: dict[int, Path],
    demo_regions: Regions,
    tmp_path_factory: pytest.TempPathFactory,
    shape: Shape3,
    chunk: Shape3,
    shard: Shape3,
    block: Shape3,
    context: int,
    space_to_depth: int,
) -> None:
    folder = tmp_path_factory.mktemp("seams")
    checkpoint = with_context(checkpoints[space_to_depth], context, folder)
    volume = write_volume(folder / "volume.npy", demo_regions, shape)
    cut = layout(chunk, shard, block)
    out = folder / "seg.ome.zarr"
    wanted = order(checkpoint, volume, out, layout=cut, probabilities=("axon", "myelin"))
    predict_here(client, wanted)
    expected = whole_planes(load_predictor(checkpoint, CPU, wanted.network.normalisation), np.load(volume))
    labels = valid_label_levels(out)[0]
    clear = np.diff(np.sort(expected, axis=0)[-2:], axis=0)[0] > 2e-4  # else rounding may decide
    np.testing.assert_array_equal(labels[clear], expected.argmax(axis=0)[clear])
    for number, name in enumerate(["axon", "myelin"], start=1):
        found = valid_levels(folder / f"seg-probability-{name}.ome.zarr")[0]
        assert np.abs(found - 255 * expected[number]).max() <= 0.5 + 255e-4


def test_bf16_leaves_the_labels_where_they_are(
    client: Client, checkpoint: Path, demo_regions: Regions, tmp_path: Path
) -> None:
    plane = demo_regions.loaded[0].images[0, :400, :400]
    np.save(tmp_path / "volume.npy", plane)
    wanted = order(
        checkpoint,
        tmp_path / "volume.npy",
        tmp_path / "seg.ome.zarr",
        layout=layout((1, 64, 64), (1, 1, 1), (1, 1, 1)),
    )
    network = wanted.network.model_copy(update={"precision": "bf16"})
    predict_here(client, dataclasses.replace(wanted, network=network))
    whole = load_predictor(checkpoint, Backend("cpu", "bf16"), network.normalisation)
    expected = whole_planes(whole, plane[None]).argmax(axis=0)
    assert np.mean(valid_label_levels(tmp_path / "seg.ome.zarr")[0] != expected) <= 1e-4


@pytest.mark.parametrize("scale", [(2.0, 2.0), (1.5, 1.5), (0.7, 0.8)])
def test_the_result_is_on_the_volumes_own_grid(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path, scale: Scale
) -> None:
    for name, cut in {"one": layout((5, 100, 90), (1, 1, 1), (1, 1, 1)), "many": CUT}.items():
        predict_here(client, order(checkpoint, volume, tmp_path / f"{name}.ome.zarr", scale, layout=cut))
    one, many = (valid_label_levels(tmp_path / f"{name}.ome.zarr")[0] for name in ("one", "many"))
    assert many.shape == (5, 100, 90)
    assert np.unique(many).tolist() == [0, 1, 2]
    assert np.mean(one != many) <= 1e-3  # near-ties


@pytest.mark.parametrize("views", ["turns", "flips"])
def test_turned_views_are_averaged_without_seams(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path, views: str
) -> None:
    one = layout((5, 100, 90), (1, 1, 1), (1, 1, 1))
    for name, cut in {"one": one, "many": CUT}.items():
        wanted = order(checkpoint, volume, tmp_path / f"{name}.ome.zarr", layout=cut, probabilities=("axon",))
        network = wanted.network.model_copy(update={"views": views})
        predict_here(client, dataclasses.replace(wanted, network=network))
    predict_here(
        client, order(checkpoint, volume, tmp_path / "plain.ome.zarr", layout=CUT, probabilities=("axon",))
    )
    images = {
        name: valid_levels(tmp_path / f"{name}-probability-axon.ome.zarr")[0].astype(int)
        for name in ("one", "many", "plain")
    }
    assert np.abs(images["one"] - images["many"]).max() <= 1
    assert np.abs(images["plain"] - images["many"]).max() > 3


@pytest.mark.parametrize("views", ["turns", "flips"])
def test_a_turned_image_gives_the_turned_result(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path, views: str
) -> None:
    """Which only the mean over all turns does."""
    square = np.load(volume)[:1, :88, :88]
    found = []
    for name, voxels in {"as-it-is": square, "turned": np.rot90(square, 1, (1, 2))}.items():
        np.save(tmp_path / f"{name}.npy", voxels)
        wanted = order(checkpoint, tmp_path / f"{name}.npy", tmp_path / f"{name}.ome.zarr", layout=CUT)
        network = wanted.network.model_copy(update={"views": views})
        predict_here(client, dataclasses.replace(wanted, network=network))
        found.append(valid_label_levels(tmp_path / f"{name}.ome.zarr")[0])
    assert np.mean(np.rot90(found[0], 1, (1, 2)) != found[1]) <= 1e-3  # near-ties


def test_values_that_are_no_numbers_count_as_zero(client: Client, checkpoint: Path, tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).normal(100, 20, (1, 40, 40)).astype(np.float32)
    voxels[0, 10, 10] = np.nan
    np.save(tmp_path / "odd.npy", voxels)
    np.save(tmp_path / "even.npy", np.nan_to_num(voxels))
    for name in ("odd", "even"):
        predict_here(client, order(checkpoint, tmp_path / f"{name}.npy", tmp_path / f"{name}.ome.zarr"))
    assert files(tmp_path / "odd.ome.zarr") == files(tmp_path / "even.ome.zarr")


def test_the_image_says_what_it_is(client: Client, checkpoint: Path, tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (4, 600, 40), np.uint8)
    image = create_image(
        tmp_path / "raw.ome.zarr", ImageSpec("raw", voxels.shape, voxels.dtype, (30.0, 4.0, 4.0))
    )
    image.write(next(image.shards()), voxels)
    wanted = order(
        checkpoint, tmp_path / "raw.ome.zarr", tmp_path / "seg.ome.zarr", provenance={"command": "c"}
    )
    predict_here(client, wanted)
    fine, coarse, coarsest = valid_label_levels(tmp_path / "seg.ome.zarr")
    assert (fine.shape, coarse.shape, coarsest.shape) == ((4, 600, 40), (4, 300, 20), (4, 150, 10))
    node = json.loads((tmp_path / "seg.ome.zarr" / "zarr.json").read_text())["attributes"]
    (multiscale,) = node["ome"]["multiscales"]
    assert multiscale["datasets"][0]["coordinateTransformations"][0]["scale"] == [30.0, 4.0, 4.0]
    assert [entry["class"] for entry in node["ome"]["image-label"]["properties"]] == [
        "background",
        "axon",
        "myelin",
    ]
    about = node["pickem"]
    assert about["complete"] is True
    assert about["command"] == "c"
    assert about["sha256"] == wanted.network.sha256
    assert {"pickem", "python", "torch", "tensorstore", "dask"} <= set(about["versions"])


def test_a_tiff_stack_leaves_nothing_beside_it(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path
) -> None:
    predict_here(client, order(checkpoint, volume, tmp_path / "seg.tif", layout=CUT))
    predict_here(client, order(checkpoint, volume, tmp_path / "seg.ome.zarr", layout=CUT))
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "seg.tif"), valid_label_levels(tmp_path / "seg.ome.zarr")[0]
    )
    assert {path.name for path in tmp_path.iterdir()} == {"volume.npy", "seg.tif", "seg.ome.zarr"}
    before = (tmp_path / "seg.tif").stat()
    predict_here(client, order(checkpoint, volume, tmp_path / "seg.tif", start="resume"))
    assert (tmp_path / "seg.tif").stat() == before, "there is nothing left to do"


# what goes wrong ------------------------------------------------------------------------------------------


def stop_after(blocks: int) -> Progress:
    """A progress that raises when so many reports have come."""
    seen: list[At] = []

    def progress(at: At) -> None:
        seen.append(at)
        if len(seen) > blocks:
            raise KeyboardInterrupt

    return progress


def test_resumed_it_does_only_what_is_missing(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole.ome.zarr", tmp_path / "parts.ome.zarr"
    predict_here(client, order(checkpoint, volume, whole, layout=CUT))
    with pytest.raises(KeyboardInterrupt):
        predict_here(client, order(checkpoint, volume, parts, layout=CUT), stop_after(7))
    there = {path: path.stat().st_mtime_ns for path in shards(parts)}
    assert 7 <= len(there) < 36
    seen: list[At] = []
    predict_here(client, order(checkpoint, volume, parts, start="resume"), seen.append)
    assert files(parts) == files(whole)
    assert seen[0].done >= 7 * 2 * 32 * 26
    assert all(path.stat().st_mtime_ns == at for path, at in there.items()), "no block is done twice"


def test_what_has_a_finished_result_is_resumed_without_a_worker(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path
) -> None:
    predict_here(client, order(checkpoint, volume, tmp_path / "seg.ome.zarr", layout=CUT))

    def connect() -> Any:
        raise AssertionError("nobody is needed")

    predict(order(checkpoint, volume, tmp_path / "seg.ome.zarr", start="resume"), connect)


def test_an_unreadable_part_is_named_and_the_rest_is_done(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path
) -> None:
    voxels = np.load(volume)
    raw = create_image(
        tmp_path / "raw.ome.zarr",
        ImageSpec("raw", voxels.shape, voxels.dtype, chunk=(1, 16, 16), shard=(1, 32, 32)),
    )
    for box in raw.shards():
        raw.write(box, voxels[box.slices])
    shard = tmp_path / "raw.ome.zarr" / "0" / "c" / "4" / "0" / "0"
    intact = shard.read_bytes()
    shard.write_bytes(intact[: len(intact) // 2])
    out = tmp_path / "seg.ome.zarr"
    with pytest.raises(BlocksFailedError, match=r"\(4, 0, 0\) to \(5, 32, 32\)") as failed:
        predict_here(client, order(checkpoint, tmp_path / "raw.ome.zarr", out, layout=CUT))
    assert "--resume" in str(failed.value)
    labels = valid_label_levels(out)[0]
    assert (labels[4] == 255).any()
    assert not (labels[:4] == 255).any()
    shard.write_bytes(intact)
    predict_here(client, order(checkpoint, tmp_path / "raw.ome.zarr", out, start="resume"))
    predict_here(client, order(checkpoint, volume, tmp_path / "whole.ome.zarr", layout=CUT))
    assert files(out) == files(tmp_path / "whole.ome.zarr")


def test_a_volume_that_is_damaged_all_over_stops_it_early(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path
) -> None:
    voxels = np.load(volume)
    raw = create_image(tmp_path / "raw.ome.zarr", ImageSpec("raw", voxels.shape, voxels.dtype))
    raw.write(next(raw.shards()), voxels)
    shard = tmp_path / "raw.ome.zarr" / "0" / "c" / "0" / "0" / "0"
    wanted = order(checkpoint, tmp_path / "raw.ome.zarr", tmp_path / "seg.ome.zarr", layout=CUT)
    shard.write_bytes(b"nothing")
    with pytest.raises(VolumeFormatError, match="cannot be read"):
        predict_here(client, wanted)


def test_a_full_disk_stops_it_and_it_goes_on_later(
    client: Client, checkpoint: Path, volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where a folder should be stands for it: another refusal of the system, told in the same way."""
    out = tmp_path / "seg.ome.zarr"
    with pytest.raises(KeyboardInterrupt):
        predict_here(client, order(checkpoint, volume, out, layout=CUT), stop_after(2))
    blocked = out / "0" / "c" / "2"
    shutil.rmtree(blocked, ignore_errors=True)
    blocked.write_bytes(b"in the way")
    with pytest.raises(StorageError, match="A file lies where a folder is needed"):
        predict_here(client, order(checkpoint, volume, out, start="resume"))
    blocked.unlink()
    predict_here(client, order(checkpoint, volume, out, start="resume"))
    assert not (valid_label_levels(out)[0] == 255).any()


@pytest.mark.parametrize(
    "change", ["network", "volume", "views", "smoothing", "probabilities", "scale", "precision"]
)
def test_another_job_is_not_resumed(
    client: Client,
    checkpoint: Path,
    volume: Path,
    tmp_path: Path,
    demo_patches: ArrayTrainingSet,
    change: str,
) -> None:
    out = tmp_path / "seg.ome.zarr"
    wanted = order(checkpoint, volume, out, layout=CUT)
    predict_here(client, wanted)
    again = dataclasses.replace(wanted, start="resume")
    if change == "network":
        new_tiny_predictor(demo_patches, seed=5).save(tmp_path / "other.safetensors")
        again = order(tmp_path / "other.safetensors", volume, out, start="resume")
    elif change == "volume":
        np.save(volume, 255 - np.load(volume))
    elif change == "views":
        again = dataclasses.replace(again, network=wanted.network.model_copy(update={"views": "flips"}))
    elif change == "smoothing":
        again = dataclasses.replace(again, network=wanted.network.model_copy(update={"smoothing": 1}))
    elif change == "precision":
        again = dataclasses.replace(again, network=wanted.network.model_copy(update={"precision": "bf16"}))
    elif change == "probabilities":
        again = dataclasses.replace(again, probabilities=("axon",))
    elif change == "scale":
        again = order(checkpoint, volume, out, (2.0, 2.0), start="resume")
    before = files(out)
    with pytest.raises(OtherResultError, match="grey values" if change == "volume" else change) as refused:
        predict_here(client, again)
    assert "--overwrite" in str(refused.value)
    assert files(out) == before
    predict_here(client, dataclasses.replace(again, start="overwrite"))
