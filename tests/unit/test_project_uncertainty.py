"""How unsure a network is, as it is kept: the ends of the scale, and that more doubt is never less."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pickem.project.uncertainty import uncertainty


@given(classes=st.integers(2, 9))
def test_the_scale_goes_from_certain_to_any_class_as_likely(classes: int) -> None:
    probability = np.zeros((1, classes, 1, 2), np.float32)
    probability[0, 1, 0, 0] = 1
    probability[0, :, 0, 1] = 1 / classes
    assert uncertainty(probability).tolist() == [[[0, 255]]]


def test_the_nearer_to_one_half_the_less_certain() -> None:
    foreground = np.linspace(0, 0.5, 200, dtype=np.float32)
    levels = uncertainty(np.stack([1 - foreground, foreground])[None, :, None])[0, 0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert levels[np.searchsorted(foreground, 0.11)] == 128  # 0.11 is half as unsure as one half
