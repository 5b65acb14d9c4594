"""What pickem asks of a network, and the adapter that makes any PyTorch module answer.

A network is cut in two at its first dropout layer:

    image ──► prefix ──► state ──► suffix ──► logits
              (once)              (once per Monte-Carlo pass)

so that `T` Monte-Carlo passes recompute only what differs between them, and the bottleneck is had from the
same state. Dropout is on exactly when a generator is handed to `suffix`: there is no hidden mode, and no
global random state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from pickem.predictor.protocol import Images
from pickem.predictor.settings import check_sides

State = tuple[Tensor, ...]


class SegmentationNetwork(Protocol):
    """A fully convolutional network; implementations are also `torch.nn.Module`s."""

    @property
    def stride(self) -> int:
        """Height and width of every input are multiples of this."""

    @property
    def halo(self) -> int:
        """No output pixel depends on input pixels further away than this; a multiple of `stride`."""

    def prefix(self, image: Tensor) -> State:
        """Everything before the first dropout layer. `image`: (n, channels, h, w), normalised."""

    def suffix(self, state: State, generator: torch.Generator | None) -> Tensor:
        """Everything from the first dropout layer on: logits (n, classes, h, w).

        Dropout draws from `generator`; with None it is off.
        """

    def bottleneck(self, state: State) -> Tensor:
        """The representation in the middle, (n, features, h', w'), without dropout."""


def check_images(network: SegmentationNetwork, images: Images, context: int) -> None:
    """Raise ConfigError where the patches in these images, or their context, are no whole strides of the
    network; see `pickem.predictor.settings.check_sides`."""
    for side in images.shape[-2:]:
        check_sides(side - 2 * context, context, network.stride)


class ForwardOnly(nn.Module):
    """Any module that maps images to logits, used as a SegmentationNetwork.

    Dropout inside `module` cannot be cut free or given a generator, so a Monte-Carlo pass recomputes the
    whole module, with its dropout layers switched on and PyTorch's random state set for the pass and
    restored after it.

    Parameters
    ----------
    module: maps (n, channels, h, w) to logits (n, classes, h, w), zero "same" padding.
    bottleneck: maps images to an (n, features, h', w') representation for k-means and core-set.
    stride, halo: see SegmentationNetwork.
    """

    def __init__(
        self, module: nn.Module, bottleneck: Callable[[Tensor], Tensor], *, stride: int, halo: int
    ) -> None:
        super().__init__()
        self.module = module
        self.stride = stride
        self.halo = halo
        self._bottleneck = bottleneck

    def prefix(self, image: Tensor) -> State:
        """Nothing can be computed before the dropout of an unknown module."""
        return (image,)

    def suffix(self, state: State, generator: torch.Generator | None) -> Tensor:
        """Run the module; with a generator, its dropout layers are on for this call alone."""
        (image,) = state
        dropouts = [m for m in self.module.modules() if isinstance(m, nn.modules.dropout._DropoutNd)]
        before = [m.training for m in dropouts]
        devices = [image.device] if image.is_cuda else []
        try:
            for dropout in dropouts:
                dropout.train(generator is not None)
            with torch.random.fork_rng(devices=devices):
                if generator is not None:
                    torch.manual_seed(_draw_seed(generator))
                logits: Tensor = self.module(image)
        finally:
            for dropout, training in zip(dropouts, before, strict=True):
                dropout.train(training)
        return logits

    def bottleneck(self, state: State) -> Tensor:
        """The representation of the callable given at construction."""
        (image,) = state
        return self._bottleneck(image)


def _draw_seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**62, (1,), generator=generator, device=generator.device).item())
