"""Neighbouring sections, seen by the network or averaged with: in blocks a volume is segmented as whole."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from distributed import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from pickem.geometry import Shape3
from pickem.learning import Regions
from pickem.predictor import ArrayTrainingSet, NetworkPredictor, Phase, UNetSettings
from pickem.predictor.description import read_description
from pickem.predictor.loading import load_predictor
from pickem.predictor.smoothing import section_weights
from tests.conftest import CPU, new_tiny_predictor
from tests.fixtures.ome_zarr_reading import valid_label_levels, valid_levels
from tests.fixtures.prediction import files, layout, order, predict_here, workers_here

SECTIONS = (1, 3, 5)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with workers_here() as client:
        yield client


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, demo_patches: ArrayTrainingSet) -> dict[int, Path]:
    """A network for each number of sections, trained on stacks whose sections differ."""
    folder = tmp_path_factory.mktemp("networks")
    for sections in SECTIONS:
        shifts = range(-(sections // 2), sections // 2 + 1)
        stacks = np.stack([np.roll(demo_patches.images, 3 * shift, axis=1) for shift in shifts], axis=1)
        seen = stacks if sections > 1 else demo_patches.images
        network = UNetSettings(channels=sections, feature_maps=4, depth=2, dropout=0.3)
        predictor = new_tiny_predictor(demo_patches, network=network)
        patches = ArrayTrainingSet(seen, demo_patches.labels)
        rng = np.random.default_rng(0)
        predictor.fit(patches, Phase(learning_rate=1e-2, steps=20), rng, lambda *_: None)
        predictor.save(folder / f"{sections}.safetensors")
    return {sections: folder / f"{sections}.safetensors" for sections in SECTIONS}


def voxels_of(regions: Regions, shape: Shape3) -> NDArray[Any]:
    """Sections that are other parts of an image, and nothing like each other."""
    z, y, x = shape
    image = regions.loaded[0].images[0]
    return np.stack([image[40 * n : 40 * n + 2 * y : 2, 30 * n : 30 * n + 2 * x : 2] for n in range(z)])


def whole_volume(
    predictor: NetworkPredictor, voxels: NDArray[Any], sections: int, smoothing: int
) -> NDArray[np.float32]:
    """Probabilities (classes, z, y, x), of each section between the neighbours that a mirror shows, averaged
    over as many as `smoothing` says to each side."""
    reach = sections // 2
    around = np.pad(voxels, ((reach, reach), (0, 0), (0, 0)), mode="reflect")
    seen = [around[z : z + sections] if reach else around[z] for z in range(len(voxels))]
    alone = np.stack([predictor.predict_plane(each) for each in seen], axis=1)
    averaged: NDArray[np.float32] = convolve1d(alone, section_weights(smoothing), axis=1, mode="nearest")
    return averaged


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(shape=(1, 40, 30), chunk=(1, 16, 16), shard=1, sections=3, smoothing=1)
@example(shape=(2, 40, 30), chunk=(1, 16, 16), shard=1, sections=5, smoothing=2)
@example(shape=(5, 40, 30), chunk=(1, 16, 40), shard=1, sections=3, smoothing=0)
@example(shape=(5, 40, 30), chunk=(1, 16, 40), shard=1, sections=1, smoothing=1)
@example(shape=(4, 40, 30), chunk=(2, 16, 40), shard=1, sections=3, smoothing=2)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 50), st.integers(5, 50)),
    chunk=st.tuples(st.integers(1, 3), st.integers(7, 40), st.integers(7, 40)),
    shard=st.integers(1, 2),
    sections=st.sampled_from(SECTIONS),
    smoothing=st.integers(0, 2),
)
def test_no_seams_along_any_axis(
    client: Client,
    checkpoints: dict[int, Path],
    demo_regions: Regions,
    tmp_path_factory: pytest.TempPathFactory,
    shape: Shape3,
    chunk: Shape3,
    shard: int,
    sections: int,
    smoothing: int,
) -> None:
    folder = tmp_path_factory.mktemp("seams")
    voxels = voxels_of(demo_regions, shape)
    np.save(folder / "volume.npy", voxels)
    cut = layout(chunk, (shard, 1, 1), (1, 1, 1))
    wanted = order(
        checkpoints[sections],
        folder / "volume.npy",
        folder / "seg.ome.zarr",
        layout=cut,
        probabilities=("axon",),
    )
    network = wanted.network.model_copy(update={"smoothing": smoothing})
    predict_here(client, dataclasses.replace(wanted, network=network))
    predictor = load_predictor(checkpoints[sections], CPU, wanted.network.normalisation)
    expected = whole_volume(predictor, voxels, sections, smoothing)
    labels = valid_label_levels(folder / "seg.ome.zarr")[0]
    clear = np.diff(np.sort(expected, axis=0)[-2:], axis=0)[0] > 2e-4  # else rounding may decide
    np.testing.assert_array_equal(labels[clear], expected.argmax(axis=0)[clear])
    found = valid_levels(folder / "seg-probability-axon.ome.zarr")[0]
    assert np.abs(found - 255 * expected[1]).max() <= 0.5 + 255e-4
    shutil.rmtree(folder)


def test_neighbours_decide_too(checkpoints: dict[int, Path], demo_regions: Regions) -> None:
    """Else nothing here could fail."""
    voxels = voxels_of(demo_regions, (3, 60, 60))
    normalisation = read_description(checkpoints[3]).normalisation
    predictor = load_predictor(checkpoints[3], CPU, normalisation)
    own = predictor.predict_plane(np.stack([voxels[1]] * 3))
    assert np.abs(own - predictor.predict_plane(voxels)).max() > 0.05
    assert np.abs(predictor.predict_plane(voxels[::-1]) - predictor.predict_plane(voxels)).max() > 0.01


@pytest.mark.parametrize("scale", [(2.0, 2.0), (0.7, 0.8)])
def test_neighbours_are_those_of_the_working_grid(
    client: Client,
    checkpoints: dict[int, Path],
    demo_regions: Regions,
    tmp_path: Path,
    scale: tuple[float, float],
) -> None:
    np.save(tmp_path / "volume.npy", voxels_of(demo_regions, (5, 70, 60)))
    one, many = layout((5, 70, 60), (1, 1, 1), (1, 1, 1)), layout((1, 16, 16), (1, 2, 2), (1, 1, 1))
    for name, cut in {"one": one, "many": many}.items():
        wanted = order(
            checkpoints[3], tmp_path / "volume.npy", tmp_path / f"{name}.ome.zarr", scale, layout=cut
        )
        predict_here(client, wanted)
    found = [valid_label_levels(tmp_path / f"{name}.ome.zarr")[0] for name in ("one", "many")]
    assert np.unique(found[1]).size > 1
    assert np.mean(found[0] != found[1]) <= 1e-3  # near-ties


def test_sections_of_a_tiff_give_the_same(
    client: Client, checkpoints: dict[int, Path], demo_regions: Regions, tmp_path: Path
) -> None:
    """Which is decoded by whole sections, and kept."""
    voxels = voxels_of(demo_regions, (4, 50, 40))
    np.save(tmp_path / "a.npy", voxels)
    tifffile.imwrite(tmp_path / "a.tif", voxels, photometric="minisblack", compression="zlib")
    cut = layout((2, 16, 16), (1, 1, 1), (1, 1, 1))
    for ending in ("npy", "tif"):
        out = tmp_path / f"{ending}.ome.zarr"
        predict_here(client, order(checkpoints[5], tmp_path / f"a.{ending}", out, layout=cut))
    assert files(tmp_path / "npy.ome.zarr") == files(tmp_path / "tif.ome.zarr")
