"""The network and its training: the only package that imports torch.

Torch takes a second and hundreds of megabytes. Settings and contracts come without it; the names in
`_WITH_TORCH` bring it along when the first of them is asked for (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from pickem.predictor.allocator import keep_freed_memory
from pickem.predictor.normalisation import Normalisation, PerVolume
from pickem.predictor.protocol import FitReport, Predictor
from pickem.predictor.scoring import score
from pickem.predictor.settings import (
    AugmentationSettings,
    MeasuringSettings,
    Phase,
    PretrainingSettings,
    TrainingSettings,
    UNetSettings,
)
from pickem.predictor.training_set import ArrayTrainingSet, TrainingSet

if TYPE_CHECKING:
    from pickem.predictor.backend import Backend, gpu_name, resolve_backend, use_threads
    from pickem.predictor.network import ForwardOnly, SegmentationNetwork
    from pickem.predictor.network_predictor import NetworkPredictor, unet_predictor
    from pickem.predictor.pretraining import furthest, most_images, pretrain, pretrained_steps
    from pickem.predictor.smoothing import section_weights
    from pickem.predictor.unet import UNet

__all__ = [
    "ArrayTrainingSet",
    "AugmentationSettings",
    "Backend",
    "FitReport",
    "ForwardOnly",
    "MeasuringSettings",
    "NetworkPredictor",
    "Normalisation",
    "PerVolume",
    "Phase",
    "Predictor",
    "PretrainingSettings",
    "SegmentationNetwork",
    "TrainingSet",
    "TrainingSettings",
    "UNet",
    "UNetSettings",
    "furthest",
    "gpu_name",
    "keep_freed_memory",
    "most_images",
    "pretrain",
    "pretrained_steps",
    "resolve_backend",
    "score",
    "section_weights",
    "unet_predictor",
    "use_threads",
]

_WITH_TORCH = {
    "Backend": "backend",
    "ForwardOnly": "network",
    "NetworkPredictor": "network_predictor",
    "SegmentationNetwork": "network",
    "UNet": "unet",
    "furthest": "pretraining",
    "gpu_name": "backend",
    "most_images": "pretraining",
    "pretrain": "pretraining",
    "pretrained_steps": "pretraining",
    "resolve_backend": "backend",
    "section_weights": "smoothing",
    "unet_predictor": "network_predictor",
    "use_threads": "backend",
}


def __getattr__(name: str) -> object:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
