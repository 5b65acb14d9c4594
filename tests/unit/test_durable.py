"""A file is the old one or the new one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pickem.durable import remove_partial_files, whole_folder, write_durably
from pickem.errors import StorageError


def test_content_is_replaced_and_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_durably(path, b"old")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file"]  # noqa: PTH208


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_failed_write_leaves_the_old_file_and_no_rubbish(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def refuse(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError) as raised:
        write_durably(path, b"new")
    assert str(path) in str(raised.value)
    assert isinstance(raised.value, OSError)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="A file lies where a folder is needed"):
        write_durably(tmp_path / "file" / "inside", b"x")


def test_a_folder_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "folder"
    for name in ("old", "new"):
        with whole_folder(path) as building:
            building.mkdir()
            (building / name).touch()
            assert not (path / name).exists()
        assert os.listdir(path) == [name]  # noqa: PTH208
    with pytest.raises(FileNotFoundError), whole_folder(path) as building:
        (building / "what nobody made").read_bytes()
    assert os.listdir(path) == ["new"]  # noqa: PTH208
    assert os.listdir(path.parent) == ["folder"]  # noqa: PTH208


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(StorageError, match="A file lies where a folder is needed"),
        whole_folder(tmp_path / "file" / "folder"),
    ):
        pass


def test_of_partial_files_only_those_of_durable_writes_are_removed(tmp_path: Path) -> None:
    left = tmp_path / "weights.safetensors.0a1b2c3d.partial"
    others = [tmp_path / name for name in ("movie.mkv.partial", "0a1b2c3d.partial", "weights.safetensors")]
    for path in (left, *others):
        path.touch()
    folder = tmp_path / "image.ome.zarr.0a1b2c3d.partial"
    folder.mkdir()
    remove_partial_files(tmp_path.iterdir())
    assert set(tmp_path.iterdir()) == {*others, folder}
