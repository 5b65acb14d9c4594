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
from pickem.project.painting import original, own_box
from pickem.project.project import open_project
from pickem.volumes import Volume
from pickem.web.annotator import SimulatedAnnotator


def simulation(folder: Path, truth: Volume, patches: int, console: Console) -> Callable[[str, str], None]:
    """What paints `patches` patches of a project's only volume once its server answers.

    `truth` has the shape of the volume as it lies on disk; its values are class indices and 255. Waits after
    each round's labels until the network has learned from them and has ranked the queue, so that the same
    seed gives the same picks as the benchmark. Raises InvalidMaskError for another shape.
    """
    with open_project(folder) as project:
        settings, volumes = project.settings, project.images.volumes
    shapes = [original(volume).shape for volume in volumes.values()]
    if shapes != [truth.shape]:
        raise InvalidMaskError(
            "The ground truth does not have the shape of the project's only volume.",
            got=truth.shape,
            expected=" and ".join(map(str, shapes)),
        )
    ((name, volume),) = volumes.items()
    factor = settings.volumes[name].factor
    last = [""]
    rounds = frozenset(range(settings.first_patches, patches + 1, settings.per_round))

    def mask(patch: PatchId) -> NDArray[np.uint8]:
        fine = truth.read(own_box(patch, volume))[0]
        middles = fine[factor // 2 :: factor, factor // 2 :: factor]  # as `pickem new --labels` does
        return np.ascontiguousarray(middles, dtype=np.uint8)

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
