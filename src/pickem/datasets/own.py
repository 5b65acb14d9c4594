"""One's own labelled volumes, described by a small TOML file (see docs/how-to/own-dataset.md)."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pickem.datasets.dataset import Dataset, LabelledVolume, Part, SplitParts
from pickem.errors import ConfigError, DatasetNotFoundError
from pickem.volumes import VoxelSize, open_volume


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _OwnVolume(_Model):
    image: str  # paths are relative to the TOML file
    labels: str


class _OwnPart(_Model):
    volume: str
    z: tuple[int, int] | None = None
    y: tuple[int, int] | None = None
    x: tuple[int, int] | None = None


class _OwnSplit(_Model):
    train: tuple[str | _OwnPart, ...] = Field(min_length=1)  # a volume's name, or a part of one
    evaluate: tuple[str | _OwnPart, ...] = Field(min_length=1)

    @property
    def parts(self) -> SplitParts:
        return SplitParts(tuple(map(_part, self.train)), tuple(map(_part, self.evaluate)))


class _OwnDataset(_Model):
    name: str
    title: str = ""
    classes: dict[str, int | tuple[int, ...]] = Field(min_length=1)
    unlabelled: int | None = None
    voxel_size: VoxelSize | None = None
    annotation: str | None = None
    licence: str = "not stated"
    citation: str = "not stated"
    volumes: dict[str, _OwnVolume] = Field(min_length=1)
    split: dict[str, _OwnSplit] = Field(min_length=1)


def open_own(path: Path) -> Dataset:
    """The dataset described by a TOML file. Reads headers and no voxels.

    Raises DatasetNotFoundError, ConfigError for a description that makes no sense, VolumeError for images.
    """
    described = _read(path)
    volumes = {
        name: LabelledVolume(
            open_volume(path.parent / own.image, described.voxel_size),
            open_volume(path.parent / own.labels, described.voxel_size),
        )
        for name, own in described.volumes.items()
    }
    return Dataset(
        name=described.name,
        title=described.title or f"described in {path.name}",
        classes=tuple(described.classes),
        volumes=volumes,
        splits={name: split.parts for name, split in described.split.items()},
        annotation=described.annotation,
        voxel_size=described.voxel_size,
        licence=described.licence,
        citation=described.citation,
        label_values=[(v,) if isinstance(v, int) else v for v in described.classes.values()],
        unlabelled=described.unlabelled,
        address=str(path),
    )


def _read(path: Path) -> _OwnDataset:
    try:
        return _OwnDataset.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DatasetNotFoundError("There is no such description of a dataset.", got=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "The description of the dataset is not valid TOML.", got=f"{path}: {error}"
        ) from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(
            "The description of the dataset makes no sense.",
            got=f"{path}: {problems}",
            expected="name, classes, [volumes.NAME], [split.test]",
            todo="see docs/how-to/own-dataset.md",
        ) from error


def _part(given: str | _OwnPart) -> Part:
    return Part(given) if isinstance(given, str) else Part(given.volume, given.z, given.y, given.x)
