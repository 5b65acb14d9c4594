"""What a network says of single patches, averaged over sections as in the volume that it segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pickem.geometry import PatchId
from pickem.predictor import NetworkPredictor, section_weights
from pickem.project.images import PatchImages
from pickem.project.project import Project


def predict_patches(
    project: Project, predictor: NetworkPredictor, patches: Sequence[PatchId]
) -> NDArray[np.float32]:
    """Class probabilities (n, classes, h, w) of patches of one size, averaged over neighbouring sections as
    the project's settings say.

    Raises what reading them, and their neighbours, raises.
    """
    weights = section_weights(project.settings.recipe.measuring.smoothing)
    mean = np.zeros((), np.float32)
    for dz, weight in enumerate(weights, start=-(len(weights) // 2)):
        beside = [_moved(patch, dz, project.images) for patch in patches]
        images = project.inputs.images(beside, predictor.context)
        mean = mean + np.float32(weight) * predictor.predict_proba(images)
    return mean


def _moved(patch: PatchId, dz: int, images: PatchImages) -> PatchId:
    """The same window some sections further on; the ends of a volume are repeated."""
    before, behind = images.sections_around(patch)
    return replace(patch, z=patch.z + min(max(dz, before), behind))
