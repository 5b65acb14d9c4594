"""The network and its training: the only package that imports torch."""

from __future__ import annotations

from pickem.predictor.allocator import keep_freed_memory
from pickem.predictor.augmentation import AugmentationSettings
from pickem.predictor.backend import Backend, resolve_backend, use_threads
from pickem.predictor.network import ForwardOnly, SegmentationNetwork
from pickem.predictor.network_predictor import MeasuringSettings, NetworkPredictor, unet_predictor
from pickem.predictor.normalisation import Normalisation
from pickem.predictor.protocol import Predictor
from pickem.predictor.scoring import score
from pickem.predictor.training import FitReport, Phase, TrainingSettings
from pickem.predictor.training_set import ArrayTrainingSet, TrainingSet
from pickem.predictor.unet import UNet, UNetSettings

__all__ = [
    "ArrayTrainingSet",
    "AugmentationSettings",
    "Backend",
    "FitReport",
    "ForwardOnly",
    "MeasuringSettings",
    "NetworkPredictor",
    "Normalisation",
    "Phase",
    "Predictor",
    "SegmentationNetwork",
    "TrainingSet",
    "TrainingSettings",
    "UNet",
    "UNetSettings",
    "keep_freed_memory",
    "resolve_backend",
    "score",
    "unet_predictor",
    "use_threads",
]
