"""What `pickem new` is told to look at: images, and for each of them a mask of where to look, if any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pickem.errors import ConfigError
from pickem.project.settings import VolumeSource
from pickem.project.sources import kept_path
from pickem.project.where import Where
from pickem.volumes import Volume, VoxelSize, open_volume, rescale_factor

EVERYWHERE = "everywhere"  # instead of a mask


@dataclass(frozen=True)
class Images:
    """The volumes of a new project, and the masks of those that have one, by the name of the volume."""

    volumes: dict[str, Volume]
    masks: dict[str, Volume]
    _paths: dict[str, str]
    _mask_paths: dict[str, str]

    def sources(
        self, project: Path, voxel_size: VoxelSize | None, resolution: float | None
    ) -> dict[str, VolumeSource]:
        """What project.toml says of them. Raises ConfigError for a resolution that means nothing."""
        return {
            name: VolumeSource(
                path=kept_path(path, project),
                voxel_size=voxel_size,
                factor=1 if resolution is None else rescale_factor(self.volumes[name].voxel_size, resolution),
                where=kept_path(self._mask_paths[name], project) if name in self._mask_paths else None,
            )
            for name, path in self._paths.items()
        }


def open_images(paths: list[str], where: list[str], voxel_size: VoxelSize | None) -> Images:
    """Open images, and masks in the same order; reads no voxels.

    Raises ConfigError for names or numbers that do not fit, InvalidMaskError for a mask of another shape, and
    the errors of opening volumes.
    """
    named = _named(paths)
    volumes = {name: open_volume(path, voxel_size) for name, path in named.items()}
    if where and len(where) != len(paths):
        raise ConfigError(
            "There must be as many masks as volumes.",
            got=f"{len(where)} × --where, {len(paths)} volumes",
            expected=f"one each, in the same order; --where {EVERYWHERE} for a volume without a mask",
        )
    given = zip(named, where, strict=False)
    mask_paths = {name: path for name, path in given if path != EVERYWHERE}
    masks = {name: open_volume(path) for name, path in mask_paths.items()}
    for name, mask in masks.items():
        Where(mask, volumes[name].shape)
    return Images(volumes, masks, named, mask_paths)


def _named(paths: list[str]) -> dict[str, str]:
    """A name for each volume: what its file is called, without the ending."""
    names = [path.rstrip("/").rsplit("/", 1)[-1].split(".")[0] or "volume" for path in paths]
    if len(set(names)) != len(names):
        raise ConfigError(
            "Two volumes have the same name.",
            got=", ".join(names),
            expected="different file names",
            todo="rename one of the files",
        )
    return dict(zip(names, paths, strict=True))
