"""What a new project can bring along: masks painted elsewhere, and an earlier project's network."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.errors import ConfigError, InvalidMaskError, NoResultsError
from pickem.geometry import Box, PatchId, tile_patches, whole
from pickem.predictor.description import read_files
from pickem.project import rounds
from pickem.project.project import Project, database_of
from pickem.project.settings import Recipe, Unpainted, settings_of
from pickem.project.store import NewMask, Store
from pickem.volumes import Rescaled, Volume


def import_labels(project: Project, name: str, labels: Volume, unpainted: Unpainted) -> int:
    """Take over masks of the volume `name` as submitted patches; returns how many patches.

    `labels` has the shape of the volume as it lies on disk; its values are class indices and 255. Where
    `unpainted` is "unlabelled", 0 becomes 255. Patches without any labelled pixel, or too near an audit
    patch, are left out; a mask of where to look keeps nothing back. Raises InvalidMaskError.
    """
    volume = project.images.volumes[name]
    own = volume.original.shape if isinstance(volume, Rescaled) else volume.shape
    if labels.shape != own:
        raise InvalidMaskError(
            f"The labels do not have the shape of the volume {name}.", got=labels.shape, expected=own
        )
    size, free, taken = project.settings.patch, project.candidates(), 0
    with project.store.change():  # one for all: each is flushed to the disk
        for patch in tile_patches(name, whole(volume.shape), size, size, size):
            mask = _read_mask(project, labels, patch, unpainted)
            if (mask == UNLABELLED).all() or not free.allows(patch):
                continue
            number = project.store.add(patch)
            project.store.save(number, NewMask(0, mask, "submitted", unpainted, seconds=0.0))
            taken += 1
    return taken


def _read_mask(project: Project, labels: Volume, patch: PatchId, unpainted: Unpainted) -> NDArray[np.uint8]:
    """The mask (h, w) of a patch, from labels on the volume's own grid. Raises InvalidMaskError."""
    factor, classes = project.settings.volumes[patch.volume].factor, len(project.settings.classes)
    fine = labels.read(_on_own_grid(patch.box, factor))[0]
    mask = fine[factor // 2 :: factor, factor // 2 :: factor]  # the middle of each square
    unknown = set(np.unique(mask).tolist()) - {*range(classes + 1), UNLABELLED}
    if unknown:
        raise InvalidMaskError(
            f"The labels of {patch.volume} hold values that are no class.",
            got=sorted(unknown)[:10],
            expected=f"0 to {classes}, or {UNLABELLED} for not labelled",
        )
    mask = mask.astype(np.uint8)
    return np.where(mask == 0, np.uint8(UNLABELLED), mask) if unpainted == "unlabelled" else mask


def _on_own_grid(box: Box, factor: int) -> Box:
    (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
    return Box((z0, y0 * factor, x0 * factor), (z1, y1 * factor, x1 * factor))


def network_of(folder: Path, classes: Sequence[str]) -> tuple[Path, Recipe]:
    """Newest checkpoint of another project, whose volumes may be gone, and the recipe that it was trained by.

    Raises ConfigError where the classes differ, NoResultsError where it has no network yet, and
    CheckpointError where that is lost.
    """
    settings = settings_of(folder)
    if tuple(classes) != settings.classes:
        raise ConfigError(
            "The other project has other classes.",
            got=", ".join(classes),
            expected=", ".join(settings.classes),
        )
    with Store(database_of(folder)) as store:
        latest = rounds.latest_round(store)
    if latest is None or latest.checkpoint is None:
        raise NoResultsError("The other project has no trained network yet.", got=folder)
    path = folder / "checkpoints" / latest.checkpoint
    read_files(path)
    return path, settings.recipe


def copy_checkpoint(source: Path, folder: Path, name: str) -> None:
    """Copy the weights and their description under a new name."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending in (".safetensors", ".json"):
        shutil.copyfile(source.with_suffix(ending), (folder / name).with_suffix(ending))
