"""Grey values become numbers of about mean 0 and deviation 1, whatever a few odd ones among them are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import DTypeLike, NDArray

from pickem.geometry import Box
from pickem.predictor import Normalisation, PerVolume
from pickem.volumes import ArrayVolume, sample_blocks
from pickem.volumes.sampling import BLOCKS, SECTIONS, SIDE, sample_boxes

TYPES = (np.uint8, np.uint16, np.int16, np.float32, np.float64)


def tissue(dtype: DTypeLike = np.uint8, seed: int = 0) -> NDArray[np.generic]:
    """Sections of smooth noise about 120, of deviation 20."""
    values = np.random.default_rng(seed).normal(120, 20, (4, 64, 64))
    return np.clip(values, 0, 255).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_values_come_out_with_mean_0_and_deviation_1(dtype: DTypeLike) -> None:
    image = tissue(dtype)
    normalised = Normalisation.robust([image]).apply(image)
    assert normalised.dtype == np.float32
    assert normalised.shape == (4, 1, 64, 64)
    assert normalised.mean() == pytest.approx(0, abs=0.1)
    assert normalised.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("odd", [1e30, -1e30, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_glaring_pixel_moves_nothing(dtype: DTypeLike, odd: float) -> None:
    image = tissue(dtype)
    clean = Normalisation.robust([image])
    image[1, 5, 7] = odd
    found = Normalisation.robust([image])
    assert found.mean == pytest.approx(clean.mean, abs=0.1)
    assert found.deviation == pytest.approx(clean.deviation, rel=0.01)
    normalised = found.apply(image)
    assert np.abs(normalised).max() < 10, "nor does it reach the network as it is"
    assert normalised[1, 0, 5, 7] == (0 if np.isnan(odd) else pytest.approx(np.sign(odd) * 7, abs=1))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("value", ["least", "greatest"])
def test_a_border_moves_little(dtype: DTypeLike, value: str) -> None:
    """Half of the volume is padding, or saturated."""
    image = tissue(dtype)
    clean = Normalisation.robust([image])
    image[:, :, :32] = {"least": 0, "greatest": 255}[value]
    found = Normalisation.robust([image])
    assert found.mean == pytest.approx(clean.mean, abs=2)
    assert found.deviation == pytest.approx(clean.deviation, rel=0.1)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("value", [0, 7, 255])
def test_an_image_of_one_value_becomes_zeros(dtype: DTypeLike, value: int) -> None:
    image = np.full((2, 8, 8), value, dtype)
    assert not Normalisation.robust([image]).apply(image).any()


def test_two_values_stay_apart() -> None:
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, :4] = 255
    normalised = Normalisation.robust([image]).apply(image)
    assert normalised.max() - normalised.min() > 1


def test_an_image_without_any_number_does_no_harm() -> None:
    image = np.full((1, 4, 4), np.nan, np.float32)
    assert np.isfinite(Normalisation.robust([image]).apply(image)).all()
    assert Normalisation.robust([]).deviation == 1


FLOATS = arrays(np.float32, (1, 6, 6), elements=st.floats(width=32))
WHOLE = st.sampled_from([np.uint8, np.uint16, np.int16]).flatmap(lambda dtype: arrays(dtype, (1, 6, 6)))


@given(FLOATS | WHOLE)
def test_whatever_the_values_are_the_network_sees_small_numbers_in_their_order(
    image: NDArray[np.generic],
) -> None:
    normalised = Normalisation.robust([image]).apply(image)[0, 0]
    assert np.abs(normalised).max() <= 10
    numbers = ~np.isnan(image[0].astype(float))
    order = np.argsort(image[0][numbers])
    assert (np.diff(normalised[numbers][order]) >= 0).all()


ONE_DARK_PIXEL = np.where(np.arange(36) == 7, 0, 1).astype(np.uint8).reshape(1, 6, 6)


@example(image=ONE_DARK_PIXEL, factor=2.0, shift=-512.0)
@given(image=WHOLE, factor=st.sampled_from([0.25, 2.0, 64.0]), shift=st.sampled_from([-512.0, 0.0, 1024.0]))
def test_the_microscopes_brightness_and_contrast_do_not_matter(
    image: NDArray[np.generic], factor: float, shift: float
) -> None:
    other = image.astype(np.float64) * factor + shift
    here, there = (Normalisation.robust([i]).apply(i) for i in (image, other))
    if image.min() < image.max():
        np.testing.assert_allclose(here, there, atol=1e-4)


def test_each_volume_has_its_own() -> None:
    bright = tissue(np.uint16) * np.uint16(100)
    maps = PerVolume(volumes={"a": Normalisation.robust([tissue()]), "b": Normalisation.robust([bright])})
    of_a, of_b = maps.normalised([tissue()[0], bright[0]], ["a", "b"])
    np.testing.assert_allclose(of_a, of_b, atol=1e-5)
    assert maps.apply(of_a[None]).shape == (1, 1, 64, 64)


# which part of a volume is looked at ----------------------------------------------------------------------


@example((1, 300, 2222))
@given(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6)))
def test_the_sample_is_small_lies_inside_and_reaches_far(shape: tuple[int, int, int]) -> None:
    boxes = sample_boxes(shape)
    assert boxes == sample_boxes(shape)
    assert 0 < sum(box.size for box in boxes) <= BLOCKS * SIDE**2
    assert all(Box((0, 0, 0), shape).contains(box) and box.shape[0] == 1 for box in boxes)
    planes = [box.start[0] for box in boxes]
    assert len(set(planes)) == min(shape[0], SECTIONS)
    assert planes == sorted(planes), "so that a section is read once"
    assert max(planes) - min(planes) >= (shape[0] - 1) * 0.8
    for axis in (1, 2):
        if shape[axis] > 2 * SIDE:
            reach = max(box.stop[axis] for box in boxes) - min(box.start[axis] for box in boxes)
            assert reach > (shape[axis] - SIDE) * 0.7


def test_a_sample_says_what_the_whole_says() -> None:
    image = np.random.default_rng(0).integers(0, 4000, (30, 600, 500)).astype(np.uint16)
    sampled = Normalisation.robust(sample_blocks(ArrayVolume(image)))
    whole = Normalisation.robust([image])
    assert sampled.mean == pytest.approx(whole.mean, rel=0.02)
    assert sampled.deviation == pytest.approx(whole.deviation, rel=0.02)


# what a checkpoint says of it -----------------------------------------------------------------------------


def test_a_network_goes_with_the_grey_values_that_it_has_learned_from() -> None:
    one, other = Normalisation(mean=1, deviation=2), Normalisation(mean=3, deviation=2, low=0, high=9)
    both = PerVolume(volumes={"a": one, "b": other})
    assert one.matches({"mean": 1, "deviation": 2}), "as checkpoints have always said it"
    assert not other.matches(one.description())
    assert both.matches(both.description())
    assert not both.matches(PerVolume(volumes={"a": one}).description())
    assert not both.matches(one.description())
    assert PerVolume(volumes={"a": one, "b": one}).matches(one.description()), "a project of before"
