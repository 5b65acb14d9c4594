"""What a project's first network starts from: another project's network, or its own volume without labels.

Pretraining needs no person, so it runs while the first patches are being labelled, and no longer: once there
are enough of them, a network that has learned from labels is worth more than a better start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pickem.errors import CheckpointError
from pickem.geometry import PatchId
from pickem.learning import Purpose, stream
from pickem.predictor import (
    FitReport,
    NetworkPredictor,
    PretrainingSettings,
    furthest,
    most_images,
    pretrain,
    pretrained_steps,
)
from pickem.project import rounds
from pickem.project.inputs import InputPool
from pickem.project.project import Project
from pickem.project.unreadable import Unreadable

PRETRAINED = "pretrained.safetensors"
KEEP_SECONDS = 60.0  # after so long, what was learned is kept, should the process be killed
Annotator = Literal["person", "simulated"]  # people are not kept waiting; what is simulated can be repeated


def pretraining_is_due(project: Project, annotator: Annotator) -> bool:
    """Whether the first network is still to come and could start better than from drawn weights."""
    settings = project.settings
    if annotator == "person" and labels_are_waiting(project):
        return False
    if settings.recipe.pretraining.task == "none" or settings.start or rounds.latest_round(project.store):
        return False
    planned = settings.recipe.pretraining
    begun = pretrained_steps(start_path(project), settings.recipe.network, planned)
    return 0 < begun < planned.steps or not _is_there(start_path(project))


def labels_are_waiting(project: Project) -> bool:
    """Whether there are enough labels for the first network."""
    return rounds.waiting_labels(project.store) >= project.settings.first_patches


def pretrain_on_volumes(
    project: Project,
    predictor: NetworkPredictor,
    how: PretrainingSettings,
    progress: Callable[[int, int], None],
    enough: Callable[[], bool],
    unreadable: Unreadable,
) -> FitReport:
    """Learn to restore patches of the project's volumes, and keep the weights in its checkpoints.

    Ends when `enough` says so, keeps what was learned by then, and goes on from there another time; killed,
    from what was kept in the last minute.

    Patches near audit patches take no part, nor what is `unreadable`, nor any label. `predictor` lends its
    grey value normalisation and its device; its weights stay as they are.
    """
    settings = project.settings
    context = predictor.context
    most = most_images(settings.patch + 2 * context, settings.recipe.network.channels)
    patches = project.draw(min(settings.pool, most), stream(settings.seed, Purpose.POOL))[:most]

    def pool(some: Sequence[PatchId]) -> InputPool:
        return InputPool(project.inputs, some, project.inputs.grey_values(some, context))

    return pretrain(
        start_path(project),
        settings.recipe.network,
        unreadable.without(patches, context, pool),
        predictor.normalisation,
        how,
        predictor.backend,
        stream(settings.seed, Purpose.PRETRAIN),
        progress,
        enough,
        _once_in(KEEP_SECONDS),
    )


def start_pretrained(project: Project, predictor: NetworkPredictor) -> None:
    """Give a new predictor the weights of the other project's network, or the project's pretrained ones,
    where there are any.

    Those that are damaged, or of a network that project.toml has changed since, are noted and done without.
    """
    given = project.settings.start
    path = project.checkpoints / given if given else furthest(start_path(project))
    if not given and not _is_there(path):
        return
    try:
        predictor.start_from(path)
    except CheckpointError as error:
        without = "the other project's network" if given else "pretraining"
        project.store.note("problem", f"The first network starts without {without}. {error}")


def start_path(project: Project) -> Path:
    """Where the pretrained weights lie, or will."""
    return project.checkpoints / PRETRAINED


def _once_in(seconds: float) -> Callable[[], bool]:
    """Says whether so long has passed since it was made, or last said so."""
    last = time.monotonic()

    def passed() -> bool:
        nonlocal last
        now = time.monotonic()
        if now - last < seconds:
            return False
        last = now
        return True

    return passed


def _is_there(checkpoint: Path) -> bool:
    return checkpoint.with_suffix(".json").exists()  # which is written last
