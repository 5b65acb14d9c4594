"""A table of features on disk holds what was added, whatever interrupted the writing, and nothing else."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.acquisition import Feature, PoolFeatures
from pickem.errors import StorageError
from pickem.geometry import PatchId
from pickem.project.feature_table import FeatureTable, read_filled, row_bytes

VOLUMES = ("first", "second")
ABOUT = {"round": 3, "shapes": {"first": [4, 16, 16]}}
ROOM = 60
WIDTHS = {Feature.ENTROPY: (), Feature.CLASS_ENTROPY: (2,), Feature.EMBEDDING: (5,)}
sizes = st.lists(st.integers(0, 8), max_size=6)


def made_up(count: int, seed: int, volumes: tuple[str, ...] = VOLUMES) -> PoolFeatures:
    """Features that float16 holds as well as float32, so that equality is the question."""
    rng = np.random.default_rng(seed)
    patches = [PatchId(str(rng.choice(volumes)), seed, 0, 16 * i, 16, 16) for i in range(count)]
    columns = {f: rng.integers(-99, 99, (count, *width)).astype(np.float32) for f, width in WIDTHS.items()}
    return PoolFeatures(patches, columns)


def assert_holds(table: FeatureTable, parts: list[PoolFeatures]) -> None:
    found = table.features()
    assert list(found.patches) == [patch for part in parts for patch in part.patches]
    for feature in WIDTHS:
        expected = np.concatenate([part.column(feature) for part in parts])
        np.testing.assert_array_equal(found.column(feature), expected)
        assert found.column(feature).dtype == (np.float16 if feature is Feature.EMBEDDING else np.float32)


class Killed(BaseException):
    """What stands for SIGKILL where a whole process would take too long: nothing that comes after runs."""


@contextmanager
def killed_before(step: int) -> Iterator[None]:
    """Dies at the flush or rename number `step`, of those by which a write is made safe."""
    steps = iter(range(10**6))

    def counted(real: object) -> object:
        def call(*arguments: object) -> object:
            if next(steps) == step:
                raise Killed
            return real(*arguments)  # type: ignore[operator]

        return call

    with (
        mock.patch.object(os, "fsync", counted(os.fsync)),
        mock.patch.object(os, "replace", counted(os.replace)),
    ):
        yield


@settings(max_examples=25)  # each flushes to the disk
@given(st.integers(0, 8), sizes)
def test_what_was_added_is_there_when_it_is_opened_again(first: int, more: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = [made_up(count, seed) for seed, count in enumerate((first, *more))]
        table: FeatureTable | None = FeatureTable.create(Path(folder) / "t", ABOUT, VOLUMES, parts[0], ROOM)
        for i, part in enumerate(parts[1:], start=1):
            assert table is not None
            table.append(part, (10 * (i - 1), 10 * i))
            table = FeatureTable.open(Path(folder) / "t", ABOUT)
        assert table is not None
        assert_holds(table, parts)
        assert table.filled.looked_at == 10 * len(more)


@settings(max_examples=40)
@given(st.integers(0, 5), st.integers(1, 8), st.integers(1, 8))
def test_killed_at_any_moment_of_an_addition_it_has_all_of_it_or_none(
    step: int, lost: int, then: int
) -> None:
    """Five flushes and a rename; what was half written is written over by the next addition."""
    first, interrupted, following = made_up(4, 0), made_up(lost, 1), made_up(then, 2, ("second",))
    with tempfile.TemporaryDirectory() as folder:
        table = FeatureTable.create(Path(folder) / "t", ABOUT, VOLUMES, first, ROOM)
        with killed_before(step), pytest.raises(Killed):
            table.append(interrupted, (0, 1))
        again = FeatureTable.open(Path(folder) / "t", ABOUT)
        assert again is not None
        assert_holds(again, [first])
        assert again.filled.looked_at == 0
        again.append(following, (0, 2))
        assert_holds(again, [first, following])


def test_killed_while_it_is_made_there_is_none(tmp_path: Path) -> None:
    for step in range(6):
        with killed_before(step), pytest.raises(Killed):
            FeatureTable.create(tmp_path / "t", ABOUT, VOLUMES, made_up(3, 0), ROOM)
        assert FeatureTable.open(tmp_path / "t", ABOUT) is None
        assert read_filled(tmp_path / "t", ABOUT) is None


def test_only_the_table_that_is_meant_is_opened(tmp_path: Path) -> None:
    FeatureTable.create(tmp_path / "t", ABOUT, VOLUMES, made_up(3, 0), ROOM)
    assert FeatureTable.open(tmp_path / "t", ABOUT) is not None
    assert FeatureTable.open(tmp_path / "t", {**ABOUT, "round": 4}) is None
    assert FeatureTable.open(tmp_path / "other", ABOUT) is None


@pytest.mark.parametrize("file", ["about.json", "places.npy", "embedding.npy", "filled.json"])
@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_a_damaged_table_is_not_opened(tmp_path: Path, file: str, damage: str) -> None:
    FeatureTable.create(tmp_path / "t", ABOUT, VOLUMES, made_up(3, 0), ROOM)
    if damage == "gone":
        (tmp_path / "t" / file).unlink()
    else:
        (tmp_path / "t" / file).write_bytes((tmp_path / "t" / file).read_bytes()[:40])
    assert FeatureTable.open(tmp_path / "t", ABOUT) is None


def test_a_full_disk_is_an_error_and_leaves_the_table_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = FeatureTable.create(tmp_path / "t", ABOUT, VOLUMES, made_up(3, 0), ROOM)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        table.append(made_up(2, 1), (0, 1))
    assert_holds(table, [made_up(3, 0)])


def test_embeddings_too_large_for_half_precision_stay_finite(tmp_path: Path) -> None:
    huge = PoolFeatures(
        [PatchId("first", 0, 0, 0, 16, 16)], {Feature.EMBEDDING: np.array([[1e9, -1e9, 0.5]])}
    )
    table = FeatureTable.create(tmp_path / "t", ABOUT, VOLUMES, huge, 0)
    np.testing.assert_array_equal(table.features().column(Feature.EMBEDDING), [[65504, -65504, 0.5]])


def test_a_table_takes_no_more_space_than_its_rows(tmp_path: Path) -> None:
    first = made_up(3, 0)
    FeatureTable.create(tmp_path / "t", ABOUT, VOLUMES, first, 10**6)
    used = sum(path.stat().st_blocks * 512 for path in (tmp_path / "t").iterdir())
    assert used < 2**17
    assert sum(path.stat().st_size for path in (tmp_path / "t").glob("*.npy")) == pytest.approx(
        10**6 * row_bytes(first), rel=1e-3
    )
