"""Telling a stack, whose sections go on from one to the next, from images that each show their own place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pickem.errors import VolumeFormatError, VolumeUnreachableError
from pickem.geometry import Box
from pickem.volumes import ArrayVolume, discontinuous
from pickem.volumes.continuity import sections_continue
from tests.fixtures.sections import drifting, unrelated

DEPTHS = [2, 3, 9, 15, 16, 24]


@pytest.mark.parametrize("depth", DEPTHS)
def test_sections_that_drift_go_on(depth: int) -> None:
    assert sections_continue(ArrayVolume(drifting(depth)))


@pytest.mark.parametrize("depth", DEPTHS)
def test_images_of_different_places_do_not(depth: int) -> None:
    assert not sections_continue(ArrayVolume(unrelated(depth)))


def test_illumination_that_all_images_share_makes_no_stack_of_them() -> None:
    fading = np.linspace(0, 150, 256).astype(np.uint8)
    shaded = np.clip(unrelated(24) // 3 + fading, 0, 255).astype(np.uint8)
    first, second = shaded[0, ::4, ::4].ravel(), shaded[1, ::4, ::4].ravel()
    assert np.corrcoef(first, second)[0, 1] > 0.5
    assert not sections_continue(ArrayVolume(shaded))


@pytest.mark.parametrize("values", [np.zeros((4, 64, 64), np.uint8), np.full((4, 64, 64), np.nan)])
def test_nothing_to_see_goes_nowhere(values: NDArray[np.generic]) -> None:
    assert not sections_continue(ArrayVolume(values))


@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9)), seed=st.integers(0, 2**32 - 1)
)
def test_volumes_of_any_size_can_be_looked_at_and_one_section_is_no_stack(
    shape: tuple[int, int, int], seed: int
) -> None:
    volume = ArrayVolume(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))
    found = sections_continue(volume)
    assert not (found and shape[0] == 1)


def test_only_stacks_are_named() -> None:
    volumes = {"stack": drifting(8), "images": unrelated(8), "image": unrelated(1)}
    assert discontinuous({name: ArrayVolume(array) for name, array in volumes.items()}) == ["images"]


class Damaged(ArrayVolume):
    """A stack whose first sections raise an error."""

    def __init__(self, array: NDArray[np.uint8], sections: int, error: Exception) -> None:
        super().__init__(array)
        self._sections, self._error = sections, error

    def read(self, box: Box) -> NDArray[np.generic]:
        if box.start[0] < self._sections:
            raise self._error
        return super().read(box)


def test_what_is_damaged_says_nothing() -> None:
    error = VolumeFormatError("A chunk is damaged.")
    assert sections_continue(Damaged(drifting(12), 5, error))
    assert not sections_continue(Damaged(drifting(12), 12, error))


def test_an_address_that_does_not_answer_is_asked_once() -> None:
    with pytest.raises(VolumeUnreachableError):
        sections_continue(Damaged(drifting(12), 5, VolumeUnreachableError("No answer.")))
