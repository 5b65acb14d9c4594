"""Predicting planes of any size: in tiles, with the same result as in one piece.

Tiles start at multiples of the network's stride and are read with the network's halo around them (see
`pickem.geometry`), so no pixel of a write box can tell that its plane was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from pickem.geometry import Box, blocks, whole
from pickem.predictor.backend import Backend
from pickem.predictor.network import SegmentationNetwork
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.settings import Views

TILE = (
    1024  # pixels; written per tile and side. Bounds the memory: about 1.2 GB for the paper's network in fp32
)


def predict_images(
    network: SegmentationNetwork,
    images: NDArray[np.generic],
    normalisation: Normaliser,
    backend: Backend,
    views: Views = "one",
) -> torch.Tensor:
    """Probabilities (n, classes, h, w), float32, on the backend's device, of images (n, [channels,] h, w).

    Sizes that are not multiples of the stride are continued by reflection and cut off again.
    """
    height, width = images.shape[-2:]
    with torch.inference_mode(), backend.arithmetic():
        tensor = backend.place(pad_to_stride(torch.from_numpy(normalisation.apply(images)), network.stride))
        return _mean_over_views(network, tensor, views)[:, :, :height, :width]


def predict_plane(
    network: SegmentationNetwork,
    plane: NDArray[np.generic],
    classes: int,
    normalisation: Normaliser,
    backend: Backend,
    tile: int = TILE,
    context: int = 0,
    views: Views = "one",
) -> NDArray[np.float32]:
    """Probabilities (classes, h, w) of one plane ([channels,] h, w), computed in tiles of at most `tile`
    pixels a side.

    `tile` is rounded down to a multiple of the network's stride. A network that has learned with `context`
    around its patches knows nothing of borders: the plane is continued there by reflection, at least so far.
    """
    height, width = plane.shape[-2:]
    border = border_of(context, network.stride)
    around = [(0, 0)] * (plane.ndim - 2) + [(border, border)] * 2
    seen = np.pad(plane, around, mode="reflect") if border else plane
    region = Box((0, border, border), (1, border + height, border + width))
    side = max(network.stride, tile - tile % network.stride)
    probabilities = np.empty((classes, height, width), np.float32)
    halo = (0, network.halo, network.halo)
    for block in blocks(region, (1, side, side), halo, within=whole((1, *seen.shape[-2:]))):
        _, rows, columns = block.read.slices
        predicted = predict_images(network, seen[None, ..., rows, columns], normalisation, backend, views)
        _, inner_rows, inner_columns = block.write.relative_to(block.read.start).slices
        _, rows, columns = block.write.relative_to(region.start).slices
        probabilities[:, rows, columns] = predicted[0, :, inner_rows, inner_columns].cpu().numpy()
    return probabilities


def border_of(context: int, stride: int) -> int:
    """By how many pixels, whole strides, a plane is continued for a network that learned with `context`."""
    return -(-context // stride) * stride


@dataclass(frozen=True)
class Segmented:
    """A plane's most probable classes (h, w), and the probabilities (n, h, w) of those asked for; uint8.

    A probability p is written as 255 p, rounded.
    """

    labels: NDArray[np.uint8]
    probabilities: NDArray[np.uint8]


def segmented(probabilities: torch.Tensor, wanted: Sequence[int]) -> Segmented:
    """The classes of a plane with these probabilities (classes, h, w), and the probabilities of those
    `wanted`."""
    labels = _most_probable(probabilities)
    written = (probabilities[list(wanted)] * 255).round().to(torch.uint8)
    return Segmented(labels.cpu().numpy(), written.cpu().numpy())


def _most_probable(probabilities: torch.Tensor) -> torch.Tensor:
    """Of each pixel the most probable class, uint8 (h, w), of several the first, from (classes, h, w).

    On CPUs PyTorch's `argmax` over a handful of classes takes longer than the network.
    """
    best = probabilities[0]
    labels = torch.zeros_like(best, dtype=torch.uint8)
    for index, probability in enumerate(probabilities[1:], start=1):
        labels.masked_fill_(probability > best, index)
        best = torch.maximum(best, probability)
    return labels


_VIEWS: dict[Views, list[tuple[int, bool]]] = {  # quarter turns, flipped
    "one": [(0, False)],
    "turns": [(turns, False) for turns in range(4)],
    "flips": [(turns, flip) for flip in (False, True) for turns in range(4)],
}


def _mean_over_views(network: SegmentationNetwork, image: torch.Tensor, views: Views) -> torch.Tensor:
    first, *others = _VIEWS[views]
    total = _seen(network, image, *first)
    for view in others:
        total += _seen(network, image, *view)
    return total / len(_VIEWS[views])


def _seen(network: SegmentationNetwork, image: torch.Tensor, turns: int, flip: bool) -> torch.Tensor:
    """Probabilities of an image, seen turned and flipped; they are turned back."""
    view = torch.rot90(image, turns, (2, 3))
    view = view.flip(3) if flip else view
    view = view.contiguous(memory_format=torch.channels_last)
    predicted = network.suffix(network.prefix(view), None).float().softmax(dim=1)
    return torch.rot90(predicted.flip(3) if flip else predicted, -turns, (2, 3))


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
