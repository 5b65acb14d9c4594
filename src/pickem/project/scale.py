"""Whether a project sees its images at about the scale at which the network that it starts from has learned.

A network that knows mitochondria 100 pixels long finds none that are 25. Training varies the scale by a third
or so; beyond FURTHEST the start is worse than none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pickem.errors import CheckpointError, ConfigError
from pickem.volumes import VoxelSize

FURTHEST = 1.5  # times as large or as small a pixel


def learned_pixel_sizes(checkpoint: Path) -> list[float]:
    """nm along y of the pixels that a checkpoint's network has learned from, smallest first; empty = unknown.

    Raises CheckpointError.
    """
    header = checkpoint.with_suffix(".json")
    try:
        sizes = json.loads(header.read_bytes()).get("voxel_sizes", {})
        return sorted(float(size[1]) for size in sizes.values() if size)
    except (OSError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(
            "What the earlier network is cannot be read.",
            got=f"{header}: {error}",
            expected="the file that pickem wrote beside the weights",
            todo="start from another project, or without --from",
        ) from error


def check_scale(learned: list[float], working: Mapping[str, VoxelSize | None]) -> None:
    """Refuse volumes whose pixels, on the working grid, are much larger or smaller than the `learned` ones.

    Does nothing where either is not known. Raises ConfigError, with the --resolution that would fit.
    """
    if not learned:
        return
    for name, size in working.items():
        if size is None or learned[0] / FURTHEST <= size[1] <= learned[-1] * FURTHEST:
            continue
        finer = size[1] < learned[0]
        raise ConfigError(
            "The earlier network has learned at another resolution.",
            got=f"{size[1]:g} nm a pixel in {name}",
            expected=f"about {learned[0] if finer else learned[-1]:g} nm a pixel",
            todo=f"work at the same resolution: --resolution {learned[0]:g}"
            if finer
            else "give a volume or a --resolution as fine as that, or start without --from",
        )
