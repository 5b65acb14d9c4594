"""Tiny real data and tiny networks that many tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from pickem.datasets import open_dataset
from pickem.learning import Regions
from pickem.predictor import (
    ArrayTrainingSet,
    AugmentationSettings,
    Backend,
    MeasuringSettings,
    NetworkPredictor,
    Normalisation,
    TrainingSettings,
    UNetSettings,
    unet_predictor,
)
from tests.fixtures.tiny_dataset import write_tiny_dataset

settings.register_profile("pickem", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pickem")  # a busy machine must not decide a test

CPU = Backend("cpu", "fp32")
AUGMENTATION = AugmentationSettings(zoom=(0.8, 1.25), rotation=10, contrast=0.1, noise=0.1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A soak test takes as long as it was asked to; every wait inside it has a limit of its own."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(scope="session")
def demo_regions() -> Regions:
    """The training images of the embedded demo."""
    return Regions(open_dataset("demo").split("test").train)


@pytest.fixture(scope="session")
def demo_patches(demo_regions: Regions) -> ArrayTrainingSet:
    """Twelve 32 × 32 patches of the embedded demo, shrunk by four so that they show whole axons."""
    region = demo_regions.loaded[0]
    corners = [(y, x) for y in range(0, 384, 128) for x in range(0, 512, 128)]
    images = np.stack([region.images[0, y : y + 128 : 4, x : x + 128 : 4] for y, x in corners])
    labels = np.stack([region.labels[0, y : y + 128 : 4, x : x + 128 : 4] for y, x in corners])
    return ArrayTrainingSet(images, labels)


@pytest.fixture
def tiny_predictor(demo_patches: ArrayTrainingSet) -> NetworkPredictor:
    """A new predictor with a very small U-Net, for the three classes of the demo."""
    return new_tiny_predictor(demo_patches)


def new_tiny_predictor(
    patches: ArrayTrainingSet,
    *,
    seed: int = 0,
    network: UNetSettings | None = None,
    training: TrainingSettings | None = None,
    measuring: MeasuringSettings | None = None,
) -> NetworkPredictor:
    """A new predictor with a very small U-Net; the same seed gives the same weights."""
    return unet_predictor(
        network or UNetSettings(feature_maps=4, depth=2, dropout=0.3),
        3,
        Normalisation.of([patches.images]),
        CPU,
        training or TrainingSettings(loss="dice-cross-entropy", batch_size=4, augmentation=AUGMENTATION),
        measuring or MeasuringSettings(passes=3),
        np.random.default_rng(seed),
    )


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Path:
    """The TOML file of a small dataset of one's own, cut from the embedded demo."""
    return write_tiny_dataset(tmp_path / "tiny")
