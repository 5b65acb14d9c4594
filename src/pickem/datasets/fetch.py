"""Bringing a public dataset to this machine: whole and verified, or not at all.

DATA/vnc.partial/      files as they come; kept when interrupted, so that the next attempt goes on
DATA/vnc/              renamed to this when every file is there and every hash fits
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pooch

from pickem.datasets.download import ResumingDownloader
from pickem.datasets.layouts import open_layout
from pickem.datasets.sources import RemoteFile, Source
from pickem.durable import storage_error, write_durably
from pickem.errors import DatasetError, DownloadError, VolumeError

PROVENANCE = "provenance.json"
FileProgress = Callable[[str, int, int | None], None]  # (file, bytes there, bytes in all where known)


def is_installed(source: Source, folder: Path) -> bool:
    """Whether `folder` holds the dataset in one of its layouts."""
    try:
        open_layout(source, folder)
    except (DatasetError, VolumeError):
        return False
    return True


def fetch(source: Source, folder: Path, mirror: str | None, progress: FileProgress) -> Path:
    """Download a dataset into `folder`, which is made by this; nothing is done where it is installed.

    mirror: an address that serves each file under its path in the dataset's folder (an archive under its
        name), used in place of the original addresses.

    Raises DownloadError, naming the file, where a file cannot be had or is not the right one.
    """
    if is_installed(source, folder):
        return folder
    if not source.files:
        raise DownloadError(
            f"{source.name} cannot be downloaded by pickem.", got=source.home, todo=source.by_hand
        )
    if folder.exists():
        raise DownloadError(
            f"A folder is in the place of {source.name}, and the dataset is not in it.",
            got=folder,
            expected="no such folder, or the whole dataset",
            todo=f"look at it (pickem data verify {source.name}), then move it away",
        )
    try:
        return _fetch_into(source, folder, mirror, progress)
    except OSError as error:
        if isinstance(error, DownloadError):
            raise
        raise storage_error(folder, error) from error


def _fetch_into(source: Source, folder: Path, mirror: str | None, progress: FileProgress) -> Path:
    partial = folder.with_name(f"{folder.name}.partial")
    received = [_receive(file, partial, mirror, progress) for file in source.files]
    provenance = {
        "dataset": source.name,
        "home": source.home,
        "licence": source.licence,
        "citation": source.citation,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": received,
    }
    write_durably(partial / PROVENANCE, json.dumps(provenance, indent=1).encode())
    open_layout(source, partial)  # raises where what came is not the dataset
    os.replace(partial, folder)  # noqa: PTH105  (the name by which its guarantee is documented)
    return folder


def _receive(
    file: RemoteFile, partial: Path, mirror: str | None, progress: FileProgress
) -> dict[str, str | None]:
    """Download one file, unless an earlier attempt has; returns its line of the provenance."""
    url = file.url if mirror is None else f"{mirror.rstrip('/')}/{file.path}"
    target = partial / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    downloader = ResumingDownloader(
        target.with_name(f"{target.name}.partial"), lambda done, total: progress(file.path, done, total)
    )
    try:
        pooch.retrieve(url, _hash(file), fname=target.name, path=target.parent, downloader=downloader)
    except DownloadError:
        raise
    except ValueError as error:  # pooch's word for a hash that does not fit
        raise DownloadError(
            "A downloaded file is not the right one.",
            got=f"{url}: {_short(error)}",
            expected=f"SHA-256 {file.sha256}",
            todo="try again; where it stays so, name another --mirror or tell the maintainers of pickem",
        ) from error
    line = {"url": url, "sha256": _sha256(target), "verified_against": file.sha256}
    if file.root is not None:
        _unpack(target, file.root, partial)
    return line


def _hash(file: RemoteFile) -> str | None:
    return None if file.sha256 is None else f"sha256:{file.sha256}"


def _unpack(archive: Path, root: str, folder: Path) -> None:
    """Move what lies in the archive's `root` into `folder`; zipfile keeps members inside their folder."""
    unpacked = folder / "unpacked"
    try:
        with zipfile.ZipFile(archive) as file:
            file.extractall(unpacked)
    except zipfile.BadZipFile as error:
        raise DownloadError("A downloaded archive is damaged.", got=f"{archive.name}: {error}") from error
    if not (unpacked / root).is_dir():
        raise DownloadError(
            "A downloaded archive does not hold what it should.",
            got=", ".join(sorted(path.name for path in unpacked.iterdir())) or "nothing",
            expected=f"a folder {root}",
        )
    for path in (unpacked / root).iterdir():
        if (folder / path.name).is_dir():  # an earlier attempt was interrupted in this loop
            shutil.rmtree(folder / path.name)
        path.replace(folder / path.name)
    shutil.rmtree(unpacked)
    archive.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
