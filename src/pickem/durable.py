"""Files that are either the old ones or the new ones, whole, whenever the process or the machine stops.

write to NAME.<random>.partial  →  flush to disk  →  rename over NAME  →  flush the folder
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pickem.errors import DiskFullError, StorageError

_PARTIAL = re.compile(r".+\.[0-9a-f]{8}\.partial")  # as `write_durably` names them, and hardly anybody else


def write_durably(path: Path, data: bytes) -> None:
    """Replace the content of `path` by `data`, atomically and durably; makes missing parent folders.

    Raises StorageError where the disk is full or the place cannot be written; `path` is then unchanged and
    no partial file is left.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)  # noqa: PTH105  (the name by which its guarantee is documented)
        finally:
            partial.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A free name, at which to make the folder that stands at `path` when the block ends.

    In place of what was there before; where the block raises, that stays. A process that is killed leaves the
    old folder, the new one or, in between, none. Missing parent folders are made. Raises StorageError.
    """
    building = path.with_name(f"{path.name}.partial")
    with _storage_errors(path):
        shutil.rmtree(building, ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield building
        with _storage_errors(path):
            if path.exists():
                shutil.rmtree(path)
            building.replace(path)
            _flush_folder(path.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def remove_partial_files(paths: Iterable[Path]) -> None:
    """Delete those of `paths` that a `write_durably` that was killed half-way has left, and no others.

    Safe only where no other process writes these files.
    """
    for path in paths:
        if _PARTIAL.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def storage_error(path: Path, error: OSError) -> StorageError:
    """The StorageError that says, for this `path`, what `error` means and what to do about it."""
    what, todo = {
        errno.ENOSPC: ("The disk is full.", "free some space and start the same command again"),
        errno.EDQUOT: ("The disk quota is used up.", "free some space and start the same command again"),
        errno.EACCES: ("There is no permission to write here.", "choose another folder, or change its owner"),
        errno.EPERM: ("There is no permission to write here.", "choose another folder, or change its owner"),
        errno.EROFS: ("This place is read-only.", "choose another folder"),
        errno.EEXIST: (
            "A file lies where a folder is needed.",
            "choose another folder, or move the file away",
        ),
        errno.ENOTDIR: (
            "A file lies where a folder is needed.",
            "choose another folder, or move the file away",
        ),
    }.get(error.errno or 0, ("The file cannot be written.", "see the reason above"))
    kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError
    return kind(what, got=f"{path}: {error.strerror or error}", todo=todo)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` durable. Windows cannot open folders, and needs no such flush."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
