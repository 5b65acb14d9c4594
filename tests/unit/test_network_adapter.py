"""A user's own PyTorch module behind the same protocol."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pickem.acquisition import Feature
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


def own_predictor(patches: ArrayTrainingSet) -> NetworkPredictor:
    encoder = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU())
    module = nn.Sequential(encoder, nn.Dropout2d(0.5), nn.Conv2d(6, 3, 1))
    network = ForwardOnly(module, bottleneck=encoder, stride=1, halo=1)
    return NetworkPredictor(
        network,
        3,
        Normalisation.of([patches.images]),
        Backend("cpu", "fp32"),
        TrainingSettings(batch_size=4),
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
