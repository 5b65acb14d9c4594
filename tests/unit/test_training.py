"""Fitting: repeatable, effective, blind to unlabelled pixels, and honest when it diverges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pickem.acquisition import UNLABELLED
from pickem.errors import TrainingError
from pickem.learning.evaluation import confusion, evaluate_confusion
from pickem.predictor import ArrayTrainingSet, NetworkPredictor, Phase, TrainingSettings
from tests.conftest import new_tiny_predictor

SHORT = Phase(learning_rate=1e-2, steps=6, schedule="one-cycle")


def train(
    predictor: NetworkPredictor, patches: ArrayTrainingSet, phase: Phase = SHORT, seed: int = 0
) -> float:
    return predictor.fit(patches, phase, np.random.default_rng(seed), lambda done, total: None).final_loss


def weights(predictor: NetworkPredictor) -> dict[str, torch.Tensor]:
    assert isinstance(predictor.network, torch.nn.Module)
    return {name: tensor.clone() for name, tensor in predictor.network.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_seed_gives_the_same_weights_bit_for_bit(demo_patches: ArrayTrainingSet) -> None:
    trained = []
    for seed in (0, 0, 1):
        predictor = new_tiny_predictor(demo_patches)
        torch.manual_seed(len(trained))  # the global random state has no say
        train(predictor, demo_patches, seed=seed)
        trained.append(weights(predictor))
    assert same(trained[0], trained[1])
    assert not same(trained[0], trained[2])


def test_training_learns_real_patches(demo_patches: ArrayTrainingSet) -> None:
    predictor = new_tiny_predictor(demo_patches)

    def jaccard() -> float:
        predicted = predictor.predict_proba(demo_patches.images).argmax(axis=1)
        return evaluate_confusion(confusion(demo_patches.labels, predicted, 3)).jaccard

    before = jaccard()
    train(predictor, demo_patches, Phase(learning_rate=1e-2, steps=80, schedule="one-cycle"))
    assert jaccard() > max(0.4, before + 0.1)


def test_labels_of_unlabelled_pixels_do_not_matter(demo_patches: ArrayTrainingSet) -> None:
    partly = demo_patches.labels.copy()
    partly[:, :16] = UNLABELLED
    settings = TrainingSettings(loss="cross-entropy", batch_size=12)
    trained = new_tiny_predictor(demo_patches, training=settings)
    train(trained, ArrayTrainingSet(demo_patches.images, partly))
    predicted = trained.predict_proba(demo_patches.images)
    assert np.isfinite(predicted).all()

    everything_hidden = np.full_like(partly, UNLABELLED)
    untrained = new_tiny_predictor(demo_patches, training=settings)
    assert isinstance(untrained.network, torch.nn.Module)
    before = {name: p.detach().clone() for name, p in untrained.network.named_parameters()}
    train(untrained, ArrayTrainingSet(demo_patches.images, everything_hidden))
    assert same(before, {name: p.detach() for name, p in untrained.network.named_parameters()})


def test_epochs_and_steps(demo_patches: ArrayTrainingSet) -> None:
    predictor = new_tiny_predictor(demo_patches)  # 12 patches, batches of 4: three steps an epoch
    seen: list[tuple[int, int]] = []
    report = predictor.fit(
        demo_patches,
        Phase(learning_rate=1e-3, epochs=2),
        np.random.default_rng(0),
        lambda done, total: seen.append((done, total)),
    )
    assert report.steps == 6
    assert seen == [(i, 6) for i in range(1, 7)]


@pytest.mark.parametrize("lengths", [{}, {"epochs": 1, "steps": 1}])
def test_a_phase_has_one_length(lengths: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="either"):
        Phase(learning_rate=1e-3, **lengths)


def test_divergence_is_said(demo_patches: ArrayTrainingSet) -> None:
    images = demo_patches.images.astype(np.float32)
    images[0, ::2] = 1e38  # its square is no number in 32 bits
    predictor = new_tiny_predictor(demo_patches)
    with pytest.raises(TrainingError, match="no longer a number"):
        train(predictor, ArrayTrainingSet(images, demo_patches.labels))


def test_averaging_keeps_the_moving_average_of_the_weights(demo_patches: ArrayTrainingSet) -> None:
    decay, settings = 0.8, TrainingSettings(batch_size=4)

    def after(steps: int, averaging: float) -> dict[str, torch.Tensor]:
        training = settings.model_copy(update={"averaging": averaging})
        predictor = new_tiny_predictor(demo_patches, training=training)
        train(predictor, demo_patches, Phase(learning_rate=1e-2, steps=steps))
        return weights(predictor)

    expected = after(1, 0.0)
    for steps in (2, 3):
        newest = after(steps, 0.0)
        expected = {name: decay * w + (1 - decay) * newest[name] for name, w in expected.items()}
    averaged = after(3, decay)
    for name, w in expected.items():
        if averaged[name].is_floating_point():  # the norms also count batches
            torch.testing.assert_close(averaged[name], w)
