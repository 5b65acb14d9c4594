"""Where objects, their table and their picture are to lie, and whether they may."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pickem.blockwise.unfinished import Existing, Plan, check_same, unfinished
from pickem.durable import storage_error
from pickem.errors import ConfigError, StorageError, VolumeExistsError
from pickem.volumes.chunk_storage import read_json

TABLES = (".parquet", ".csv")
PICTURES = (".png", ".svg")


@dataclass(frozen=True)
class Targets:
    """What is wanted, one of them at least: the label image, the table, the picture of the sizes."""

    out: Path | None
    table: Path | None
    plot: Path | None

    @property
    def all(self) -> list[Path]:
        """Those that are wanted; work is kept beside the first."""
        return [path for path in (self.out, self.table, self.plot) if path is not None]

    @property
    def folder(self) -> Path:
        """Where work on them is kept."""
        return unfinished(self.all[0])

    def are_there(self) -> bool:
        """Whether all of them are finished."""
        return all(path.exists() for path in self.all) and not (self.folder / "plan.json").exists()


def check_targets(targets: Targets, source: Path, existing: Existing) -> None:
    """Raise where the targets make no sense or cannot be written, before any work is done.

    ConfigError for none, for unknown endings and for the image itself; VolumeExistsError where something lies
    there that is not to be replaced; StorageError for places that cannot be written.
    """
    if not targets.all:
        raise ConfigError(
            "Nothing is asked for.", expected="one of --out, --table and --plot, at least", todo="name a file"
        )
    _check_ending("table", targets.table, TABLES)
    _check_ending("plot", targets.plot, PICTURES)
    for path in targets.all:
        if path.resolve() == source.resolve():
            raise ConfigError("The objects would replace the image.", got=path, todo="choose another name")
        _check_place(path)
        if path.exists() and not targets.folder.exists() and existing != "overwrite":
            raise VolumeExistsError(
                "Something is there already.",
                got=path,
                expected="a name that is free",
                todo="choose another name, or replace it with --overwrite",
            )
    if targets.out and targets.out.exists() and read_json(str(targets.out), "zarr.json") is None:
        raise VolumeExistsError(
            "Only an OME-Zarr image is replaced by objects.",
            got=targets.out,
            expected="a name that is free, or a label image made before",
            todo="choose another name, or move it away",
        )


def check_finished(targets: Targets, plan: Plan) -> None:
    """Raise RunConflictError where the label image that is there was made by another plan."""
    if targets.out is not None:
        node = read_json(str(targets.out), "zarr.json") or {}
        made_by = node.get("attributes", {}).get("pickem", {}).get("objects")
        check_same(
            plan, plan.model_validate(made_by).model_dump_json().encode() if made_by else b"", targets.out
        )


def _check_ending(option: str, path: Path | None, endings: tuple[str, ...]) -> None:
    if path is not None and path.is_dir():
        raise ConfigError(f"--{option} names a folder.", got=path, expected="the name of a file")
    if path is not None and path.suffix.lower() not in endings:
        raise ConfigError(
            f"The ending of --{option} names no format.",
            got=path,
            expected=f"a name ending in {' or '.join(endings)}",
        )


def _check_place(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path.parent, error) from error
    if not os.access(path.parent, os.W_OK):
        raise StorageError(
            "There is no permission to write here.", got=path.parent, todo="choose another folder"
        )
