"""`pickem label --simulate`: the ground truth paints, patch by patch, through the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from pickem.errors import InvalidMaskError
from pickem.geometry import PatchId
from pickem.project.project import open_project
from pickem.volumes import Volume
from pickem.web.annotator import SimulatedAnnotator


def simulation(folder: Path, truth: Volume, patches: int, console: Console) -> Callable[[str, str], None]:
    """What paints `patches` patches of a project's only volume once its server answers.

    Waits after each round's labels until the network has learned from them and has ranked the queue, so that
    the same seed gives the same picks as the benchmark. Raises InvalidMaskError for another shape.
    """
    with open_project(folder) as project:
        settings, shapes = project.settings, project.shapes
    if list(shapes.values()) != [truth.shape]:
        raise InvalidMaskError(
            "The ground truth does not have the shape of the project's only volume.",
            got=truth.shape,
            expected=" and ".join(map(str, shapes.values())),
        )
    last = [""]
    rounds = frozenset(range(settings.first_patches, patches + 1, settings.per_round))

    def mask(patch: PatchId) -> NDArray[np.uint8]:
        return np.asarray(truth.read(patch.box)[0], dtype=np.uint8)

    def told(progress: dict[str, Any]) -> None:
        trainer, quality = progress["trainer"], progress["quality"]
        jaccard = f", Jaccard about {quality['jaccard']:.3f}" if quality else ""
        line = f"{progress['labelled']} patches{jaccard}; {trainer['doing']}"
        if line != last[-1]:
            last.append(line)
            console.print(line, highlight=False)

    def paint(address: str, token: str) -> None:
        SimulatedAnnotator(address, token, mask, rounds, told).paint(patches)

    return paint
