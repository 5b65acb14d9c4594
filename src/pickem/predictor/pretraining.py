"""A start without labels: the network learns to restore what was taken from unlabelled patches.

    patch ──► damaged patch ──► network with one output ──► restored patch      loss: squared error
                                  └─ all weights but the head's ──► start of a segmentation network

masked      blocks of the patch are hidden and have to be painted in; the loss looks at hidden pixels alone
            (Pathak et al. 2016; He et al. 2022)
denoising   white noise is added and has to be taken away; the loss looks at all pixels
            (Vincent et al. 2008; for segmentation, Brempong et al. 2022)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pickem.errors import CheckpointError
from pickem.predictor.augmentation import augment
from pickem.predictor.backend import Backend
from pickem.predictor.checkpoints import read_checkpoint, write_checkpoint
from pickem.predictor.description import read_files
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.protocol import FitReport, Progress
from pickem.predictor.settings import AugmentationSettings, PretrainingSettings, UNetSettings
from pickem.predictor.training import report_of, schedule_of
from pickem.predictor.training_set import ImagePool
from pickem.predictor.unet import UNet

_CHANGES = AugmentationSettings(contrast=0.2, brightness=0.2)  # flips and quarter turns among them


def pretrain(
    path: Path,
    network: UNetSettings,
    images: ImagePool,
    normalisation: Normaliser,
    settings: PretrainingSettings,
    backend: Backend,
    rng: np.random.Generator,
    progress: Progress,
    enough: Callable[[], bool] = lambda: False,
) -> FitReport:
    """Train a U-Net to restore `images` and write its weights as the checkpoint `path`.

    `images`: (n, h, w) grey values, sides multiples of the network's stride. `NetworkPredictor.start_from`
    reads the checkpoint. `enough` is asked after each step; what was learned until it says so is kept, and
    goes on from there in another call with the same settings or with more `steps`; those of a finished one
    are the same for the same `rng`. Raises TrainingError where the loss becomes NaN.
    """
    on_host = torch.Generator().manual_seed(int(rng.integers(2**63)))
    module = UNet(network, 1, on_host)
    begun = _begun(path, module, network, settings)
    if begun:
        on_host.manual_seed(on_host.initial_seed() + begun)  # so as not to hide the same blocks once more
    module.to(device=backend.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(module.parameters(), lr=settings.learning_rate)
    schedule = schedule_of(optimiser, "one-cycle", settings.learning_rate, settings.steps)
    losses: list[torch.Tensor] = []
    order = _batches(len(images), settings.batch_size, rng)
    for _ in range(begun):
        optimiser.step()  # moves nothing without gradients, and the schedule wants it first
        schedule.step()
        next(order)

    module.train()
    for step in range(begun, settings.steps):
        clean = torch.from_numpy(normalisation.apply(images[next(order)]))
        clean, _ = augment(clean, torch.zeros_like(clean[:, 0], dtype=torch.uint8), _CHANGES, on_host)
        damaged, counts = damage(clean, settings, on_host)
        with backend.arithmetic():
            restored = module(backend.place(damaged))
        errors = (restored.float() - backend.place(clean)).square() * backend.place(counts)
        loss = errors.sum() / counts.sum().clamp(min=1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
        progress(step + 1, settings.steps)
        if enough():
            break

    fitted = report_of(torch.stack(losses), settings.learning_rate)
    whole = FitReport(begun + fitted.steps, fitted.final_loss)
    learned = {"pretraining": settings.model_dump(), "steps": whole.steps}
    write_checkpoint(path, module.state_dict(), {"network": _described(network), **learned})
    return whole


def pretrained_steps(path: Path, network: UNetSettings, settings: PretrainingSettings) -> int:
    """Steps that `pretrain` with these settings has taken towards the checkpoint `path`; 0 where it has none,
    or one that is damaged or was learned in another way."""
    try:
        _, header = read_files(path)
        found = PretrainingSettings.model_validate(header["pretraining"])
        steps = int(header["steps"])
    except (CheckpointError, KeyError, TypeError, ValueError):
        return 0
    same = found.model_copy(update={"steps": settings.steps}) == settings
    return steps if same and header["network"] == _described(network) else 0


def _begun(path: Path, module: UNet, network: UNetSettings, settings: PretrainingSettings) -> int:
    """Give the module the weights of an earlier call that was cut short; the steps that it took."""
    steps = pretrained_steps(path, network, settings)
    if not 0 < steps < settings.steps:
        return 0
    weights, _ = read_checkpoint(path)
    if weights.keys() != module.state_dict().keys():  # written by a pickem that left the head out
        return 0
    module.load_state_dict(weights)
    return steps


def _described(network: UNetSettings) -> dict[str, object]:
    return {"kind": "unet", **network.model_dump()}


def damage(
    images: Tensor, settings: PretrainingSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Damaged images, and which of their pixels the loss looks at (1) or not (0); both (n, 1, h, w).

    `images` have mean 0 and standard deviation 1; a hidden pixel becomes 0.
    """
    if settings.task == "denoising":
        strength = settings.noise * torch.rand((len(images), 1, 1, 1), generator=generator)
        noise = torch.randn(images.shape, generator=generator)
        return images + strength * noise, torch.ones_like(images)
    height, width = images.shape[2:]
    rows, columns = -(-height // settings.block), -(-width // settings.block)
    drawn = torch.rand((len(images), 1, rows, columns), generator=generator) < settings.hidden
    hidden = F.interpolate(drawn.to(images), scale_factor=settings.block)[:, :, :height, :width]
    return images * (1 - hidden), hidden


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    while True:
        yield rng.integers(0, count, size)
