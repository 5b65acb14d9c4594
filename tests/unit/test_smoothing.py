"""Means over neighbouring sections: with whose values, how often asked for, what they sum to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import convolve1d

from pickem.geometry import whole
from pickem.learning import LoadedRegion, Regions, evaluate
from pickem.predictor import ArrayTrainingSet, MeasuringSettings
from pickem.predictor.smoothing import section_weights, smoothed
from tests.conftest import new_tiny_predictor


@given(depth=st.integers(1, 9), reach=st.integers(0, 6), data=st.data())
def test_each_section_is_the_binomial_mean_of_its_neighbours(
    depth: int, reach: int, data: st.DataObject
) -> None:
    stack = np.random.default_rng(depth).random((depth, 2, 3), dtype=np.float32)
    first = data.draw(st.integers(0, depth - 1))
    sections = range(first, data.draw(st.integers(first, depth)))
    asked: list[int] = []

    def predicted(section: int) -> torch.Tensor:
        asked.append(section)
        return torch.from_numpy(stack[section])

    found = [each.numpy() for each in smoothed(predicted, sections, depth, reach)]
    expected = convolve1d(stack, section_weights(reach), axis=0, mode="nearest")[
        sections.start : sections.stop
    ]
    np.testing.assert_allclose(np.reshape(found, expected.shape), expected, rtol=1e-5)
    assert len(asked) == len({*asked})


def test_nothing_is_changed_without_neighbours() -> None:
    values = np.float32([[0.1, 0.3]])
    (same,) = smoothed(lambda _: values, [0], 1, 0)
    np.testing.assert_array_equal(same, values)
    assert section_weights(1) == [0.25, 0.5, 0.25]


def test_a_benchmark_evaluates_the_mean(demo_regions: Regions, demo_patches: ArrayTrainingSet) -> None:
    images, labels = (
        np.stack([plane[0, shift : shift + 96, :128] for shift in (0, 5, 90)])
        for plane in (demo_regions.loaded[0].images, demo_regions.loaded[0].labels)
    )
    stack = LoadedRegion("stack", whole((3, 96, 128)), images, labels)
    alone = new_tiny_predictor(demo_patches)
    together = new_tiny_predictor(demo_patches, measuring=MeasuringSettings(smoothing=1))
    scores = [evaluate(each, [stack], lambda *_: None).jaccard_by_class[0] for each in (alone, together)]
    planes = np.stack([alone.predict_plane(image) for image in images])
    mean = convolve1d(planes, [0.25, 0.5, 0.25], axis=0, mode="nearest").argmax(axis=1)
    found, true = mean == 1, labels == 1
    assert scores[1] == pytest.approx((found & true).sum() / (found | true).sum(), abs=1e-3)
    assert scores[0] != pytest.approx(scores[1], abs=1e-3)
