"""Which crop of the evaluated split a run keeps for the figures, and what it takes to find it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.benchmark.views import SIDE, write_evaluation_view
from pickem.datasets import LabelledRegion
from pickem.geometry import whole
from pickem.learning import Regions
from pickem.predictor import Predictor
from pickem.volumes import ArrayVolume

SHAPE = (2, 1400, 2000)


class _SecondClassEverywhere:
    """As far as a view asks it."""

    def __init__(self) -> None:
        self._probability = np.zeros((2, *SHAPE[1:]), np.float32)
        self._probability[1] = 1

    def predict_sections(
        self, plane: Callable[[int], NDArray[np.generic]], sections: Sequence[int], depth: int
    ) -> Iterator[NDArray[np.float32]]:
        yield from [self._probability] * len(sections)


def test_the_crop_with_most_foreground_is_found_without_whole_sections_of_memory(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, :600, :600] = UNLABELLED  # which counts as nothing
    labels[0, 1000:, :200] = 1
    labels[1, 1000:, 1616:] = 2
    images = np.tile(np.arange(SHAPE[2], dtype=np.uint16).astype(np.uint8), (*SHAPE[:2], 1))
    split = [LabelledRegion("v", ArrayVolume(images), ArrayVolume(labels), whole(SHAPE))]
    regions, predictor = Regions(split), cast(Predictor, _SecondClassEverywhere())
    tracemalloc.start()
    write_evaluation_view(tmp_path / "view.npz", predictor, regions, 0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with np.load(tmp_path / "view.npz") as view:
        assert (view["truth"] == 2).all()
        assert (view["prediction"] == 1).all()
        np.testing.assert_array_equal(view["image"], images[1, -SIDE:, -SIDE:])
        assert view["jaccard"] == 0.5
    assert peak < labels[0].nbytes, f"{peak} bytes for crops of {SIDE * SIDE} pixels"
