"""Masks come out of the database as they went in, and nothing else comes out."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pickem.errors import ProjectDamagedError
from pickem.project.masks import pack, unpack

MASKS = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(MASKS)
def test_unpack_undoes_pack(mask: np.ndarray) -> None:
    back = unpack(pack(mask), *mask.shape)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, mask)


@given(MASKS)
def test_a_view_is_packed_as_what_it_shows(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(unpack(pack(mask.T), *mask.T.shape), mask.T)
    strided = mask[::2, ::-1]
    np.testing.assert_array_equal(unpack(pack(strided), *strided.shape), strided)


@given(MASKS, st.integers(-3, 3).filter(bool))
def test_a_mask_of_another_size_is_refused(mask: np.ndarray, rows: int) -> None:
    height, width = mask.shape
    with pytest.raises(ProjectDamagedError, match="another size") as raised:
        unpack(pack(mask), height + rows, width)
    assert raised.value.got == mask.size


@pytest.mark.parametrize("blob", [b"", b"not a mask", zlib.compress(bytes(100))[:-5]])
def test_what_is_no_packed_mask_is_refused(blob: bytes) -> None:
    with pytest.raises(ProjectDamagedError, match="cannot be read"):
        unpack(blob, 10, 10)


def test_a_usual_mask_takes_little_space() -> None:
    mask = np.zeros((128, 128), np.uint8)
    mask[30:70, 20:90] = 1
    assert len(pack(mask)) < 500
