"""The 2-D U-Net of Ronneberger et al. 2015, in the reduced form of Roels & Saeys 2019.

    level 0   16 ───────────────────────────────────── cat ─ 16 ── 1×1 ── logits
               └ pool ─ 32 ──────────────────── cat ─ 32 ─┘ up
                         └ pool ─ 64 ──── cat ─ 64 ─┘ up
                                   └ … ─ 256 ─┘ up            (the bottleneck, at 1/2^depth of the size)

Each number is a block: two 3 × 3 convolutions with zero "same" padding, each followed by batch norm and ReLU.

With `space_to_depth` 2, level 0 lies at half the resolution: squares of 2 × 2 pixels become its channels
(space to depth, Sajjadi et al. 2018), and the head gives logits for each pixel of a square (sub-pixel
convolution, Shi et al. 2016). Twice the maps then cost less than the level at full resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pickem.predictor.network import State
from pickem.predictor.settings import UNetSettings

HEAD = "head."  # begins the names of the weights that depend on the classes


class UNet(nn.Module):
    """A SegmentationNetwork with logits for `classes` classes, background included.

    Weights are drawn from `generator` (He et al. 2015); the same generator state gives the same weights.
    """

    def __init__(self, settings: UNetSettings, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = [settings.feature_maps * 2**level for level in range(settings.depth + 1)]
        self.settings = settings
        square = settings.space_to_depth**2
        self.down = nn.ModuleList(
            _block(inputs, outputs)
            for inputs, outputs in zip([settings.channels * square, *widths[:-1]], widths, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1]))
        self.up = nn.ModuleList(_block(2 * width, width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(widths[0], classes * square, 1)
        self._initialise(generator)

    @property
    def stride(self) -> int:
        """See UNetSettings."""
        return self.settings.stride

    @property
    def halo(self) -> int:
        """Reach of one output pixel, rounded up to a multiple of the stride.

        Level l has four 3 × 3 convolutions (two at the bottleneck), each reaching 2^l of level 0's pixels:
        4 (2^depth − 1) + 2 · 2^depth. A pooled pixel stands for up to 2^depth − 1 to one side. Each of them
        is a square of the image, in which a pixel lies up to space_to_depth − 1 from the other end.
        """
        side, pooled = self.settings.space_to_depth, int(2**self.settings.depth)
        reach = side * (4 * (pooled - 1) + 2 * pooled + (pooled - 1)) + side - 1
        return -(-reach // self.stride) * self.stride

    def forward(self, image: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (n, classes, h, w) of `image` (n, channels, h, w)."""
        return self.suffix(self.prefix(image), generator)

    def prefix(self, image: Tensor) -> State:
        """Run the blocks up to and including the first one that dropout follows."""
        return self._run(0, self._first_dropout + 1, (self._squares(image),), None)

    def suffix(self, state: State, generator: torch.Generator | None) -> Tensor:
        """Drop channels behind the block that `prefix` ended with, then run the remaining blocks."""
        *skips, x = state
        x = _drop_channels(x, self.settings.dropout, generator)
        *_, x = self._run(self._first_dropout + 1, self._blocks, (*skips, x), generator)
        return F.pixel_shuffle(self.head(x), self.settings.space_to_depth)

    def bottleneck(self, state: State) -> Tensor:
        """Output of the deepest block, (n, feature_maps · 2^depth, h / stride, w / stride)."""
        *_, x = self._run(self._first_dropout + 1, self.settings.depth + 1, state, None)
        return x

    def _squares(self, image: Tensor) -> Tensor:
        return F.pixel_unshuffle(image, self.settings.space_to_depth)

    @property
    def _blocks(self) -> int:
        return 2 * self.settings.depth + 1

    @property
    def _first_dropout(self) -> int:
        return 0 if self.settings.dropout_place == "everywhere" else self.settings.depth

    def _drops_after(self, index: int) -> bool:
        last = self._first_dropout if self.settings.dropout_place == "bottleneck" else self._blocks - 2
        return self._first_dropout <= index <= last

    def _run(self, start: int, stop: int, state: State, generator: torch.Generator | None) -> State:
        """Run blocks `start` … `stop` − 1, counted from the input on.

        `state` is a stack: the skip connections still to be used, then the activations. Dropout follows
        every block that has it, save the last one run: whoever continues from there applies it.
        """
        depth = self.settings.depth
        *skips, x = state
        for index in range(start, stop):
            if index <= depth:
                if index > 0:
                    skips.append(x)
                    x = self.pool(x)
                x = self.down[index](x)
            else:
                rung = index - depth - 1
                x = self.up[rung](torch.cat([self.enlarge[rung](x), skips.pop()], dim=1))
            if index < stop - 1 and self._drops_after(index):
                x = _drop_channels(x, self.settings.dropout, generator)
        return (*skips, x)

    def _initialise(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_ConvNorm(inputs, outputs), _ConvNorm(outputs, outputs))


class _ConvNorm(nn.Module):
    """3 × 3 convolution, batch norm, ReLU. With fixed statistics the norm is folded into the convolution.

    That saves a pass over the activations, and scoring is bound by memory.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)  # the norm behind it has a bias
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return F.relu(self.norm(self.conv(x)), inplace=True)
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        scale = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
        weight, bias = self.conv.weight * scale[:, None, None, None], self.norm.bias - mean * scale
        return F.relu(F.conv2d(x, weight, bias, padding=1), inplace=True)


def _drop_channels(x: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """Channel dropout (Tompson et al. 2015): whole feature maps, the others scaled up to keep the mean."""
    if generator is None or rate == 0:
        return x
    kept = torch.empty(x.shape[:2], device=x.device).bernoulli_(1 - rate, generator=generator)
    return x * (kept / (1 - rate)).to(x.dtype)[:, :, None, None]
