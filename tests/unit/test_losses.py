"""Losses: hand-computed values, and pixels without a label."""

from __future__ import annotations

import math

import pytest
import torch

from pickem.acquisition import UNLABELLED
from pickem.predictor.losses import LOSSES, cross_entropy, dice


def logits_of(probabilities: list[float]) -> torch.Tensor:
    """Two-class logits (1, 2, 1, n) with these foreground probabilities."""
    p = torch.tensor(probabilities).view(1, 1, 1, -1)
    return torch.cat([torch.log(1 - p), torch.log(p)], dim=1)


def test_cross_entropy_is_the_mean_over_labelled_pixels() -> None:
    labels = torch.tensor([[[1, 0, UNLABELLED]]])
    loss = cross_entropy(logits_of([0.8, 0.4, 0.01]), labels)
    assert loss.item() == pytest.approx((-math.log(0.8) - math.log(0.6)) / 2, rel=1e-5)


def test_dice_by_hand() -> None:
    labels = torch.tensor([[[1, 0, UNLABELLED]]])
    overlap, truth, predicted = 0.8, 1.0, 0.8 + 0.4
    expected = 1 - (2 * overlap + 1) / (truth + predicted + 1)
    assert dice(logits_of([0.8, 0.4, 0.9]), labels).item() == pytest.approx(expected, rel=1e-5)


def test_dice_averages_over_foreground_classes_only() -> None:
    certain = torch.tensor([[0, 1, 2, 2]]).unsqueeze(0)
    logits = torch.nn.functional.one_hot(certain, 3).permute(0, 3, 1, 2).float() * 50
    assert dice(logits, certain).item() == pytest.approx(0, abs=1e-5)
    wrong = torch.tensor([[0, 1, 1, 1]]).unsqueeze(0)
    class_1, class_2 = 1 - (2 * 1 + 1) / (1 + 3 + 1), 1 - 1 / (2 + 0 + 1)
    logits = torch.nn.functional.one_hot(wrong, 3).permute(0, 3, 1, 2).float() * 50
    assert dice(logits, certain).item() == pytest.approx((class_1 + class_2) / 2, rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_unlabelled_pixels_change_neither_loss_nor_gradient(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 4, generator=generator)
    labels = torch.randint(0, 3, (2, 4, 4), generator=generator)
    labels[:, 2:] = UNLABELLED
    elsewhere = logits.clone()
    elsewhere[:, :, 2:] = 100 * torch.randn(2, 3, 2, 4, generator=generator)

    def loss_and_gradient(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values = values.clone().requires_grad_(True)
        loss = LOSSES[name](values, labels)  # type: ignore[index]
        loss.backward()
        assert values.grad is not None
        return loss.detach(), values.grad

    (loss_a, gradient_a), (loss_b, gradient_b) = loss_and_gradient(logits), loss_and_gradient(elsewhere)
    assert torch.allclose(loss_a, loss_b)
    assert torch.allclose(gradient_a[:, :, :2], gradient_b[:, :, :2], atol=1e-7)
    assert gradient_b[:, :, 2:].abs().max() == 0


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_any_label_has_a_finite_loss(name: str) -> None:
    logits = torch.randn(1, 2, 3, 3).requires_grad_(True)
    loss = LOSSES[name](logits, torch.full((1, 3, 3), UNLABELLED))  # type: ignore[index]
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0
