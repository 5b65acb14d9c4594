"""Datasets by name, and where their files are looked for."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from pickem.datasets.dataset import Dataset
from pickem.datasets.embedded import open_demo
from pickem.datasets.layouts import open_layout, splits
from pickem.datasets.own import open_own
from pickem.datasets.sources import Source, sources
from pickem.errors import UnknownDatasetError, nearest_names

ENVIRONMENT = "PICKEM_DATA"
NEARBY = Path("..") / "shared" / "data"


def open_dataset(name_or_toml: str, data_dir: Path | None = None) -> Dataset:
    """A dataset by name, or one's own by the path of its TOML file. Reads headers and no voxels.

    data_dir: the folder that holds a folder for each dataset; by default as `data_folder` says.

    Raises UnknownDatasetError, DatasetNotFoundError, and VolumeError where files are damaged.
    """
    if name_or_toml.endswith(".toml"):
        return open_own(Path(name_or_toml))
    if name_or_toml == "demo":
        return open_demo()
    source = find_source(name_or_toml)
    volumes = open_layout(source, data_folder(data_dir) / source.name)
    return Dataset(
        name=source.name,
        title=source.title,
        classes=source.classes,
        volumes=volumes,
        splits=splits(source.name, volumes),
        annotation=source.annotation,
        voxel_size=source.voxel_size,
        licence=source.licence,
        citation=source.citation,
        label_values=source.label_values,
        shapes=source.shapes,
    )


def find_source(name: str) -> Source:
    """A public dataset's description by its name; raises UnknownDatasetError, naming the nearest names."""
    known = sources()
    if name not in known:
        names = ["demo", *known]
        raise UnknownDatasetError(
            "There is no dataset of this name.",
            got=name,
            expected=f"{', '.join(names)}, or the path of a .toml file",
            todo=nearest_names(name, names),
        )
    return known[name]


def data_folder(given: Path | None) -> Path:
    """Where datasets lie: `given`, else the environment's PICKEM_DATA, else ../shared/data where that is
    there, else the user's cache."""
    if given is not None:
        return given
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    if NEARBY.is_dir():
        return NEARBY
    return Path(platformdirs.user_cache_dir("pickem")) / "data"
