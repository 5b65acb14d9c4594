"""Random changes of a training batch, made on the whole batch as tensors.

Flips, quarter turns, zoom, small rotations and shears are one affine map per sample, so a batch is resampled
once. Labels follow by nearest neighbour; what comes from outside the patch is UNLABELLED.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from pickem.acquisition import UNLABELLED
from pickem.predictor.settings import AugmentationSettings


def augment(
    images: Tensor, labels: Tensor, settings: AugmentationSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A randomly changed copy of the batch.

    `images`: (n, channels, h, w) float, normalised to mean 0 and standard deviation 1; `labels`: (n, h, w)
    uint8. Patches that are not square keep their size; a quarter turn then also shows what lies outside.
    """
    if settings.flips or settings.quarter_turns or settings.resamples:
        grid = _sampling_grid(images, settings, generator)
        images = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        # Outside becomes 0, and so do no labels: they are moved up by one for the time of the resampling.
        moved = F.grid_sample(
            labels.unsqueeze(1).to(grid.dtype) + 1,
            grid,
            mode="nearest",
            padding_mode="zeros",
            align_corners=False,
        )
        labels = torch.where(moved == 0, UNLABELLED, moved - 1).squeeze(1).to(torch.uint8)
    return _change_intensity(images, settings, generator), labels


def _sampling_grid(images: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    """Where each output pixel looks, in the (x, y) ∈ [−1, 1] convention of grid_sample: (n, h, w, 2)."""
    n, _, height, width = images.shape
    draw = _Draw(n, generator)
    low, high = (math.log(factor) for factor in settings.zoom)
    scale = torch.exp(-draw.uniform(low, high))
    flip_x = draw.sign() if settings.flips else torch.ones(n)
    flip_y = draw.sign() if settings.flips else torch.ones(n)
    angle = torch.deg2rad(draw.uniform(-settings.rotation, settings.rotation))
    if settings.quarter_turns:
        angle = angle + draw.integer(4) * (math.pi / 2)
    shear = draw.uniform(-settings.shear, settings.shear)
    cos, sin = torch.cos(angle), torch.sin(angle)
    # pixels → pixels: rotation · shear · flip · scale; the aspect turns it into grid_sample's units
    matrix = (
        torch.stack(
            [
                torch.stack([cos * flip_x, (cos * shear - sin) * flip_y], dim=-1),
                torch.stack([sin * flip_x, (sin * shear + cos) * flip_y], dim=-1),
            ],
            dim=-2,
        )
        * scale[:, None, None]
    )
    aspect = torch.tensor([[1.0, height / width], [width / height, 1.0]])
    theta = torch.cat([matrix * aspect, torch.zeros(n, 2, 1)], dim=2)
    return F.affine_grid(theta.to(images), [n, 1, height, width], align_corners=False)


def _change_intensity(images: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    draw = _Draw(len(images), generator)
    if settings.contrast or settings.brightness:
        factor = 1 + draw.uniform(-settings.contrast, settings.contrast)
        offset = draw.uniform(-settings.brightness, settings.brightness)
        images = images * _per_sample(factor, images) + _per_sample(offset, images)
    if settings.noise:
        sigma = draw.uniform(0, settings.noise)
        noise = torch.randn(images.shape, generator=generator).to(images)
        images = images + noise * _per_sample(sigma, images)
    return images


def _per_sample(values: Tensor, images: Tensor) -> Tensor:
    return values.to(images)[:, None, None, None]


class _Draw:
    """One random number per sample of the batch."""

    def __init__(self, n: int, generator: torch.Generator) -> None:
        self._n = n
        self._generator = generator

    def uniform(self, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(self._n, generator=self._generator)

    def integer(self, below: int) -> Tensor:
        return torch.randint(below, (self._n,), generator=self._generator)

    def sign(self) -> Tensor:
        return 1.0 - 2.0 * self.integer(2)
