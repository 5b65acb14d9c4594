"""The estimate of a person's time, on patches that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pickem.learning import effort


def test_an_empty_patch_costs_only_the_look_at_it() -> None:
    assert effort.annotation_seconds(np.zeros((16, 16), np.uint8)) == effort.PATCH_SECONDS


def test_objects_of_every_class_count_and_diagonal_neighbours_are_one() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[1, 1] = mask[2, 2] = 1
    mask[5:7, 5:7] = 2
    mask[0, 7] = effort.UNLABELLED
    assert effort.count_objects(mask) == 2


def test_contour_of_a_square_by_the_crofton_formula() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    assert effort.contour_length(mask) == pytest.approx(math.pi / 4 * 40)


def test_contour_of_a_disc_is_its_circumference() -> None:
    y, x = np.mgrid[-60:61, -60:61]
    disc = (y**2 + x**2 <= 50**2).astype(np.uint8)
    assert effort.contour_length(disc) == pytest.approx(2 * math.pi * 50, rel=0.02)


def test_the_border_of_what_is_labelled_is_no_contour() -> None:
    mask = np.full((8, 8), effort.UNLABELLED, np.uint8)
    mask[2:6, 2:6] = 1
    assert effort.contour_length(mask) == 0


def test_the_formula() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 1
    assert effort.annotation_seconds(mask) == pytest.approx(5 + 2 + 0.05 * math.pi / 4 * 40)
