"""Augmentation: images and labels stay aligned, nothing is invented, the same draw gives the same batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.acquisition import UNLABELLED
from pickem.predictor import AugmentationSettings
from pickem.predictor.augmentation import augment

OFF = AugmentationSettings(flips=False, quarter_turns=False)
GEOMETRY = AugmentationSettings(zoom=(0.7, 1.4), rotation=20, shear=0.1)


def batch(n: int = 6, height: int = 24, width: int = 24, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks of 4 × 4 pixels of one label each, and images that show exactly the labels."""
    rng = np.random.default_rng(seed)
    small = rng.choice(np.array([0, 1, 2, UNLABELLED], np.uint8), (n, height // 4, width // 4))
    labels = torch.from_numpy(np.kron(small, np.ones((1, 4, 4), np.uint8)))
    return labels.unsqueeze(1).float(), labels


def run(settings_: AugmentationSettings, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return augment(*batch(), settings_, torch.Generator().manual_seed(seed))


def test_all_off_changes_nothing() -> None:
    images, labels = batch()
    same_images, same_labels = run(OFF)
    assert torch.equal(images, same_images)
    assert torch.equal(labels, same_labels)


def test_flips_and_quarter_turns_only_permute_and_images_follow_labels() -> None:
    images, labels = run(AugmentationSettings())
    assert torch.allclose(images.squeeze(1), labels.float(), atol=1e-3)
    before = batch()[1].flatten(1).sort(dim=1).values
    assert torch.equal(labels.flatten(1).sort(dim=1).values, before)


def test_every_flip_and_turn_occurs() -> None:
    corner = torch.zeros(400, 1, 8, 8)
    corner[:, :, 0, 1] = 1.0
    labels = corner.squeeze(1).to(torch.uint8)
    _, moved = augment(corner, labels, AugmentationSettings(), torch.Generator().manual_seed(0))
    places = {tuple(np.argwhere(m.numpy())[0]) for m in moved}
    assert places == {(0, 1), (0, 6), (7, 1), (7, 6), (1, 0), (6, 0), (1, 7), (6, 7)}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), height=st.sampled_from([16, 24]), width=st.sampled_from([16, 32]))
def test_labels_are_old_labels_or_unlabelled(seed: int, height: int, width: int) -> None:
    images, labels = batch(3, height, width, seed)
    new_images, new_labels = augment(images, labels, GEOMETRY, torch.Generator().manual_seed(seed))
    assert new_images.shape == images.shape
    assert new_labels.dtype == torch.uint8
    assert set(new_labels.unique().tolist()) <= {*labels.unique().tolist(), UNLABELLED}


def test_zooming_out_shows_unlabelled_surroundings_and_zooming_in_shows_none() -> None:
    images = torch.zeros(4, 1, 32, 32)
    labels = torch.ones(4, 32, 32, dtype=torch.uint8)
    out = augment(images, labels, OFF.model_copy(update={"zoom": (0.5, 0.5)}), torch.Generator())[1]
    assert (out == 1).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert (out[:, 0] == UNLABELLED).all()
    closer = augment(images, labels, OFF.model_copy(update={"zoom": (2.0, 2.0)}), torch.Generator())[1]
    assert (closer == 1).all()


def test_intensity_changes_touch_no_label() -> None:
    changes = OFF.model_copy(update={"contrast": 0.3, "brightness": 0.3, "noise": 0.2})
    images, labels = run(changes)
    assert torch.equal(labels, batch()[1])
    assert not torch.equal(images, batch()[0])


def test_the_same_generator_state_gives_the_same_batch_and_samples_differ() -> None:
    assert torch.equal(run(GEOMETRY, 3)[0], run(GEOMETRY, 3)[0])
    same = torch.ones(5, 1, 16, 16) * torch.arange(16).view(1, 1, 1, 16)
    images, _ = augment(same, torch.zeros(5, 16, 16, dtype=torch.uint8), GEOMETRY, torch.Generator())
    assert not torch.equal(images[0], images[1])


def test_neighbouring_sections_are_changed_with_their_own_and_keep_their_order() -> None:
    images, labels = batch()
    stack = torch.cat([images + 10, images, images + 20], dim=1)
    seen, _ = augment(stack, labels, AugmentationSettings(), torch.Generator().manual_seed(0))
    alone, _ = augment(images, labels, AugmentationSettings(), torch.Generator().manual_seed(0))
    assert torch.allclose(seen, torch.cat([alone + 10, alone, alone + 20], dim=1), atol=1e-3)
