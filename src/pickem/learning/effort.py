"""How long a person would take to label a patch: an estimate, in seconds, with its formula in one place.

    seconds = PATCH + OBJECT · (number of objects) + CONTOUR · (contour length in pixels)

- PATCH: to look at the patch and its surroundings, decide and move on, also where there is nothing to paint.
- OBJECT: to find an object's start, choose the class, close and check the outline.
- CONTOUR: to trace one pixel of outline; 0.05 s is 20 pixels a second, a careful hand at twofold zoom.

An object is an 8-connected component of one class; the contour is the line between two classes, unlabelled
pixels and the patch's border excluded. The constants are round numbers chosen by judgement, not fitted to
recordings of people: read them as a common currency in which strategies are compared, not as a promise.
What one person takes, `calibration.py` says from their own times. VERSION goes into every result; it
changes with the formula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pickem.acquisition import UNLABELLED

VERSION = 1
PATCH_SECONDS = 5.0
OBJECT_SECONDS = 2.0
CONTOUR_SECONDS_PER_PIXEL = 0.05
Measure = TypeVar("Measure", float, NDArray[np.float64])


@dataclass(frozen=True)
class Coefficients:
    """Seconds a patch, an object, and a pixel of contour."""

    patch: float
    object: float
    contour: float

    def seconds(self, objects: Measure, contour: Measure) -> Measure:
        """For a patch with so many objects and pixels of contour, or for several, (n,) each."""
        return self.patch + self.object * objects + self.contour * contour


DEFAULT = Coefficients(PATCH_SECONDS, OBJECT_SECONDS, CONTOUR_SECONDS_PER_PIXEL)


def annotation_seconds(mask: NDArray[np.uint8], coefficients: Coefficients = DEFAULT) -> float:
    """Estimated seconds to paint `mask` (h, w), class index a pixel, 255 = not labelled, from scratch."""
    return coefficients.seconds(count_objects(mask), contour_length(mask))


def count_objects(mask: NDArray[np.uint8]) -> int:
    """Number of 8-connected components over all foreground classes."""
    classes = [c for c in np.unique(mask) if c not in (0, UNLABELLED)]
    eight = np.ones((3, 3), dtype=np.bool_)
    return sum(int(ndimage.label(mask == c, structure=eight)[1]) for c in classes)


def contour_length(mask: NDArray[np.uint8]) -> float:
    """Length in pixels of the lines between different classes.

    By the Cauchy–Crofton formula with two directions: π/4 times the number of pairs of 4-neighbours that
    belong to different classes. Exact on average over orientations.
    """
    crossings = _crossings(mask[1:], mask[:-1]) + _crossings(mask[:, 1:], mask[:, :-1])
    return math.pi / 4 * crossings


def _crossings(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(((a != b) & (a != UNLABELLED) & (b != UNLABELLED)).sum())
