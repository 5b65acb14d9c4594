"""Checkpoints come back as they were written, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pickem.errors import CheckpointError
from pickem.predictor import ArrayTrainingSet, Phase, TrainingSettings, UNetSettings
from pickem.predictor.checkpoints import is_whole
from tests.conftest import new_tiny_predictor


def test_a_network_with_other_surroundings_is_refused(demo_patches: ArrayTrainingSet, tmp_path: Path) -> None:
    wide = new_tiny_predictor(demo_patches, training=TrainingSettings(context=16))
    wide.save(tmp_path / "wide.safetensors")
    with pytest.raises(CheckpointError, match="context"):
        new_tiny_predictor(demo_patches).load_weights(tmp_path / "wide.safetensors")


def test_a_checkpoint_of_before_there_was_context_or_space_to_depth_has_none(
    demo_patches: ArrayTrainingSet, tmp_path: Path
) -> None:
    predictor = new_tiny_predictor(demo_patches)
    predictor.save(tmp_path / "old.safetensors")
    header = tmp_path / "old.json"
    described = json.loads(header.read_text())
    del described["network"]["space_to_depth"]
    header.write_text(json.dumps({k: v for k, v in described.items() if k not in ("context", "views")}))
    predictor.load_weights(tmp_path / "old.safetensors")


def test_a_checkpoint_restores_the_predictor(tmp_path: Path, demo_patches: ArrayTrainingSet) -> None:
    path = tmp_path / "network.safetensors"
    one, other = new_tiny_predictor(demo_patches, seed=1), new_tiny_predictor(demo_patches, seed=2)
    one.save(path)
    expected = one.predict_proba(demo_patches.images)
    assert not np.array_equal(other.predict_proba(demo_patches.images), expected)
    other.load_weights(path)
    assert np.array_equal(other.predict_proba(demo_patches.images), expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["network.json", "network.safetensors"]


def test_starting_over_leaves_nothing_of_what_was_learned(demo_patches: ArrayTrainingSet) -> None:
    predictor = new_tiny_predictor(demo_patches)
    drawn = predictor.predict_proba(demo_patches.images)
    for _ in range(2):
        predictor.fit(
            demo_patches, Phase(learning_rate=1e-2, steps=3), np.random.default_rng(0), lambda *_: None
        )
        assert not np.array_equal(predictor.predict_proba(demo_patches.images), drawn)
        predictor.start_over()
        assert np.array_equal(predictor.predict_proba(demo_patches.images), drawn)


def test_another_network_is_refused(tmp_path: Path, demo_patches: ArrayTrainingSet) -> None:
    path = tmp_path / "network.safetensors"
    new_tiny_predictor(demo_patches).save(path)
    wider = new_tiny_predictor(demo_patches, network=UNetSettings(feature_maps=8, depth=2))
    with pytest.raises(CheckpointError, match="another network: its network differs"):
        wider.load_weights(path)


def test_another_number_of_sections_is_refused_in_words(
    tmp_path: Path, demo_patches: ArrayTrainingSet
) -> None:
    path = tmp_path / "network.safetensors"
    three = new_tiny_predictor(
        demo_patches, network=UNetSettings(channels=3, feature_maps=4, depth=2, dropout=0.3)
    )
    three.save(path)
    one = new_tiny_predictor(demo_patches)
    for take in (one.load_weights, one.start_from):
        with pytest.raises(CheckpointError, match="its network differs") as refused:
            take(path)
        assert (refused.value.got, refused.value.expected) == (
            "channels (sections seen at once) = 3",
            "channels (sections seen at once) = 1",
        )
    three.load_weights(path)


def test_weights_that_are_not_what_their_description_says_are_damaged(
    tmp_path: Path, demo_patches: ArrayTrainingSet
) -> None:
    path = tmp_path / "network.safetensors"
    new_tiny_predictor(demo_patches).save(path)
    described = path.with_suffix(".json")
    described.write_text(described.read_text().replace('"channels": 1', '"channels": 3'))
    three = new_tiny_predictor(
        demo_patches, network=UNetSettings(channels=3, feature_maps=4, depth=2, dropout=0.3)
    )
    with pytest.raises(CheckpointError, match="damaged"):
        three.load_weights(path)


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_a_network_sees_as_many_sections_before_as_behind(channels: int) -> None:
    with pytest.raises(ValidationError, match="channels"):
        UNetSettings(channels=channels)


def damage_tensors(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    path.write_bytes(bytes(data))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def damage_json(path: Path) -> None:
    path.with_suffix(".json").write_text("{")


def other_format(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps({"format": 99}))


def lose_json(path: Path) -> None:
    path.with_suffix(".json").unlink()


@pytest.mark.parametrize("harm", [damage_tensors, truncate, damage_json, other_format, lose_json])
def test_damage_is_noticed(harm: object, tmp_path: Path, demo_patches: ArrayTrainingSet) -> None:
    path = tmp_path / "network.safetensors"
    predictor = new_tiny_predictor(demo_patches)
    predictor.save(path)
    assert is_whole(path)
    harm(path)  # type: ignore[operator]
    assert not is_whole(path)
    with pytest.raises(CheckpointError):
        predictor.load_weights(path)


def test_a_new_volume_begins_with_another_ones_weights(
    tmp_path: Path, demo_patches: ArrayTrainingSet
) -> None:
    path = tmp_path / "network.safetensors"
    one = new_tiny_predictor(demo_patches, seed=1)
    one.save(path)
    brighter = ArrayTrainingSet(demo_patches.images.astype(np.float32) * 2 + 100, demo_patches.labels)
    other = new_tiny_predictor(brighter, seed=2)
    with pytest.raises(CheckpointError, match="normalisation"):
        other.load_weights(path)
    other.start_from(path)
    np.testing.assert_allclose(
        other.predict_proba(brighter.images), one.predict_proba(demo_patches.images), atol=1e-4
    )
    deeper = new_tiny_predictor(demo_patches, network=UNetSettings(feature_maps=4, depth=3))
    with pytest.raises(CheckpointError, match="another network: its network differs"):
        deeper.start_from(path)
