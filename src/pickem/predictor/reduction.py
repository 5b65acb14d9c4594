"""From probability maps to one number a patch: what the uncertainty strategies rank by.

All are means over the pixels of a patch; see `Feature` for why not sums.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def entropy(probability: Tensor) -> Tensor:
    """−Σ_c p log p per pixel, in nats (paper, eq. 1 before its sum over pixels): (n, c, h, w) → (n, h, w)."""
    per_class: Tensor = torch.special.entr(probability)
    return per_class.sum(dim=1)


def class_entropy(probability: Tensor) -> Tensor:
    """The entropy per pixel, in the plane of the most probable class: (n, c, h, w) → (n, c, h, w)."""
    most_probable = F.one_hot(probability.argmax(dim=1), probability.shape[1]).permute(0, 3, 1, 2)
    return entropy(probability).unsqueeze(1) * most_probable


def confidence(probability: Tensor) -> Tensor:
    """max_c p per pixel (paper, eq. 2 before its sum): (n, c, h, w) → (n, h, w)."""
    return probability.amax(dim=1)


def margin(probability: Tensor) -> Tensor:
    """Largest minus second largest p per pixel (Scheffer et al. 2001): (n, c, h, w) → (n, h, w)."""
    first, second = probability.topk(2, dim=1).values.unbind(dim=1)
    return first - second


def mean_over_pixels(values: Tensor) -> Tensor:
    """(…, h, w) → (…)."""
    return values.mean(dim=(-2, -1))
