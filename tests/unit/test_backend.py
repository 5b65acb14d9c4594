"""Device and precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pickem.errors import ConfigError
from pickem.predictor import ArrayTrainingSet, Backend, Phase, resolve_backend
from pickem.predictor.backend import cpu_multiplies_bf16
from tests.conftest import new_tiny_predictor


def test_auto_is_settled_and_names_are_kept() -> None:
    resolved = resolve_backend("cpu", "auto")
    assert resolved == Backend("cpu", "bf16" if cpu_multiplies_bf16() else "fp32")
    assert resolve_backend("cpu", "bf16") == Backend("cpu", "bf16")
    assert resolve_backend("auto", "fp32").device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_cuda_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device"):
        resolve_backend("cuda", "auto")


def test_bf16_trains_and_predicts_close_to_fp32(demo_patches: ArrayTrainingSet) -> None:
    predictor = new_tiny_predictor(demo_patches)
    exact = predictor.predict_proba(demo_patches.images)
    predictor.backend = Backend("cpu", "bf16")
    rounded = predictor.predict_proba(demo_patches.images)
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - exact).max() < 0.05
    report = predictor.fit(
        demo_patches, Phase(learning_rate=1e-2, steps=4), np.random.default_rng(0), lambda a, b: None
    )
    assert np.isfinite(report.final_loss)
