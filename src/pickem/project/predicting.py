"""What of a project it takes to segment a volume: its newest network, its classes, its working resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pickem.blockwise.grey_values import normalisation_of
from pickem.blockwise.job import VolumeAddress
from pickem.blockwise.resolution import fit
from pickem.errors import CheckpointError, ConfigError, NoResultsError, nearest_names
from pickem.predictor.description import CheckpointDescription, read_description, read_files
from pickem.predictor.normalisation import Normalisation
from pickem.project import rounds
from pickem.project.project import Project
from pickem.project.scale import FURTHEST
from pickem.project.sources import location
from pickem.volumes import VoxelSize, open_volume


@dataclass(frozen=True)
class Chosen:
    """A volume and how the network sees it, with what to tell the person about that."""

    address: VolumeAddress
    normalisation: Normalisation
    said: str


def newest_checkpoint(project: Project) -> Path:
    """The weights of the last round.

    Raises NoResultsError where there was none, and CheckpointError where they are lost.
    """
    latest = rounds.latest_round(project.store)
    if latest is None or latest.checkpoint is None:
        raise NoResultsError(
            "This project has no trained network yet.",
            got=f"{project.store.count('query', 'submitted')} labelled patches",
            expected=f"{project.settings.first_patches} patches and a round of training",
            todo=f"pickem label {project.folder}",
        )
    path = project.checkpoints / latest.checkpoint
    try:
        read_files(path)
    except CheckpointError as error:
        raise CheckpointError(
            f"The newest network of this project is lost. {error.what}",
            got=error.got,
            expected=error.expected,
            todo="put back a copy of both files; or delete what is left of them, and train a network anew "
            f"from the labels: pickem label {project.folder}",
        ) from error
    return path


def choose_volume(project: Project, asked: str | None, voxel_size: VoxelSize | None) -> Chosen:
    """One of the project's volumes by its name, its only one where none is asked for, or any other one.

    Raises ConfigError where it is not clear which, or at which resolution to see it, and as `open_volume`.
    """
    volumes = project.settings.volumes
    if asked is None and len(volumes) > 1:
        raise ConfigError(
            "This project has several volumes.",
            expected=f"one of {', '.join(volumes)}, or the path of another one",
            todo=f"pickem predict {project.folder} {next(iter(volumes))} --out …",
        )
    name = next(iter(volumes)) if asked is None else asked
    if name in volumes:
        source = volumes[name]
        size, factor = voxel_size or source.voxel_size, float(source.factor)
        address = VolumeAddress(
            location=location(project.folder, source), voxel_size=size, scale=(factor, factor)
        )
        return Chosen(address, project.inputs.normalisation.volumes[name], _own(source.factor))
    if not _is_there(name) and "/" not in name:
        raise ConfigError(
            "This project has no volume of this name, and there is no such file.",
            got=name,
            todo=nearest_names(name, volumes),
        )
    return other_volume(name, voxel_size, read_description(newest_checkpoint(project)))


def other_volume(path: str, voxel_size: VoxelSize | None, network: CheckpointDescription) -> Chosen:
    """Any volume, seen at the resolution and with the kind of normalisation that the network was trained
    with. Raises as `choose_volume`."""
    where = path if "://" in path else str(Path(path).absolute())
    found = fit(open_volume(where, voxel_size), network.resolution)
    address = VolumeAddress(location=where, voxel_size=voxel_size, scale=found.scale)
    working = address.open_working()
    said = f"{found.said}{_spacing(network, working.voxel_size)}"
    return Chosen(address, normalisation_of(network, working), said)


def _is_there(path: str) -> bool:
    return "://" in path or ":/" in path or Path(path).exists()


def _spacing(network: CheckpointDescription, voxel_size: VoxelSize | None) -> str:
    """A warning where a network sees sections beside each other that lie further apart, or closer together,
    than those it has learned from."""
    learned = sorted(size[0] for size in network.voxel_sizes.values() if size)
    if network.network.channels == 1 or not learned or voxel_size is None:
        return ""
    if learned[0] / FURTHEST <= voxel_size[0] <= learned[-1] * FURTHEST:
        return ""
    return (
        f" It sees {network.network.channels} sections at once and has learned from sections "
        f"{learned[0]:g} nm apart; here they are {voxel_size[0]:g} nm apart, so it may do worse."
    )


def _own(factor: int) -> str:
    if factor == 1:
        return "Seen as it is, as in this project."
    seen = f"Seen with {factor} × {factor} pixels as one, as in this project"
    return f"{seen}; the result is on the volume's own grid."
