"""What a profile or a project chooses of a network: how it is built, trained and measured.

Nothing here imports torch, so that whoever only reads settings does not wait for it.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pickem.errors import ConfigError
from pickem.predictor.training_set import Balance, TrainingSet, steps_per_epoch

DeviceName = Literal["auto", "cpu", "cuda"]
PrecisionName = Literal["auto", "fp32", "bf16"]
NormalisationKind = Literal["percentiles", "deviation"]  # see `pickem.predictor.normalisation`
DropoutPlace = Literal["bottleneck", "decoder", "everywhere"]
LossName = Literal["cross-entropy", "dice-cross-entropy"]
Schedule = Literal["constant", "one-cycle"]
# What a prediction is the mean of: the image; its quarter turns; its flips and quarter turns.
Views = Literal["one", "turns", "flips"]
SMALLEST_PATCH = 16  # pixels, height and width


class UNetSettings(BaseModel):
    """Shape of the network and place of its dropout. The defaults are the paper's network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # sections that it sees at once, an odd number: the one that it segments in the middle of its neighbours
    channels: int = Field(1, ge=1)
    space_to_depth: int = Field(1, ge=1)  # sides of the squares of pixels that are one at the finest level
    feature_maps: int = Field(16, ge=1)  # at the finest level; doubled at each further one
    depth: int = Field(4, ge=1, le=8)  # number of poolings
    dropout: float = Field(0.2, ge=0, lt=1)  # share of channels dropped
    # after the bottleneck · after it and each decoder block but the last · after every block but the last
    dropout_place: DropoutPlace = "decoder"

    @field_validator("channels")
    @classmethod
    def _odd(cls, channels: int) -> int:
        if channels % 2 == 0:
            raise ValueError(
                f"{channels} sections cannot be seen at once: as many lie before as behind the one that is "
                "segmented, so their number is odd"
            )
        return channels

    @property
    def stride(self) -> int:
        """space_to_depth · 2^depth: every pooling halves a whole number of squares."""
        return int(self.space_to_depth * 2**self.depth)


def check_sides(patch: int, context: int, stride: int) -> None:
    """Raise ConfigError, naming the nearest numbers that will do, where a patch's side or its context, in
    pixels, is no multiple of a network's stride.

    Planes that are predicted may have any size. Patches are learned from and compared as they are, and their
    context is cut off between two cells of the bottleneck.
    """
    for name, pixels, least in (("patch", patch, SMALLEST_PATCH), ("context", context, 0)):
        below = pixels - pixels % stride
        if pixels != below:
            nearest = [str(side) for side in (below, below + stride) if side >= least]
            raise ConfigError(
                f"{name} = {pixels} is not a multiple of {stride}, the stride of the network: "
                f"say {' or '.join(nearest)}"
            )


class AugmentationSettings(BaseModel):
    """Ranges from which each sample draws its own change, uniformly; 0 (zoom: 1) switches off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flips: bool = True
    quarter_turns: bool = True
    zoom: tuple[float, float] = (1.0, 1.0)  # magnification; drawn uniformly in its logarithm
    rotation: float = Field(0, ge=0, le=180)  # degrees, to either side, on top of the quarter turns
    shear: float = Field(0, ge=0, lt=1)  # tangent of the shear angle, to either side
    contrast: float = Field(0, ge=0, lt=1)  # factor 1 ± contrast around the mean of the volume
    brightness: float = Field(0, ge=0)  # ± this many standard deviations of the volume
    noise: float = Field(0, ge=0)  # white noise of up to this many standard deviations

    @property
    def resamples(self) -> bool:
        """Whether pixels land between pixels; flips and quarter turns alone only permute them."""
        return self.zoom != (1.0, 1.0) or self.rotation > 0 or self.shear > 0


class Phase(BaseModel):
    """How long and how fast to learn, once: at the start, or after new labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: float = Field(gt=0)  # the highest, with a schedule
    epochs: int | None = Field(None, ge=1)  # passes over the labelled set …
    steps: int | None = Field(None, ge=1)  # … or optimiser steps, whatever its size
    schedule: Schedule = "constant"

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either `epochs` or `steps`")
        return self

    def length(self, patches: TrainingSet, batch_size: int) -> int:
        """Optimiser steps on this training set."""
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None  # by _one_length
        return self.epochs * steps_per_epoch(patches, batch_size)


class TrainingSettings(BaseModel):
    """The recipe, save for the phases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: LossName = "cross-entropy"
    batch_size: int = Field(8, ge=1)
    balance: Balance = "none"
    weight_decay: float = Field(0.0, ge=0)
    averaging: float = Field(0.0, ge=0, lt=1)  # decay a step of the weights' moving average; 0: none
    augmentation: AugmentationSettings | None = None
    # pixels on each side of a patch that the network sees, without labels; whole strides of the network
    context: int = Field(0, ge=0)


class PretrainingSettings(BaseModel):
    """How a network starts from unlabelled patches (see `pickem.predictor.pretraining`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["none", "masked", "denoising"] = "masked"
    steps: int = Field(1200, ge=1)
    batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(1e-3, gt=0)  # the highest of a one-cycle schedule
    hidden: float = Field(0.6, gt=0, lt=1)  # masked: share of the blocks
    block: int = Field(8, ge=1)  # masked: pixels, height and width of a block
    noise: float = Field(1.0, gt=0)  # denoising: up to so many standard deviations of the volume


class MeasuringSettings(BaseModel):
    """How patches are measured for the strategies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    views: Views = "one"  # of planes and proposals; the strategies' features are always of one
    smoothing: int = Field(0, ge=0)  # sections to each side that a plane's probabilities are averaged with
    passes: int = Field(10, ge=2)  # Monte-Carlo-dropout passes
    embedding: Literal["pooled", "flattened"] = "pooled"  # the bottleneck, averaged over space or as it is

    def without_smoothing(self) -> MeasuringSettings:
        """The same for volumes whose neighbouring sections have little in common."""
        return self.model_copy(update={"smoothing": 0})
