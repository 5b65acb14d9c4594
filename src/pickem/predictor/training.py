"""Fitting a network to labelled patches: the whole of it, top to bottom."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pickem.errors import TrainingError
from pickem.predictor.augmentation import augment
from pickem.predictor.backend import Backend
from pickem.predictor.losses import LOSSES, as_targets
from pickem.predictor.network import SegmentationNetwork, check_images
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.protocol import FitReport, Progress
from pickem.predictor.settings import Phase, Schedule, TrainingSettings
from pickem.predictor.training_set import TrainingSet, batches


def fit(
    network: SegmentationNetwork,
    patches: TrainingSet,
    normalisation: Normaliser,
    settings: TrainingSettings,
    phase: Phase,
    backend: Backend,
    rng: np.random.Generator,
    progress: Progress,
) -> FitReport:
    """Train `network` in place with Adam (Kingma & Ba 2015), starting from its present weights.

    The optimiser starts afresh at each call, so that a run resumed from a checkpoint, which holds weights
    alone, goes on exactly as one that was never stopped. Raises TrainingError where the loss becomes NaN, and
    ConfigError where patches or their context are no whole strides of the network.
    """
    module = _module(network)
    steps = phase.length(patches, settings.batch_size)
    loss_of = LOSSES[settings.loss]
    optimiser = torch.optim.Adam(
        module.parameters(), lr=phase.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = schedule_of(optimiser, phase.schedule, phase.learning_rate, steps)
    on_host = torch.Generator().manual_seed(int(rng.integers(2**63)))
    on_device = backend.generator(rng)
    order = batches(patches, settings.batch_size, settings.balance, rng)
    losses = torch.zeros(steps, device=backend.device)
    average = _average(module, settings.averaging)

    module.train()
    for step in range(steps):
        image_array, label_array = patches.gather(next(order))
        check_images(network, image_array, settings.context)
        images, labels = (torch.from_numpy(a) for a in (normalisation.apply(image_array), label_array))
        if settings.augmentation is not None:
            images, labels = augment(images, labels, settings.augmentation, on_host)
        with backend.arithmetic():
            logits = network.suffix(network.prefix(backend.place(images)), on_device)
        loss = loss_of(logits.float(), as_targets(labels).to(backend.device, non_blocking=True))
        optimiser.zero_grad(set_to_none=True)
        backend.differentiate(loss)
        optimiser.step()
        schedule.step()
        average.update_parameters(module)
        losses[step] = loss.detach()  # read at the end: reading it here would make the device wait
        progress(step + 1, steps)
    module.load_state_dict(average.module.state_dict())
    module.eval()
    return report_of(losses, phase.learning_rate)


def schedule_of(
    optimiser: torch.optim.Optimizer, schedule: Schedule, highest: float, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The learning rate at each of `steps` steps, of which `highest` is the highest."""
    if schedule == "one-cycle":  # Smith & Topin 2019
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, highest, total_steps=steps + 1)
    return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)


def report_of(losses: torch.Tensor, learning_rate: float) -> FitReport:
    """The report of a fit with these losses, one a step. Raises TrainingError where one is not finite."""
    if not math.isfinite(float(losses.sum())):
        raise TrainingError(
            "Training diverged: the loss is no longer a number.",
            got=f"learning rate {learning_rate}",
            todo="lower the learning rate, or look for NaN and extreme values in the image",
        )
    return FitReport(len(losses), float(losses[-math.ceil(len(losses) / 10) :].mean()))


def _average(module: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of weights and batch-norm statistics (Polyak & Juditsky 1992)."""
    averaged = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(module, multi_avg_fn=averaged, use_buffers=True)


def _module(network: SegmentationNetwork) -> nn.Module:
    assert isinstance(network, nn.Module)  # by the SegmentationNetwork contract
    return network
