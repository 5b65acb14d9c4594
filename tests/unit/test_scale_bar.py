"""Scale bars have round lengths that fit their images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.benchmark.report.scale_bar import scale_bar


@pytest.mark.parametrize(
    ("width", "nm_per_pixel", "pixels", "label"),
    [
        (128, 4.6, 200 / 4.6, "200 nm"),
        (384, 4.6, 500 / 4.6, "500 nm"),
        (384, 5.0, 100, "500 nm"),
        (100, 40.0, 25, "1 µm"),
        (128, 0.5, 40, "20 nm"),
        (128, 0.005, 40, "0.2 nm"),
        (512, 130.0, 20_000 / 130, "20 µm"),
    ],
)
def test_the_longest_round_length_within_a_third(
    width: int, nm_per_pixel: float, pixels: float, label: str
) -> None:
    bar = scale_bar(width, nm_per_pixel)
    assert bar.label == label
    assert bar.pixels == pytest.approx(pixels)


@given(st.integers(16, 4096), st.floats(0.01, 10_000))
def test_any_bar_can_be_seen_and_leaves_the_image_free(width: int, nm_per_pixel: float) -> None:
    bar = scale_bar(width, nm_per_pixel)
    assert 0.13 * width < bar.pixels <= 0.36 * width
    assert bar.nm == pytest.approx(bar.pixels * nm_per_pixel)
