"""Device and precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pickem.acquisition import Feature
from pickem.benchmark.machine import Machine
from pickem.errors import ConfigError, OutOfMemoryError
from pickem.predictor import (
    ArrayTrainingSet,
    Backend,
    NetworkPredictor,
    Phase,
    PretrainingSettings,
    UNetSettings,
    gpu_name,
    pretrain,
    resolve_backend,
)
from pickem.predictor.backend import cpu_multiplies_bf16
from pickem.predictor.unet import UNet
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


SHORT = Phase(learning_rate=1e-2, steps=1)


def fit(predictor: NetworkPredictor, patches: ArrayTrainingSet) -> None:
    predictor.fit(patches, SHORT, np.random.default_rng(0), lambda done, total: None)


def raises(error: Exception) -> Callable[..., object]:
    def call(*_: object, **__: object) -> object:
        raise error

    return call


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["of PyTorch", "of CUDA", "of the CPU"],
)
def test_memory_that_runs_out_is_told_with_what_to_do(
    demo_patches: ArrayTrainingSet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: RuntimeError
) -> None:
    predictor, rng = new_tiny_predictor(demo_patches), np.random.default_rng(0)
    images = demo_patches.images
    with monkeypatch.context() as patched:
        patched.setattr(UNet, "prefix", raises(error))
        for use in (
            lambda: fit(predictor, demo_patches),
            lambda: predictor.predict_proba(images),
            lambda: predictor.predict_plane(images[0]),
            lambda: list(predictor.segment(lambda z: images[z], [0], 1, "one", 0)),
            lambda: predictor.mc_probabilities(images, rng),
            lambda: predictor.measure(images, {Feature.ENTROPY}, rng),
        ):
            with pytest.raises(OutOfMemoryError, match="--patch of pickem new") as told:
                use()
            assert told.value.got == str(error).splitlines()[0]
    monkeypatch.setattr(torch.optim.Adam, "step", raises(error))
    network, normaliser = UNetSettings(feature_maps=4, depth=2), predictor.normalisation
    how = (PretrainingSettings(steps=1, batch_size=2), predictor.backend, rng, lambda *_: None)
    for learn in (
        lambda: fit(predictor, demo_patches),
        lambda: pretrain(tmp_path / "start.safetensors", network, images, normaliser, *how),
    ):
        with pytest.raises(OutOfMemoryError):
            learn()


def test_where_a_gpu_is_full_there_is_the_processor() -> None:
    with (
        pytest.raises(OutOfMemoryError, match="use --device cpu, or smaller patches"),
        Backend("cuda", "fp32").memory(),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory.")


def test_other_errors_of_pytorch_stay_what_they_are(
    demo_patches: ArrayTrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UNet, "prefix", raises(RuntimeError("shapes cannot be multiplied")))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        fit(new_tiny_predictor(demo_patches), demo_patches)


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
