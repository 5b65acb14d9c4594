"""Losses over the labelled pixels; a pixel labelled UNLABELLED takes no part in any of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pickem.acquisition import UNLABELLED
from pickem.predictor.settings import LossName

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the labelled pixels of −log p(label); 0 where no pixel is labelled.

    `logits`: (n, classes, h, w) float32; `labels`: (n, h, w) int64, UNLABELLED = ignored.
    """
    labelled = (labels != UNLABELLED).sum().clamp(min=1)
    return F.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum") / labelled


def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """1 − soft Dice of each foreground class over the whole batch, averaged over the classes.

    Milletari et al. 2016 with the sum of probabilities in the denominator (Drozdzal et al. 2016), and 1
    added above and below so that an absent class costs nothing where it is not predicted. Over the batch, not
    per sample: most patches of EM volumes hold no foreground at all.
    """
    labelled = (labels != UNLABELLED).unsqueeze(1)
    truth = F.one_hot(labels.where(labels != UNLABELLED, 0), logits.shape[1]).permute(0, 3, 1, 2)
    truth = (truth * labelled)[:, 1:].to(logits.dtype)
    probability = (logits.softmax(dim=1) * labelled)[:, 1:]
    over = (0, 2, 3)
    overlap = (truth * probability).sum(over)
    return (1 - (2 * overlap + 1) / (truth.sum(over) + probability.sum(over) + 1)).mean()


def dice_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum of `dice` and `cross_entropy`."""
    return dice(logits, labels) + cross_entropy(logits, labels)


LOSSES: dict[LossName, Loss] = {"cross-entropy": cross_entropy, "dice-cross-entropy": dice_cross_entropy}


def as_targets(labels: Tensor) -> Tensor:
    """uint8 labels as the int64 that PyTorch's losses index with."""
    return labels.to(torch.int64)
