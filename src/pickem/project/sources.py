"""Where a project's images and masks lie, whether they are still those of `pickem new`, and where they went.

A path inside the folder that holds the project is kept relative to it, so that all can move together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pickem.errors import (
    ConfigError,
    Part,
    VolumeChangedError,
    VolumeMovedError,
    VolumeNotFoundError,
    nearest_names,
)
from pickem.geometry import Shape3
from pickem.project.settings import ProjectSettings, VolumeSource, rewrite_volume, settings_of
from pickem.project.where import Where
from pickem.volumes import Rescaled, Volume, open_volume, read_by_section


def remembered(sources: Mapping[str, VolumeSource], home: Path) -> dict[str, VolumeSource]:
    """The sources of a new project, with the shape and the type that each has now. Reads no voxels."""
    found = {}
    for name, source in sources.items():
        volume = open_volume(_resolved(source.path, home))
        found[name] = source.model_copy(update={"shape": volume.shape, "dtype": volume.dtype.name})
        if source.where:
            open_volume(_resolved(source.where, home))  # so that it is missed here, as one that never was
    return found


def open_images(folder: Path, settings: ProjectSettings) -> dict[str, Volume]:
    """The volumes of the project in `folder` on their working grids, by name. Reads no voxels.

    Raises VolumeMovedError, VolumeChangedError for another shape or type than at `pickem new`, and
    VolumeFormatError.
    """
    found: dict[str, Volume] = {}
    for name, source in settings.volumes.items():
        path = _resolved(source.path, home_of(folder))
        try:
            volume = open_volume(path, source.voxel_size)
        except VolumeNotFoundError as error:
            raise _moved(folder, name, "image", path, error) from error
        _check_same(folder, name, source, volume)
        volume = read_by_section(volume, settings.recipe.network.channels)
        found[name] = volume if source.factor == 1 else Rescaled(volume, source.factor)
    return found


def open_masks(folder: Path, settings: ProjectSettings, shapes: Mapping[str, Shape3]) -> dict[str, Where]:
    """The masks of the volumes that have one, by name; `shapes` are those of the volumes on disk.

    Raises VolumeMovedError, VolumeFormatError and InvalidMaskError.
    """
    found: dict[str, Where] = {}
    for name, source in settings.volumes.items():
        if source.where is None:
            continue
        path = _resolved(source.where, home_of(folder))
        try:
            found[name] = Where(open_volume(path), shapes[name], source.factor)
        except VolumeNotFoundError as error:
            raise _moved(folder, name, "mask", path, error) from error
    return found


def move_image(folder: Path, name: str, to: str) -> None:
    """Write down that a volume of a project lies at `to` now; nothing else changes.

    Raises ProjectNotFoundError, ConfigError for a name that the project does not have, VolumeNotFoundError,
    VolumeFormatError, and VolumeChangedError where what lies there is another volume.
    """
    _check_same(folder, name, _source(folder, name), open_volume(to))
    rewrite_volume(folder / "project.toml", name, {"path": kept_path(to, folder)})


def move_mask(folder: Path, name: str, to: str) -> None:
    """Write down that the mask of a volume lies at `to` now. Raises as `move_image`, and InvalidMaskError."""
    source = _source(folder, name)
    if source.where is None:
        raise ConfigError(
            f"The volume {name} has no mask.",
            expected="one that was given to `pickem new`, before the control patches were drawn",
            todo="make a new project with --where; --labels takes over what was painted",
        )
    mask = open_volume(to)
    if source.shape is not None:
        Where(mask, source.shape)
    rewrite_volume(folder / "project.toml", name, {"where": kept_path(to, folder)})


def location(folder: Path, source: VolumeSource) -> str:
    """Where a volume of the project in `folder` lies: an absolute path, or an address."""
    return _resolved(source.path, home_of(folder))


def kept_path(path: str, project: Path) -> str:
    """The path as the project keeps it: relative where both lie in one folder, so that they can move."""
    if "://" in path:
        return path
    absolute, home = _named(Path(path)), home_of(project)
    return str(absolute.relative_to(home)) if absolute.is_relative_to(home) else str(absolute)


def home_of(project: Path) -> Path:
    """The folder that holds a project, from which its relative paths lead; an absolute path."""
    return _named(project).parent


def _named(path: Path) -> Path:
    """The path as an absolute one without `..`, which ends in a name: `.` and `..` have no parent of theirs.

    Links on the way are followed only where there is a `..`, which leads to the parent of where they lead.
    """
    absolute = path.absolute()
    if absolute.name == "..":
        return absolute.resolve()
    return absolute.parent.resolve() / absolute.name if ".." in absolute.parts else absolute


def _resolved(path: str, home: Path) -> str:
    return path if "://" in path else str(home / path)


def _source(folder: Path, name: str) -> VolumeSource:
    volumes = settings_of(folder).volumes
    if name not in volumes:
        raise ConfigError(
            "This project has no volume of this name.", got=name, todo=nearest_names(name, volumes)
        )
    return volumes[name]


def _check_same(folder: Path, name: str, source: VolumeSource, volume: Volume) -> None:
    """A project of an earlier pickem does not know the shape and the type; then nothing is checked."""
    now = (volume.shape, volume.dtype.name)
    if now == (source.shape or now[0], source.dtype or now[1]):
        return
    raise VolumeChangedError(
        f"This is not the volume {name} that the project was made for.",
        got=f"{volume.source}: {_described(*now)}",
        expected=_described(source.shape or now[0], source.dtype or now[1]),
        todo=f"put the right one back, or say where it is: pickem move {folder} {name} PATH",
    )


def _described(shape: Shape3, dtype: str) -> str:
    return f"{' × '.join(map(str, shape))} (z, y, x), {dtype}"


def _moved(folder: Path, name: str, part: Part, path: str, why: VolumeNotFoundError) -> VolumeMovedError:
    what, told = {
        "image": (f"The volume {name} of this project is not where it was.", "PATH"),
        "mask": (f"The mask of the volume {name} is not where it was.", "--where PATH"),
    }[part]
    todo = f"move it back, or say where it is now: pickem move {folder} {name} {told}"
    return VolumeMovedError(what, name=name, part=part, got=f"{path}: {why.what}", todo=todo)
