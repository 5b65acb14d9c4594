"""A plane predicted in tiles equals the plane predicted whole, whatever its size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pickem.learning import Regions
from pickem.predictor import ArrayTrainingSet, NetworkPredictor
from pickem.predictor.inference import predict_plane
from tests.conftest import new_tiny_predictor


@pytest.fixture(scope="module")
def predictor(demo_patches: ArrayTrainingSet) -> NetworkPredictor:
    return new_tiny_predictor(demo_patches)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 130),
    width=st.integers(1, 130),
    tile=st.integers(1, 96),
    corner=st.integers(0, 300),
    context=st.sampled_from([0, 8, 20]),
)
def test_tiles_leave_no_seam(
    predictor: NetworkPredictor,
    demo_regions: Regions,
    height: int,
    width: int,
    tile: int,
    corner: int,
    context: int,
) -> None:
    plane = demo_regions.loaded[0].images[0, corner : corner + height, corner : corner + width]
    how = (predictor.network, plane, 3, predictor.normalisation, predictor.backend)
    whole = predict_plane(*how, context=context)
    tiled = predict_plane(*how, tile, context)
    assert tiled.shape == (3, height, width)
    np.testing.assert_allclose(tiled, whole, atol=1e-4)
    np.testing.assert_allclose(tiled.sum(axis=0), 1, atol=1e-5)
