"""Patches with context: what the network sees beyond a patch, and what is said of the patch alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import UNLABELLED, Feature
from pickem.geometry import Box, PatchId, whole
from pickem.learning import Regions
from pickem.learning.surroundings import labels_with_context, read_with_context
from pickem.predictor import (
    ArrayTrainingSet,
    MeasuringSettings,
    NetworkPredictor,
    Normalisation,
    Phase,
    TrainingSettings,
    UNetSettings,
    unet_predictor,
)
from tests.conftest import CPU


@given(top=st.integers(0, 12), left=st.integers(0, 20), size=st.integers(1, 8), context=st.integers(0, 40))
def test_the_patch_lies_in_the_middle_of_what_the_volume_shows(
    top: int, left: int, size: int, context: int
) -> None:
    volume = np.arange(2 * 20 * 28).reshape(2, 20, 28)

    def read(box: Box) -> np.ndarray:
        assert whole(volume.shape).contains(box)
        return volume[box.slices]

    seen = read_with_context(read, PatchId("v", 1, top, left, size, size), context, whole(volume.shape))
    mirrored = np.pad(volume[1], context, mode="reflect")
    side = size + 2 * context
    assert np.array_equal(seen, mirrored[top : top + side, left : left + side])


def mirrored(index: int, length: int) -> int:
    """Where an index beyond the ends of an axis is found."""
    while length > 1 and not 0 <= index < length:
        index = -index if index < 0 else 2 * (length - 1) - index
    return index if length > 1 else 0


@given(
    depth=st.integers(1, 6),
    z=st.integers(0, 5),
    sections=st.sampled_from([3, 5, 7]),
    context=st.integers(0, 9),
)
def test_neighbouring_sections_lie_around_the_patchs_own_mirrored_at_the_ends(
    depth: int, z: int, sections: int, context: int
) -> None:
    volume = np.arange(depth * 12 * 14).reshape(depth, 12, 14)
    patch = PatchId("v", min(z, depth - 1), 3, 4, 5, 5)
    reads: list[Box] = []

    def read(box: Box) -> np.ndarray:
        assert whole(volume.shape).contains(box)
        reads.append(box)
        return volume[box.slices]

    seen = read_with_context(read, patch, context, whole(volume.shape), sections)
    places = [mirrored(patch.z + beside, depth) for beside in range(-(sections // 2), sections // 2 + 1)]
    for image, place in zip(seen, places, strict=True):
        alone = PatchId("v", place, 3, 4, 5, 5)
        assert np.array_equal(image, read_with_context(read, alone, context, whole(volume.shape)))
    assert reads[0].shape[0] <= sections, "no more is read than is seen"


def test_nobody_has_labelled_the_context() -> None:
    labels = labels_with_context(np.ones((2, 3, 4), np.uint8), 2)
    assert labels.shape == (2, 7, 8)
    assert (labels[:, 2:-2, 2:-2] == 1).all()
    assert (labels == UNLABELLED).sum() == labels.size - 2 * 3 * 4


@pytest.fixture
def wide(demo_regions: Regions) -> NetworkPredictor:
    """A tiny network that sees eight pixels around its patches."""
    return unet_predictor(
        UNetSettings(feature_maps=4, depth=2),
        3,
        Normalisation.of(region.images for region in demo_regions.loaded),
        CPU,
        TrainingSettings(batch_size=4, context=8),
        MeasuringSettings(passes=2),
        np.random.default_rng(0),
    )


def test_answers_are_about_the_patch_alone(wide: NetworkPredictor, demo_regions: Regions) -> None:
    region = demo_regions.loaded[0]
    patches = [PatchId(region.volume, region.box.start[0], 40, 40, 32, 48)]
    images = demo_regions.images(patches, wide.context)
    assert images.shape == (1, 48, 64)
    probability = wide.predict_proba(images)
    assert probability.shape == (1, 3, 32, 48)
    assert wide.mc_probabilities(images, np.random.default_rng(0)).shape == (2, 1, 3, 32, 48)
    features = wide.measure(images, {Feature.ENTROPY, Feature.EMBEDDING}, np.random.default_rng(0))
    entropy = -(probability * np.log(probability)).sum(axis=1).mean()
    assert features[Feature.ENTROPY] == pytest.approx(entropy, rel=1e-4)
    assert features[Feature.EMBEDDING].shape == (1, 16)


def test_a_plane_is_predicted_as_if_it_went_on(wide: NetworkPredictor, demo_regions: Regions) -> None:
    plane = demo_regions.loaded[0].images[0, :64, :64]
    expected = wide.predict_proba(np.pad(plane, 8, mode="reflect")[None])[0]
    np.testing.assert_allclose(wide.predict_plane(plane), expected, atol=1e-5)


def test_a_network_learns_from_patches_with_context(
    wide: NetworkPredictor, demo_patches: ArrayTrainingSet
) -> None:
    images = np.pad(demo_patches.images, ((0, 0), (8, 8), (8, 8)), mode="reflect")
    patches = ArrayTrainingSet(images, labels_with_context(demo_patches.labels, 8))
    first = wide.fit(patches, Phase(learning_rate=2e-3, steps=10), np.random.default_rng(0), lambda *_: None)
    later = wide.fit(patches, Phase(learning_rate=2e-3, steps=60), np.random.default_rng(1), lambda *_: None)
    assert later.final_loss < first.final_loss


def test_a_checkpoint_knows_its_context(
    wide: NetworkPredictor, demo_regions: Regions, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "wide.safetensors"
    wide.save(path)
    wide.load_weights(path)
    assert '"context": 8' in path.with_suffix(".json").read_text()
