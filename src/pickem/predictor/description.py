"""What the files of a checkpoint say of its network, read without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pickem.errors import CheckpointError
from pickem.predictor.normalisation import Normalisation, PerVolume
from pickem.predictor.settings import UNetSettings, Views

FORMAT = 1


class CheckpointDescription(BaseModel):
    """A segmentation network on disk. What comes last is known of a project's networks."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: str  # of the tensors
    network: UNetSettings
    classes: int = Field(ge=2)  # background included
    normalisation: Normalisation | PerVolume
    context: int = Field(0, ge=0)  # pixels around a patch that it was trained with
    views: Views = "one"  # of which a plane's prediction was the mean when the network was measured
    smoothing: int = Field(0, ge=0)  # sections to each side that it was averaged with
    class_names: tuple[str, ...] | None = None  # foreground
    resolution: float | None = Field(None, gt=0)  # nm a pixel along y and x
    voxel_sizes: dict[str, tuple[float, float, float] | None] = {}  # of its volumes: nm along z, y, x


def read_description(path: Path) -> CheckpointDescription:
    """What the checkpoint `path` is. Raises CheckpointError for damage, and for what is no U-Net that
    segments grey images."""
    _, header = read_files(path)
    network = header.get("network")
    kind = network.pop("kind", None) if isinstance(network, dict) else None
    if kind != "unet" or "pretraining" in header:
        raise CheckpointError(
            f"{path.name} is not a network that pickem can segment with.",
            got="weights of pretraining" if "pretraining" in header else f"a network of kind {kind}",
            expected="a U-Net trained by pickem",
            todo="give a project, or the weights of one of its rounds",
        )
    try:
        found = CheckpointDescription.model_validate(header)
    except ValidationError as error:
        first = error.errors()[0]
        raise damaged(
            path, f"{path.stem}.json: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from error
    return found


def read_files(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The tensors of the checkpoint `path`, as they are on disk, and its description.

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
            todo="put back a copy of both files",
        ) from error
    except ValueError as error:
        raise damaged(path, f"{path.with_suffix('.json').name} is not JSON") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise damaged(path, f"{path.with_suffix('.json').name} does not say `format: {FORMAT}`")
    if header.get("sha256") != hashlib.sha256(data).hexdigest():
        raise damaged(path, f"{path.name} is not the file that {path.with_suffix('.json').name} describes")
    return data, _completed(header)


def _completed(header: dict[str, Any]) -> dict[str, Any]:
    """What an earlier pickem wrote, with what it took for granted."""
    network = header.get("network")
    if isinstance(network, dict) and network.get("kind") == "unet":
        network = {"space_to_depth": 1, **network}
    return {"context": 0, **header, "network": network}


def damaged(path: Path, why: str) -> CheckpointError:
    """The error for a checkpoint that is there and cannot be right."""
    return CheckpointError(
        f"The checkpoint {path} is damaged.",
        got=why,
        expected="a pair of files as pickem wrote them",
        todo="put back a copy of both files",
    )
