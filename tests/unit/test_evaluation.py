"""Jaccard, precision and recall, by hand and by another library."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from pickem.acquisition import UNLABELLED
from pickem.learning.evaluation import confusion, evaluate_confusion


def test_two_classes_by_hand() -> None:
    truth = np.array([[1, 1, 1, 0, 0, UNLABELLED]], np.uint8)
    predicted = np.array([[1, 1, 0, 1, 0, 1]])
    scores = evaluate_confusion(confusion(truth, predicted, 2))
    assert scores.jaccard == pytest.approx(2 / 4)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(2 / 3)


@given(seed=st.integers(0, 1000), classes=st.integers(2, 5))
def test_mean_over_foreground_classes_is_scikit_learns_macro_average(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.tile(np.arange(classes, dtype=np.uint8), 20))
    predicted = rng.integers(0, classes, truth.size)
    scores = evaluate_confusion(confusion(truth, predicted, classes))
    foreground = list(range(1, classes))
    assert scores.jaccard == pytest.approx(
        jaccard_score(truth, predicted, labels=foreground, average="macro")
    )
    assert scores.jaccard_by_class == pytest.approx(
        jaccard_score(truth, predicted, labels=foreground, average=None)
    )


def test_counts_of_parts_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, (4, 9), np.uint8), rng.integers(0, 3, (4, 9))
    parts = sum(confusion(t, p, 3) for t, p in zip(truth, predicted, strict=True))
    assert np.array_equal(parts, confusion(truth, predicted, 3))


def test_a_class_neither_there_nor_predicted_is_left_out_of_the_mean() -> None:
    truth = np.array([[0, 1, 1]], np.uint8)
    scores = evaluate_confusion(confusion(truth, np.array([[0, 1, 1]]), 3))
    assert scores.jaccard == 1
    assert math.isnan(scores.jaccard_by_class[1])


def test_nothing_predicted_scores_zero() -> None:
    truth = np.array([[0, 1]], np.uint8)
    scores = evaluate_confusion(confusion(truth, np.array([[0, 0]]), 2))
    assert (scores.jaccard, scores.precision, scores.recall) == (0, 0, 0)
