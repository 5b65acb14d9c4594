"""Device and precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pickem.benchmark.machine import Machine
from pickem.errors import ConfigError
from pickem.predictor import (
    ArrayTrainingSet,
    Backend,
    Phase,
    PretrainingSettings,
    UNetSettings,
    gpu_name,
    pretrain,
    resolve_backend,
)
from pickem.predictor.backend import cpu_multiplies_bf16
from tests.conftest import CPU, new_tiny_predictor


def test_auto_is_settled_and_names_are_kept() -> None:
    resolved = resolve_backend("cpu", "auto")
    assert resolved == Backend("cpu", "bf16" if cpu_multiplies_bf16() else "fp32")
    assert resolve_backend("cpu", "bf16") == Backend("cpu", "bf16")
    assert resolve_backend("auto", "fp32").device == ("cuda" if torch.cuda.is_available() else "cpu")


def test_cuda_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device"):
        resolve_backend("cuda", "auto")


def test_fp32_is_no_tf32_on_cuda_forwards_and_backwards() -> None:
    cudnn = torch.backends.cudnn
    seen: list[bool] = []
    assert cudnn.allow_tf32, "PyTorch's default"
    weight = torch.ones(1, requires_grad=True)
    weight.register_hook(lambda gradient: seen.append(cudnn.allow_tf32))
    cuda = Backend("cuda", "fp32")
    with cuda.arithmetic():
        assert not cudnn.allow_tf32
        assert cudnn.enabled
        loss = weight.sum()
    assert cudnn.allow_tf32
    cuda.differentiate(loss)
    assert seen == [False]
    assert cudnn.allow_tf32
    with Backend("cpu", "fp32").arithmetic():
        assert cudnn.allow_tf32, "nothing is touched where nothing has to be"


def test_training_and_pretraining_leave_the_backward_pass_to_the_backend(
    demo_patches: ArrayTrainingSet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps: list[torch.Tensor] = []
    differentiate = Backend.differentiate

    def counting(backend: Backend, loss: torch.Tensor) -> None:
        steps.append(loss)
        differentiate(backend, loss)

    monkeypatch.setattr(Backend, "differentiate", counting)
    predictor, rng = new_tiny_predictor(demo_patches), np.random.default_rng(0)
    predictor.fit(demo_patches, Phase(learning_rate=1e-2, steps=2), rng, lambda *_: None)
    pretrain(
        tmp_path / "start.safetensors",
        UNetSettings(feature_maps=4, depth=2),
        demo_patches.images,
        predictor.normalisation,
        PretrainingSettings(steps=3, batch_size=2),
        CPU,
        rng,
        lambda *_: None,
    )
    assert len(steps) == 2 + 3


def test_the_name_of_the_gpu_is_that_of_the_device_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu_name("cpu") is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    assert gpu_name("auto") == gpu_name("cuda") == "a GPU"
    assert Machine.here("cuda").gpu == "a GPU"
    assert Machine.here("cpu").gpu is None


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
