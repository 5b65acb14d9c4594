"""The start without labels: what is damaged, what is learned from it, and what a network takes over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pickem.errors import CheckpointError
from pickem.predictor import (
    ArrayTrainingSet,
    FitReport,
    NetworkPredictor,
    Normalisation,
    PretrainingSettings,
    UNetSettings,
    pretrain,
    pretrained_steps,
)
from pickem.predictor.pretraining import damage
from tests.conftest import CPU, new_tiny_predictor

NETWORK = UNetSettings(feature_maps=4, depth=2, dropout=0.3)  # that of new_tiny_predictor


def pretrained(path: Path, patches: ArrayTrainingSet, seed: int = 0, **changes: object) -> FitReport:
    settings = PretrainingSettings.model_validate(
        {"steps": 30, "batch_size": 4, "learning_rate": 1e-2} | changes
    )
    normalisation = Normalisation.of([patches.images])
    rng = np.random.default_rng(seed)
    return pretrain(path, NETWORK, patches.images, normalisation, settings, CPU, rng, lambda *_: None)


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
def test_hidden_blocks_are_zero_and_the_rest_is_as_it_was(
    n: int, h: int, w: int, block: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand((n, 1, h, w), generator=generator) + 1
    damaged, counts = damage(images, PretrainingSettings(block=block, hidden=0.5), generator)
    assert set(counts.unique().tolist()) <= {0.0, 1.0}
    assert (damaged[counts == 1] == 0).all()
    assert torch.equal(damaged[counts == 0], images[counts == 0])
    corners = counts[:, :, ::block, ::block]
    whole_blocks = corners.repeat_interleave(block, 2).repeat_interleave(block, 3)[:, :, :h, :w]
    assert torch.equal(counts, whole_blocks)


def test_as_many_blocks_are_hidden_as_asked_for() -> None:
    images = torch.ones((64, 1, 64, 64))
    _, counts = damage(images, PretrainingSettings(hidden=0.7), torch.Generator().manual_seed(0))
    assert float(counts.mean()) == pytest.approx(0.7, abs=0.03)


def test_noise_is_added_everywhere_and_every_pixel_counts() -> None:
    images = torch.zeros((64, 1, 32, 32))
    settings = PretrainingSettings(task="denoising", noise=2.0)
    damaged, counts = damage(images, settings, torch.Generator().manual_seed(0))
    assert (counts == 1).all()
    strengths = damaged.flatten(1).std(dim=1)
    assert float(strengths.max()) < 2.2
    assert float(strengths.mean()) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("task", ["masked", "denoising"])
def test_restoring_is_learned_and_the_same_seed_gives_the_same_file(
    demo_patches: ArrayTrainingSet, tmp_path: Path, task: str
) -> None:
    short = pretrained(tmp_path / "short.safetensors", demo_patches, task=task, steps=1)
    long = pretrained(tmp_path / "long.safetensors", demo_patches, task=task)
    assert long.steps == 30
    assert long.final_loss < 0.8 * short.final_loss
    pretrained(tmp_path / "again.safetensors", demo_patches, task=task)
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "long.safetensors").read_bytes()


def test_more_steps_go_on_from_those_that_were_done(demo_patches: ArrayTrainingSet, tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    alone = pretrained(tmp_path / "short.safetensors", demo_patches, steps=3).final_loss
    pretrained(path, demo_patches, steps=30)
    gone_on = pretrained(path, demo_patches, steps=33)
    assert gone_on.steps == 33
    assert gone_on.final_loss < 0.8 * alone
    settings = PretrainingSettings(steps=33, batch_size=4, learning_rate=1e-2)
    assert pretrained_steps(path, NETWORK, settings) == 33
    assert pretrained_steps(path, NETWORK, settings.model_copy(update={"hidden": 0.5})) == 0
    assert pretrained_steps(path, UNetSettings(feature_maps=8, depth=2), settings) == 0
    assert pretrained_steps(tmp_path / "none.safetensors", NETWORK, settings) == 0


def test_a_network_takes_over_all_but_the_head(
    tiny_predictor: NetworkPredictor, demo_patches: ArrayTrainingSet, tmp_path: Path
) -> None:
    pretrained(tmp_path / "start.safetensors", demo_patches)
    before = {name: tensor.clone() for name, tensor in weights(tiny_predictor).items()}
    tiny_predictor.start_from(tmp_path / "start.safetensors")
    changed = {
        name for name, tensor in weights(tiny_predictor).items() if not torch.equal(tensor, before[name])
    }
    kept = before.keys() - changed
    assert {name for name in kept if not name.startswith("head.")} == set()
    assert {"head.weight", "head.bias"} <= kept


def weights(predictor: NetworkPredictor) -> dict[str, torch.Tensor]:
    assert isinstance(predictor.network, torch.nn.Module)
    return predictor.network.state_dict()


def test_the_start_of_another_network_is_refused(demo_patches: ArrayTrainingSet, tmp_path: Path) -> None:
    pretrained(tmp_path / "start.safetensors", demo_patches)
    wider = new_tiny_predictor(demo_patches, network=UNetSettings(feature_maps=8, depth=2))
    with pytest.raises(CheckpointError, match="network"):
        wider.start_from(tmp_path / "start.safetensors")
