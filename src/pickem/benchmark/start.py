"""What a seed's networks start from: drawn weights, or weights pretrained on the images of its pool.

Pretraining sees no label, and the pool's images alone, which lie in the training regions. It is done once a
seed, by whichever run comes first, and shared by all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pickem.benchmark.experiment import Experiment
from pickem.benchmark.journal import write_record
from pickem.learning import Purpose, stream
from pickem.predictor import Predictor, most_images, pretrain, resolve_backend
from pickem.predictor.checkpoints import is_whole


class PretrainingRecord(BaseModel):
    """What pretraining cost, and the squared error that it came down to (variances of the volume)."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    steps: int
    final_loss: float
    seconds: float


def start_pretrained(
    predictor: Predictor,
    experiment: Experiment,
    folder: Path,
    seed: int,
    progress: Callable[[int, int], None],
) -> None:
    """Give a new predictor the pretrained weights in `folder`, made now where they are not there yet.

    Does nothing where the profile has no pretraining.
    """
    profile = experiment.profile
    if profile.pretraining.task == "none":
        return
    path = folder / "pretrained.safetensors"
    if not is_whole(path):
        most = most_images(profile.patch + 2 * predictor.context, profile.network.channels)
        started = time.perf_counter()
        fitted = pretrain(
            path,
            profile.network,
            experiment.train.images(experiment.pool(seed)[:most], predictor.context),
            experiment.normalisation,
            profile.pretraining,
            resolve_backend(profile.device, profile.precision),
            stream(seed, Purpose.PRETRAIN),
            progress,
        )
        record = PretrainingRecord(
            steps=fitted.steps, final_loss=fitted.final_loss, seconds=time.perf_counter() - started
        )
        write_record(folder / "pretraining.json", record)
    predictor.start_from(path)
