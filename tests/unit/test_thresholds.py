"""The best threshold, against trying every threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import UNLABELLED
from pickem.learning.thresholds import BINS, ProbabilityCounts


@given(seed=st.integers(0, 1000))
def test_no_threshold_is_better_than_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.choice(np.array([0, 1, UNLABELLED], np.uint8), (20, 20))
    probability = np.clip(0.3 * (truth == 1) + rng.uniform(0, 0.8, truth.shape), 0, 1)
    probability = np.floor(probability * BINS) / BINS  # on the edges, where counting by bins is exact
    counts = ProbabilityCounts()
    counts.add(truth[:7], probability[:7])
    counts.add(truth[7:], probability[7:])
    best = counts.best()
    assert best is not None
    tried = [_jaccard(truth, probability, (at - 0.5) / BINS) for at in range(BINS)]
    assert best.jaccard == pytest.approx(max(tried))
    assert _jaccard(truth, probability, best.threshold - 0.5 / BINS) == pytest.approx(max(tried))


def test_without_foreground_there_is_none() -> None:
    counts = ProbabilityCounts()
    counts.add(np.zeros((2, 2), np.uint8), np.full((2, 2), 0.5))
    assert counts.best() is None


def _jaccard(truth: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    known = truth != UNLABELLED
    predicted, foreground = probability[known] > threshold, truth[known] == 1
    return float((predicted & foreground).sum() / (predicted | foreground).sum())
