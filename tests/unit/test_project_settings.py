"""project.toml: written and read back, and refused with the name of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickem.errors import ProjectDamagedError
from pickem.project.settings import ProjectSettings, VolumeSource, read_settings, write_settings
from tests.fixtures.tiny_project import RECIPE

SETTINGS = ProjectSettings(
    name="mine",
    classes=("axon", "myelin"),
    volumes={
        "a": VolumeSource(path="a.tif", voxel_size=(45, 4.6, 4.6), factor=2),
        "b": VolumeSource(path="https://host/b.zarr"),
    },
    recipe=RECIPE,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "project.toml"
    write_settings(path, SETTINGS)
    assert read_settings(path) == SETTINGS


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('name = "mine"', 'name = "mine"\ncolour = "red"', "colour"),
        ("patch = 128", "patch = 102", "patch = 102 is not a multiple of 4.* say 100 or 104"),
        ("depth = 2", "depth = 8", "patch = 128 is not a multiple of 256.* say 256"),
        ("context = 0", "context = 6", "context = 6 is not a multiple of 4.* say 4 or 8"),
        ("patch = 128", 'patch = "large"', "patch"),
        ("per_round = 10", "per_round = 0", "per_round"),
        ('"myelin"', '"axon"', "two classes have the same name"),
        ("seed = 0", "seed = ", "cannot be read"),
        ("factor = 2", "factor = 0", "factor"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, old: str, new: str, word: str) -> None:
    path = tmp_path / "project.toml"
    write_settings(path, SETTINGS)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ProjectDamagedError, match=word) as raised:
        read_settings(path)
    assert str(path) in str(raised.value)


def test_settings_that_are_not_there_or_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "project.toml"
    with pytest.raises(ProjectDamagedError):
        read_settings(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectDamagedError):
        read_settings(path)
