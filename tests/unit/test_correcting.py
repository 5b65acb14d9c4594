"""The estimate of the time to correct a proposal, on patches that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickem.acquisition import UNLABELLED
from pickem.learning.correcting import correction_seconds
from pickem.learning.effort import PATCH_SECONDS, annotation_seconds


def with_square(top: int, side: int = 10) -> np.ndarray:
    mask = np.zeros((40, 40), np.uint8)
    mask[top : top + side, 5 : 5 + side] = 1
    return mask


def test_a_right_proposal_costs_only_the_look_at_it() -> None:
    assert correction_seconds(with_square(5), with_square(5)) == PATCH_SECONDS


def test_an_outline_that_is_off_by_two_pixels_is_left_alone() -> None:
    assert correction_seconds(with_square(7), with_square(5)) == PATCH_SECONDS
    assert correction_seconds(with_square(8), with_square(5)) > PATCH_SECONDS


def test_one_wrong_object_beside_many_right_ones_costs_that_object() -> None:
    truth = with_square(25)
    truth[5:15, 20:30] = truth[20:38, 20:38] = 1
    proposal = truth.copy()
    proposal[5:15, 20:30] = 0
    assert correction_seconds(proposal, truth) == pytest.approx(5 + 2 + 0.05 * math.pi / 4 * 40)


def test_what_is_not_labelled_is_not_corrected() -> None:
    truth = with_square(5)
    truth[20:] = UNLABELLED
    proposal = with_square(5)
    proposal[25:35, 5:15] = 1
    assert correction_seconds(proposal, truth) == PATCH_SECONDS


@given(seed=st.integers(0, 200))
def test_correcting_is_never_dearer_than_painting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    proposal, truth = (
        np.kron(rng.integers(0, 3, (4, 4)), np.ones((6, 6))).astype(np.uint8) for _ in range(2)
    )
    assert PATCH_SECONDS <= correction_seconds(proposal, truth) <= annotation_seconds(truth)
