"""What the first patches look like: whether the working resolution shows what is to be labelled."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np

from pickem.durable import write_durably
from pickem.learning import Purpose, stream
from pickem.project.project import Project

ACROSS, DOWN = 4, 2
GAP = 4  # pixels


def write_picture(project: Project) -> Path:
    """patches.png in the project's folder: eight patches drawn at random, side by side."""
    size = project.settings.patch
    rng = stream(project.settings.seed, Purpose.POOL)
    patches = project.draw(ACROSS * DOWN, rng)[: ACROSS * DOWN]
    sheet = np.full((DOWN * (size + GAP) - GAP, ACROSS * (size + GAP) - GAP), 255, np.uint8)
    images = project.images.images(patches).astype(np.float32) if patches else np.zeros((0, size, size))
    low, high = np.percentile(images, [0.5, 99.5]) if len(images) else (0.0, 1.0)
    for index, image in enumerate(images):
        row, column = divmod(index, ACROSS)
        top, left = row * (size + GAP), column * (size + GAP)
        grey = np.clip((image - low) / max(high - low, 1e-6) * 255, 0, 255)
        sheet[top : top + size, left : left + size] = grey.astype(np.uint8)
    path = project.folder / "patches.png"
    write_durably(path, bytes(imagecodecs.png_encode(sheet)))
    return path
