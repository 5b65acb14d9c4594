"""The folder in which objects are found, block by block, until what was asked for is whole.

OUT.unfinished/
  plan.json          what is being done; another plan does not go on here
  lock               held by the process at work
  records/00000.npz  a block whose components are known
  numbers.npy        which object each component of each block belongs to; offsets.npy, where a block begins
  objects.npz        what was counted of them; written last of the joining
  whole/             where objects are to be split: the label image before
  parts/00000.npz    a block whose objects are split
  final.npz          the numbers of objects and parts
  image/             the label image
  written/           a file for every block that is in an image
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from pickem.blockwise.object_settings import ObjectSettings
from pickem.durable import storage_error, write_durably
from pickem.errors import RunConflictError, RunLockedError, VolumeExistsError
from pickem.geometry import Shape3
from pickem.volumes import VoxelSize

Existing = Literal["refuse", "resume", "overwrite"]  # what to do with what lies there already


class Plan(BaseModel):
    """What is done to what. `stamp` changes when the image is written anew."""

    model_config = ConfigDict(frozen=True)

    source: str
    stamp: str
    shape: Shape3
    dtype: str
    voxel_size: VoxelSize | None
    settings: ObjectSettings
    image: bool  # whether there is to be a label image

    @property
    def document(self) -> dict[str, object]:
        """As it stands in files."""
        return self.model_dump(mode="json")


def unfinished(target: Path) -> Path:
    """Where work on what is to lie at `target` is kept."""
    return target.with_name(f"{target.name}.unfinished")


@contextmanager
def work_folder(folder: Path, plan: Plan, existing: Existing) -> Iterator[None]:
    """Make the folder, or go on in it; held alone until the block ends, and deleted where that did not raise.

    Raises VolumeExistsError where work was begun and is not to be resumed, RunConflictError where it was
    begun by another plan, RunLockedError where another process is at it, and StorageError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunLockedError(
            "Another process is at work on this.", got=folder, todo="wait for it, or end it"
        ) from error
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        _begin(folder, plan, existing)
        yield
    except BaseException:
        lock.release()
        raise
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def _begin(folder: Path, plan: Plan, existing: Existing) -> None:
    path = folder / "plan.json"
    if path.exists() and existing == "refuse":
        raise VolumeExistsError(
            "This was begun and not finished.",
            got=folder,
            todo="go on with --resume, or begin anew with --overwrite",
        )
    if path.exists() and existing == "resume":
        check_same(plan, path.read_bytes(), folder)
        return
    try:
        for old in folder.iterdir():
            if old.name != "lock":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name in ("records", "parts", "written"):
            (folder / name).mkdir()
    except OSError as error:
        raise storage_error(folder, error) from error
    write_durably(path, json.dumps(plan.document, indent=1).encode())


def check_same(plan: Plan, written: bytes, where: Path) -> None:
    """Raise RunConflictError unless `written`, found at `where`, is this plan."""
    try:
        other = Plan.model_validate_json(written)
    except ValidationError as error:
        raise RunConflictError(
            "What was begun here cannot be gone on with.", got=where, todo="begin anew with --overwrite"
        ) from error
    mine, theirs = _flat(plan), _flat(other)
    differing = [name for name in mine if mine[name] != theirs[name]]
    if differing:
        raise RunConflictError(
            "This was begun with other settings, or on another image.",
            got=", ".join(f"{name} {mine[name]}" for name in differing),
            expected=", ".join(f"{name} {theirs[name]}" for name in differing),
            todo="give the same as then, or begin anew with --overwrite",
        )


def _flat(plan: Plan) -> dict[str, object]:
    return {**plan.model_dump(exclude={"settings"}), **plan.settings.model_dump()}
