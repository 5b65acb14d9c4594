"""What the predictor tells the strategies: checked against probabilities computed the long way."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from pickem.acquisition import Feature
from pickem.geometry import PatchId
from pickem.predictor import (
    ArrayTrainingSet,
    MeasuringSettings,
    NetworkPredictor,
    Phase,
    Predictor,
    UNet,
    UNetSettings,
    score,
)
from tests.conftest import new_tiny_predictor

MEASURABLE = [feature for feature in Feature if feature is not Feature.ORACLE_FOREGROUND]


@pytest.fixture
def trained(demo_patches: ArrayTrainingSet) -> NetworkPredictor:
    predictor = new_tiny_predictor(demo_patches)
    predictor.fit(
        demo_patches, Phase(learning_rate=1e-2, steps=10), np.random.default_rng(0), lambda done, total: None
    )
    return predictor


def entropy(p: np.ndarray, axis: int) -> np.ndarray:
    return -(p * np.log(np.clip(p, 1e-30, None))).sum(axis=axis)


def test_features_equal_their_formulas(trained: NetworkPredictor, demo_patches: ArrayTrainingSet) -> None:
    images = demo_patches.images
    found = trained.measure(images, MEASURABLE, np.random.default_rng(7))
    p = trained.predict_proba(images)
    passes = trained.mc_probabilities(images, np.random.default_rng(7))
    mean = passes.mean(axis=0)
    top = np.sort(p, axis=1)
    expected = {
        Feature.ENTROPY: entropy(p, 1).mean(axis=(1, 2)),
        Feature.CLASS_ENTROPY: np.stack(
            [((p.argmax(axis=1) == c) * entropy(p, 1)).mean(axis=(1, 2)) for c in range(3)], axis=1
        ),
        Feature.CONFIDENCE: p.max(axis=1).mean(axis=(1, 2)),
        Feature.MARGIN: (top[:, -1] - top[:, -2]).mean(axis=(1, 2)),
        Feature.MC_ENTROPY: entropy(mean, 1).mean(axis=(1, 2)),
        Feature.MUTUAL_INFORMATION: (entropy(mean, 1) - entropy(passes, 2).mean(axis=0)).mean(axis=(1, 2)),
        Feature.EMBEDDING: trained.embed(images),
    }
    assert found.keys() == expected.keys()
    for feature, values in expected.items():
        np.testing.assert_allclose(found[feature], values, rtol=1e-4, atol=1e-5, err_msg=feature)


def test_monte_carlo_passes_differ_and_leave_the_network_as_it_was(
    trained: NetworkPredictor, demo_patches: ArrayTrainingSet
) -> None:
    before = trained.predict_proba(demo_patches.images)
    passes = trained.mc_probabilities(demo_patches.images, np.random.default_rng(0))
    assert passes.shape == (3, 12, 3, 32, 32)
    assert np.abs(passes[0] - passes[1]).max() > 1e-3
    np.testing.assert_allclose(passes.sum(axis=2), 1, atol=1e-5)
    assert np.array_equal(before, trained.predict_proba(demo_patches.images))


@pytest.mark.parametrize("place", ["bottleneck", "decoder", "everywhere"])
def test_passes_after_the_cut_equal_passes_of_the_whole_network(
    place: str, demo_patches: ArrayTrainingSet
) -> None:
    network = UNetSettings.model_validate(
        {"feature_maps": 4, "depth": 2, "dropout": 0.5, "dropout_place": place}
    )
    predictor = new_tiny_predictor(demo_patches, network=network)
    passes = predictor.mc_probabilities(demo_patches.images, np.random.default_rng(3))
    generator = predictor.backend.generator(np.random.default_rng(3))
    with torch.inference_mode():
        tensor = torch.from_numpy(predictor.normalisation.apply(demo_patches.images))
        whole = [predictor.network(tensor, generator).softmax(dim=1).numpy() for _ in range(3)]
    np.testing.assert_allclose(passes, np.stack(whole), atol=1e-6)


@pytest.mark.parametrize("place", ["bottleneck", "decoder", "everywhere"])
def test_the_embedding_costs_no_second_run_and_is_the_same(
    place: str, demo_patches: ArrayTrainingSet
) -> None:
    network = UNetSettings.model_validate({"feature_maps": 4, "depth": 2, "dropout_place": place})
    predictor = new_tiny_predictor(demo_patches, network=network)
    alone = predictor.embed(demo_patches.images)
    runs: list[object] = []
    assert isinstance(predictor.network, UNet)
    predictor.network.down[0].register_forward_hook(lambda *_: runs.append(None))
    needs = [Feature.EMBEDDING, Feature.ENTROPY, Feature.MC_ENTROPY]
    found = predictor.measure(demo_patches.images, needs, np.random.default_rng(0))
    assert len(runs) == 1
    assert np.array_equal(found[Feature.EMBEDDING], alone)


def test_embedding_pooled_or_flattened(demo_patches: ArrayTrainingSet) -> None:
    pooled = new_tiny_predictor(demo_patches, measuring=MeasuringSettings(embedding="pooled"))
    flattened = new_tiny_predictor(demo_patches, measuring=MeasuringSettings(embedding="flattened"))
    a, b = pooled.embed(demo_patches.images), flattened.embed(demo_patches.images)
    assert a.shape == (12, 16)
    assert b.shape == (12, 16 * 8 * 8)
    np.testing.assert_allclose(a, b.reshape(12, 16, 64).mean(axis=2), rtol=1e-4, atol=1e-6)


def test_a_pool_is_streamed_batch_by_batch(trained: NetworkPredictor, demo_patches: ArrayTrainingSet) -> None:
    patches = [PatchId("v", i, 0, 0, 32, 32) for i in range(12)]
    read_at_once: list[int] = []

    def read(part: list[PatchId], context: int) -> np.ndarray:
        read_at_once.append(len(part))
        return demo_patches.images[[p.z for p in part]]

    needs = {Feature.ENTROPY, Feature.EMBEDDING}
    whole = score(trained, patches, read, needs, np.random.default_rng(0), lambda a, b: None, batch=12)
    parts = score(trained, patches, read, needs, np.random.default_rng(0), lambda a, b: None, batch=5)
    assert read_at_once == [12, 5, 5, 2]
    assert list(parts.patches) == patches
    for feature in needs:
        np.testing.assert_allclose(whole.column(feature), parts.column(feature), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("side", "together"), [(32, 32), (128, 32), (256, 8), (1024, 1), (4096, 1)])
def test_large_patches_are_measured_fewer_at_a_time(side: int, together: int) -> None:
    class Counting:
        context = 0

        def measure(self, images: np.ndarray, *_: object) -> dict[Feature, np.ndarray]:
            batches.append(len(images))
            return {Feature.ENTROPY: np.zeros(len(images), np.float32)}

    batches: list[int] = []
    patches = [PatchId("v", i, 0, 0, side, side) for i in range(33)]
    score(
        cast(Predictor, Counting()),
        patches,
        lambda part, context: np.zeros((len(part), 1, 1), np.uint8),
        {Feature.ENTROPY},
        np.random.default_rng(0),
        lambda a, b: None,
    )
    assert batches[0] == together
    assert sum(batches) == 33


def test_nothing_needed_nothing_read(trained: NetworkPredictor) -> None:
    def read(part: object, context: int) -> np.ndarray:
        raise AssertionError("read")

    patches = [PatchId("v", 0, 0, 0, 32, 32)]
    found = score(trained, patches, read, set(), np.random.default_rng(0), lambda a, b: None)
    assert not found.columns
