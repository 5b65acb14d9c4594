"""A predictor from a checkpoint alone: to segment with, not to train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pickem.predictor.backend import Backend
from pickem.predictor.description import read_description
from pickem.predictor.network_predictor import NetworkPredictor, unet_predictor
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.settings import MeasuringSettings, TrainingSettings


def load_predictor(path: Path, backend: Backend, normalisation: Normaliser) -> NetworkPredictor:
    """The network of the checkpoint `path`, to see grey values through `normalisation`.

    Raises CheckpointError where it is damaged, or not a U-Net that segments grey images.
    """
    found = read_description(path)
    predictor = unet_predictor(
        found.network,
        found.classes,
        normalisation,
        backend,
        TrainingSettings(context=found.context),
        MeasuringSettings(),
        np.random.default_rng(0),  # draws weights that are then replaced
    )
    predictor.start_from(path)
    return predictor
