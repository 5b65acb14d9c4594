"""A user's own PyTorch module behind the same protocol."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pickem.acquisition import Feature
from pickem.errors import ConfigError
from pickem.predictor import (
    ArrayTrainingSet,
    Backend,
    ForwardOnly,
    MeasuringSettings,
    NetworkPredictor,
    Normalisation,
    Phase,
    TrainingSettings,
)


def own_predictor(patches: ArrayTrainingSet, stride: int = 1, context: int = 0) -> NetworkPredictor:
    encoder = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU())
    module = nn.Sequential(encoder, nn.Dropout2d(0.5), nn.Conv2d(6, 3, 1))
    network = ForwardOnly(module, bottleneck=encoder, stride=stride, halo=stride)
    return NetworkPredictor(
        network,
        3,
        Normalisation.of([patches.images]),
        Backend("cpu", "fp32"),
        TrainingSettings(batch_size=4, context=context),
        MeasuringSettings(passes=4),
        description={"kind": "own"},
    )


def test_a_plain_module_trains_predicts_and_measures(demo_patches: ArrayTrainingSet) -> None:
    predictor = own_predictor(demo_patches)
    predictor.fit(
        demo_patches, Phase(learning_rate=1e-2, steps=5), np.random.default_rng(0), lambda a, b: None
    )
    images = demo_patches.images
    assert np.array_equal(predictor.predict_proba(images), predictor.predict_proba(images))
    needs = [Feature.ENTROPY, Feature.MUTUAL_INFORMATION, Feature.EMBEDDING]
    found = predictor.measure(images, needs, np.random.default_rng(0))
    assert found[Feature.EMBEDDING].shape == (12, 6)
    assert (found[Feature.MUTUAL_INFORMATION] > 0).all()


def test_its_dropout_is_repeatable_and_leaves_the_global_random_state(demo_patches: ArrayTrainingSet) -> None:
    predictor = own_predictor(demo_patches)
    state = torch.random.get_rng_state()
    a = predictor.mc_probabilities(demo_patches.images, np.random.default_rng(1))
    b = predictor.mc_probabilities(demo_patches.images, np.random.default_rng(1))
    assert np.array_equal(a, b)
    assert np.abs(a[0] - a[1]).max() > 0
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("stride", "context", "words"),
    [(24, 0, "patch = 32 is not a multiple of 24.* 24 or 48"), (8, 4, "context = 4 is not .* of 8.* 0 or 8")],
)
def test_patches_between_its_strides_are_refused(
    demo_patches: ArrayTrainingSet, stride: int, context: int, words: str
) -> None:
    predictor = own_predictor(demo_patches, stride, context)
    images, rng = demo_patches.images, np.random.default_rng(0)
    with pytest.raises(ConfigError, match=words):
        predictor.fit(demo_patches, Phase(learning_rate=1e-2, steps=1), rng, lambda *_: None)
    with pytest.raises(ConfigError, match=words):
        predictor.measure(images, [Feature.ENTROPY], rng)
    with pytest.raises(ConfigError, match=words):
        predictor.embed(images)
