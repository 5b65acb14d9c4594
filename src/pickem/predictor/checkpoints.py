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

FORMAT = 1


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
    try:
        data = path.read_bytes()
        header = json.loads(path.with_suffix(".json").read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(
            "A file of the checkpoint is missing.",
            got=f"no file {error.filename}",
            expected=f"{path.name} and {path.with_suffix('.json').name} side by side",
        ) from error
    except ValueError as error:
        raise _damaged(path, f"{path.with_suffix('.json').name} is not JSON") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _damaged(path, f"{path.with_suffix('.json').name} does not say `format: {FORMAT}`")
    if header.get("sha256") != hashlib.sha256(data).hexdigest():
        raise _damaged(path, f"{path.name} is not the file that {path.with_suffix('.json').name} describes")
    try:
        return safetensors.torch.load(data), header
    except safetensors.SafetensorError as error:
        raise _damaged(path, str(error)) from error


def is_whole(path: Path) -> bool:
    """Whether `path` is a checkpoint that `read_checkpoint` would accept."""
    try:
        read_checkpoint(path)
    except CheckpointError:
        return False
    return True


def _damaged(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint {path} is damaged.",
        got=why,
        expected="a pair of files as pickem wrote them",
        todo="delete both files; the run trains this network again",
    )
