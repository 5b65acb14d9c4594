"""How long one person takes: the coefficients of `effort.py`'s formula, from times that were recorded.

1. absolute   the coefficients, none negative, with the least sum of absolute errors: half of the patches
              may have had a coffee in them, as with a median
2. breaks     patches whose time is farther off than OUTLYING typical errors are left out
3. squares    the coefficients, none negative, with the least sum of squared errors on the others
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog, nnls

from pickem.learning.effort import Coefficients

OUTLYING = 3.0  # robust standard deviations
SMALLEST_ERROR = 1.0  # seconds; who is steadier than that still has no break in a second
_MAD = 1.4826  # median absolute error to standard deviation, for normal errors


def calibrate(objects: ArrayLike, contours: ArrayLike, seconds: ArrayLike) -> Coefficients:
    """Fit the formula to patches (n,) with so many objects, pixels of contour, and seconds of work.

    Deterministic. Where patches are too alike to tell what takes the time, some coefficients are 0; their
    sum over such patches is right all the same.
    """
    columns = np.stack([np.ones_like(objects, dtype=np.float64), objects, contours], axis=1, dtype=np.float64)
    times = np.asarray(seconds, dtype=np.float64)
    scale = np.maximum(columns.max(axis=0), 1e-9)  # contours are some hundred times the objects
    scaled = columns / scale
    errors = times - scaled @ _least_absolute(scaled, times)
    typical = max(_MAD * float(np.median(np.abs(errors))), SMALLEST_ERROR)
    steady = np.abs(errors) <= OUTLYING * typical
    fitted, _ = nnls(scaled[steady], times[steady])
    return Coefficients(*(float(value) for value in fitted / scale))


def _least_absolute(columns: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vector b ≥ 0 with the least Σ |times − columns · b|, as a linear programme."""
    n, k = columns.shape
    cost = np.concatenate([np.zeros(k), np.ones(2 * n)])  # b, then the errors' positive and negative parts
    equal = np.hstack([columns, np.eye(n), -np.eye(n)])
    solved = linprog(cost, A_eq=equal, b_eq=times, method="highs").x
    assert solved is not None  # b = 0 is allowed, and no error is below 0
    return solved[:k]
