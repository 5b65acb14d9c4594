"""Predicting planes of any size: in tiles, with the same result as in one piece.

Tiles start at multiples of the network's stride and are read with the network's halo around them (see
`pickem.geometry`), so no pixel of a write box can tell that its plane was cut.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from pickem.geometry import Box, blocks, whole
from pickem.predictor.backend import Backend
from pickem.predictor.network import SegmentationNetwork
from pickem.predictor.normalisation import Normaliser

TILE = (
    1024  # pixels; written per tile and side. Bounds the memory: about 1.2 GB for the paper's network in fp32
)


def predict_images(
    network: SegmentationNetwork, images: NDArray[np.generic], normalisation: Normaliser, backend: Backend
) -> torch.Tensor:
    """Probabilities (n, classes, h, w), float32, on the backend's device, of images (n, h, w).

    Sizes that are not multiples of the stride are continued by reflection and cut off again.
    """
    height, width = images.shape[1:]
    with torch.inference_mode(), backend.arithmetic():
        tensor = backend.place(pad_to_stride(torch.from_numpy(normalisation.apply(images)), network.stride))
        logits = network.suffix(network.prefix(tensor), None)
        return logits[:, :, :height, :width].float().softmax(dim=1)


def predict_plane(
    network: SegmentationNetwork,
    plane: NDArray[np.generic],
    classes: int,
    normalisation: Normaliser,
    backend: Backend,
    tile: int = TILE,
    context: int = 0,
) -> NDArray[np.float32]:
    """Probabilities (classes, h, w) of one plane (h, w), computed in tiles of at most `tile` pixels a side.

    `tile` is rounded down to a multiple of the network's stride. A network that has learned with `context`
    around its patches knows nothing of borders: the plane is continued there by reflection, at least so far.
    """
    height, width = plane.shape
    border = -(-context // network.stride) * network.stride
    seen = np.pad(plane, border, mode="reflect") if border else plane
    region = Box((0, border, border), (1, border + height, border + width))
    side = max(network.stride, tile - tile % network.stride)
    probabilities = np.empty((classes, height, width), np.float32)
    halo = (0, network.halo, network.halo)
    for block in blocks(region, (1, side, side), halo, within=whole((1, *seen.shape))):
        _, rows, columns = block.read.slices
        predicted = predict_images(network, seen[None, rows, columns], normalisation, backend)
        _, inner_rows, inner_columns = block.write.relative_to(block.read.start).slices
        _, rows, columns = block.write.relative_to(region.start).slices
        probabilities[:, rows, columns] = predicted[0, :, inner_rows, inner_columns].cpu().numpy()
    return probabilities


def pad_to_stride(images: torch.Tensor, stride: int) -> torch.Tensor:
    """Continue (n, c, h, w) at the lower and right edge up to multiples of `stride`.

    By reflection; by repetition of the edge where the image is too small to be reflected.
    """
    height, width = images.shape[2:]
    below, right = -height % stride, -width % stride
    if not below and not right:
        return images
    mode = "reflect" if below < height and right < width else "replicate"
    return F.pad(images, (0, right, 0, below), mode=mode)


def crop(values: torch.Tensor, border: int) -> torch.Tensor:
    """(…, h, w) without `border` pixels on each side."""
    return values[..., border : values.shape[-2] - border, border : values.shape[-1] - border]


def freeze(network: SegmentationNetwork) -> None:
    """Use the running statistics of the batch norms, as every prediction does."""
    if isinstance(network, nn.Module):
        network.eval()
