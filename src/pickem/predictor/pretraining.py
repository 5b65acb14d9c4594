"""A start without labels: the network learns to restore what was taken from unlabelled patches.

    patch ──► damaged patch ──► network with one output ──► restored patch      loss: squared error
                                  └─ all weights but the head's ──► start of a segmentation network

masked      blocks of the patch are hidden and have to be painted in; the loss looks at hidden pixels alone
            (Pathak et al. 2016; He et al. 2022)
denoising   white noise is added and has to be taken away; the loss looks at all pixels
            (Vincent et al. 2008; for segmentation, Brempong et al. 2022)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pickem.errors import CheckpointError
from pickem.predictor.augmentation import augment
from pickem.predictor.backend import Backend
from pickem.predictor.checkpoints import read_checkpoint, remove_checkpoint, write_checkpoint
from pickem.predictor.description import read_files
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.protocol import FitReport, ImagePool, Progress
from pickem.predictor.settings import AugmentationSettings, PretrainingSettings, UNetSettings
from pickem.predictor.training import report_of, schedule_of
from pickem.predictor.unet import UNet

MOST_VALUES = 2**29  # grey values held to be learned from: 2,000 usual patches of seven channels
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
    keep: Callable[[], bool] = lambda: False,
) -> FitReport:
    """Train a U-Net to restore `images` and write its weights as the checkpoint `path`.

    `images`: (n, h, w) grey values, sides multiples of the network's stride. `NetworkPredictor.start_from`
    reads the checkpoint. `enough` is asked after each step; what was learned until it says so is kept, and
    goes on from there in another call with the same settings or with more `steps`; those of a finished one
    are the same for the same `rng`. `keep` is asked likewise: what was learned until it says so outlives the
    process. Raises TrainingError where the loss becomes NaN, and OutOfMemoryError.
    """
    on_host = torch.Generator().manual_seed(int(rng.integers(2**63)))
    module = UNet(network, 1, on_host)
    begun = _begun(path, module, network, settings)
    for place in _kept(path):
        if not _steps_towards(place, network, settings):  # another task's, say, whose turn would never come
            remove_checkpoint(place)
    if begun:
        on_host.manual_seed(on_host.initial_seed() + begun)  # so as not to hide the same blocks once more
    with backend.memory():
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
        with backend.memory():
            with backend.arithmetic():
                restored = module(backend.place(damaged))
            middle = clean[:, network.channels // 2, None]
            errors = (restored.float() - backend.place(middle)).square() * backend.place(counts)
            loss = errors.sum() / counts.sum().clamp(min=1)
            optimiser.zero_grad(set_to_none=True)
            backend.differentiate(loss)
            optimiser.step()
        schedule.step()
        losses.append(loss.detach())
        progress(step + 1, settings.steps)
        if enough():
            break
        if step + 1 < settings.steps and keep() and loss.isfinite():
            state = _state(module, network, settings, step + 1)
            write_checkpoint(min(_kept(path), key=_steps), *state)

    fitted = report_of(torch.stack(losses), settings.learning_rate)
    whole = FitReport(begun + fitted.steps, fitted.final_loss)
    write_checkpoint(path, *_state(module, network, settings, whole.steps))
    for place in _kept(path):
        remove_checkpoint(place)
    return whole


def most_images(side: int, channels: int) -> int:
    """Of how many images of so many pixels, context included, height and width, all are held in memory at
    once."""
    return max(1, MOST_VALUES // (channels * side**2))


def pretrained_steps(path: Path, network: UNetSettings, settings: PretrainingSettings) -> int:
    """Steps that `pretrain` with these settings has taken towards the checkpoint `path`; 0 where it has none,
    or one that is damaged or was learned in another way."""
    return max(_steps_towards(place, network, settings) for place in (path, *_kept(path)))


def furthest(path: Path) -> Path:
    """Where the weights are that `pretrain` has brought furthest towards the checkpoint `path`: there, or, of
    one that was killed, beside it."""
    return max((path, *_kept(path)), key=_steps)


def _kept(path: Path) -> tuple[Path, Path]:
    """What a pretraining under way is kept in, by turns: a checkpoint is two files, and one is whole."""
    return path.with_stem(f"{path.stem}-unfinished-1"), path.with_stem(f"{path.stem}-unfinished-2")


def _steps(path: Path) -> int:
    """Steps of a checkpoint of pretraining, however it was learned; 0 where it is none, or damaged."""
    try:
        return int(_header(path)["steps"])
    except (KeyError, TypeError, ValueError):
        return 0


def _steps_towards(path: Path, network: UNetSettings, settings: PretrainingSettings) -> int:
    try:
        header = _header(path)
        found = PretrainingSettings.model_validate(header["pretraining"])
        steps = int(header["steps"])
    except (KeyError, TypeError, ValueError):
        return 0
    same = found.model_copy(update={"steps": settings.steps}) == settings
    return steps if same and header["network"] == _described(network) else 0


def _header(path: Path) -> Mapping[str, Any]:
    """What a checkpoint says of itself; nothing where there is none, or a damaged one.

    Read again only when its files have changed: a trainer that waits for labels asks twice a second.
    """
    return _read_header(path, _stamp(path), _stamp(path.with_suffix(".json")))


@lru_cache(maxsize=8)
def _read_header(path: Path, *stamps: object) -> Mapping[str, Any]:
    try:
        return read_files(path)[1] if all(stamps) else {}
    except CheckpointError:
        return {}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes with the file; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _begun(path: Path, module: UNet, network: UNetSettings, settings: PretrainingSettings) -> int:
    """Give the module the weights of an earlier call that was cut short; the steps that it took."""
    place = max((path, *_kept(path)), key=lambda place: _steps_towards(place, network, settings))
    steps = _steps_towards(place, network, settings)
    if not 0 < steps < settings.steps:
        return 0
    weights, _ = read_checkpoint(place)
    if weights.keys() != module.state_dict().keys():  # written by a pickem that left the head out
        return 0
    module.load_state_dict(weights)
    return steps


def _state(
    module: UNet, network: UNetSettings, settings: PretrainingSettings, steps: int
) -> tuple[dict[str, Tensor], dict[str, object]]:
    """What a checkpoint is written of: the weights, and how they were learned."""
    about = {"network": _described(network), "pretraining": settings.model_dump(), "steps": steps}
    return module.state_dict(), about


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
        return images + strength * noise, torch.ones_like(images[:, :1])
    height, width = images.shape[2:]
    rows, columns = -(-height // settings.block), -(-width // settings.block)
    drawn = torch.rand((len(images), 1, rows, columns), generator=generator) < settings.hidden
    hidden = F.interpolate(drawn.to(images), scale_factor=settings.block)[:, :, :height, :width]
    return images * (1 - hidden), hidden


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    while True:
        yield rng.integers(0, count, size)
