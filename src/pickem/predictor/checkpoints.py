"""Weights on disk: NAME.safetensors, and NAME.json that says what they are. No pickle.

    entropy-seed-0.safetensors   tensors
    entropy-seed-0.json          format, settings, classes, normalisation, SHA-256 of the tensors

The JSON is written last: where it is there and its hash fits, the pair is whole.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from pickem.durable import write_durably
from pickem.errors import CheckpointError
from pickem.predictor.description import FORMAT, damaged, read_files


def write_checkpoint(path: Path, weights: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
    """Write both files of the checkpoint `path` (ending .safetensors), durably.

    `description` is any JSON; `read_checkpoint` returns it.
    """
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    data = safetensors.torch.save(on_cpu)
    header = {"format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(), **description}
    write_durably(path, data)
    write_durably(path.with_suffix(".json"), json.dumps(header, indent=2).encode())


def read_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights and description of the checkpoint `path`.

    Raises CheckpointError where a file is missing, damaged, or not of the same writing as the other.
    """
    data, header = read_files(path)
    try:
        return safetensors.torch.load(data), header
    except safetensors.SafetensorError as error:
        raise damaged(path, str(error)) from error


def remove_checkpoint(path: Path) -> None:
    """Delete both files of the checkpoint `path`, as far as they are there."""
    path.with_suffix(".json").unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Whether `path` is a checkpoint that `read_checkpoint` would accept."""
    try:
        read_checkpoint(path)
    except CheckpointError:
        return False
    return True
