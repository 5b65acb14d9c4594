"""The formula of a person's time, found again in times that were made with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.learning.calibration import calibrate
from pickem.learning.effort import Coefficients

COEFFICIENTS = st.builds(Coefficients, st.floats(1, 40), st.floats(0.5, 10), st.floats(0.01, 0.3))


def painted(rng: np.random.Generator, patches: int) -> tuple[np.ndarray, np.ndarray]:
    """Objects and pixels of contour of patches as they are: each object has a contour of its own size."""
    objects = rng.integers(0, 9, patches)
    contours = np.array([rng.uniform(20, 120, count).sum() for count in objects])
    return objects, contours


def with_breaks(rng: np.random.Generator, seconds: np.ndarray, share: float) -> np.ndarray:
    """Times of which some have a coffee in them."""
    breaks = rng.permutation(len(seconds)) < share * len(seconds)
    return seconds + breaks * rng.uniform(20, 900, len(seconds))


@settings(max_examples=30)
@given(true=COEFFICIENTS, seed=st.integers(0, 2**32 - 1))
def test_known_coefficients_come_back_through_coffee_breaks(true: Coefficients, seed: int) -> None:
    rng = np.random.default_rng(seed)
    objects, contours = painted(rng, 60)
    seconds = with_breaks(rng, true.seconds(objects, contours), 0.2)
    found = calibrate(objects, contours, seconds)
    assert found.patch == pytest.approx(true.patch, rel=1e-3, abs=1e-3)
    assert found.object == pytest.approx(true.object, rel=1e-3, abs=1e-3)
    assert found.contour == pytest.approx(true.contour, rel=1e-3, abs=1e-3)


@settings(max_examples=30)
@given(true=COEFFICIENTS, seed=st.integers(0, 2**32 - 1))
def test_an_unsteady_hand_with_breaks_is_foretold_within_a_sixth(true: Coefficients, seed: int) -> None:
    rng = np.random.default_rng(seed)
    objects, contours = painted(rng, 100)
    work = true.seconds(objects, contours) * rng.lognormal(0, 0.2, 100)
    found = calibrate(objects, contours, with_breaks(rng, work, 0.1))
    assert min(found.patch, found.object, found.contour) >= 0
    foretold = found.seconds(objects, contours).sum()
    assert foretold == pytest.approx(work.sum(), rel=1 / 6)


@settings(max_examples=20)
@given(seconds=st.floats(0.5, 600), patches=st.integers(20, 50))
def test_patches_that_are_all_alike_take_as_long_as_they_took(seconds: float, patches: int) -> None:
    alike = np.full(patches, 3), np.full(patches, 200.0)
    assert calibrate(*alike, np.full(patches, seconds)).seconds(3, 200.0) == pytest.approx(seconds, rel=1e-6)
    nothing = np.zeros(patches), np.zeros(patches)
    found = calibrate(*nothing, np.full(patches, seconds))
    assert found.seconds(0, 0.0) == pytest.approx(seconds, rel=1e-6)
