"""What a project's first network starts from: another project's network, or its own volume without labels.

Pretraining needs no person, so it runs while the first patches are being labelled.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pickem.errors import CheckpointError
from pickem.learning import Purpose, stream
from pickem.predictor import NetworkPredictor, pretrain
from pickem.project import rounds
from pickem.project.inputs import InputPool
from pickem.project.project import Project

PRETRAINED = "pretrained.safetensors"


def pretraining_is_due(project: Project) -> bool:
    """Whether the first network is still to come and could start better than from drawn weights."""
    settings = project.settings
    if settings.recipe.pretraining.task == "none" or settings.start or rounds.latest_round(project.store):
        return False
    return not _is_there(_path(project))


def pretrain_on_volumes(
    project: Project, predictor: NetworkPredictor, progress: Callable[[int, int], None]
) -> None:
    """Learn to restore patches of the project's volumes, and keep the weights in its checkpoints.

    Patches near audit patches take no part, and none of the labels does. `predictor` lends its grey value
    normalisation and its device; its weights stay as they are.
    """
    settings = project.settings
    patches = project.draw(settings.pool, stream(settings.seed, Purpose.POOL))
    pretrain(
        _path(project),
        settings.recipe.network,
        InputPool(project.inputs, patches, project.images.grey_values(patches, predictor.context)),
        predictor.normalisation,
        settings.recipe.pretraining,
        predictor.backend,
        stream(settings.seed, Purpose.PRETRAIN),
        progress,
    )


def start_pretrained(project: Project, predictor: NetworkPredictor) -> None:
    """Give a new predictor the project's pretrained weights, where there are any.

    Those that are damaged, or of a network that project.toml has changed since, are noted and done without.
    """
    if not _is_there(_path(project)):
        return
    try:
        predictor.start_from(_path(project))
    except CheckpointError as error:
        project.store.note("problem", f"The first network starts without pretraining. {error}")


def _path(project: Project) -> Path:
    return project.checkpoints / PRETRAINED


def _is_there(checkpoint: Path) -> bool:
    return checkpoint.with_suffix(".json").exists()  # which is written last
