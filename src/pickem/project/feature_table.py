"""Features of very many patches, on disk: a file a column, rows added at the end, read by mapping.

FOLDER/
  about.json       what the features are of; a table of anything else is not opened
  places.npy       (room, 6) int32: where each patch lies, as `PatchList` holds it
  entropy.npy …    (room, …) a row a patch: float32, embeddings as float16
  filled.json      how many rows there are; written after they are safe

The files have room for all rows from the beginning, as a hole that takes no space. What lies behind the rows
that filled.json counts is the rest of a write that was interrupted, and is written over. So a process may be
killed at any moment: it has added all of its last rows, or none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, JsonValue

from pickem.acquisition import Feature, PoolFeatures
from pickem.durable import storage_error, whole_folder, write_durably
from pickem.geometry import PatchList

HALF = frozenset({Feature.EMBEDDING})  # kept as float16: a picture of a patch, not a number to be ranked by
_PLACES = "places"

About = dict[str, JsonValue]
# Of candidates, in the order in which they are looked at: the first, and the one behind the last.
Run = tuple[int, int]


class Filled(BaseModel):
    """How far a table has been filled.

    drawn: rows with which it was made.
    rows: rows in it.
    looked_at, to_look_at: candidates that were looked at to find more, of how many in all.
    ranked: rows that there were when something was last chosen from them.
    unreadable: of what was looked at, what could not be read, from the first to the last.
    again: of what was looked at, what is to be looked at once more, before anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    drawn: int = 0
    rows: int = 0
    looked_at: int = 0
    to_look_at: int = 0
    ranked: int = 0
    unreadable: tuple[Run, ...] = ()
    again: tuple[Run, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all candidates were looked at."""
        return self.looked_at >= self.to_look_at and not self.again

    def block(self, most: int) -> Run:
        """What to look at next: up to `most` candidates."""
        start, stop = self.again[0] if self.again else (self.looked_at, self.to_look_at)
        return start, min(stop, start + most)

    def after(self, block: Run, rows: int, unreadable: Iterable[int]) -> Self:
        """As this, when a block was looked at and gave so many rows; `unreadable`: what could not be read."""
        runs = list(self.unreadable)
        for place in sorted(unreadable):
            start = runs.pop()[0] if runs and runs[-1][1] == place else place
            runs.append((start, place + 1))
        changes = {
            "rows": self.rows + rows,
            "looked_at": max(self.looked_at, block[1]),
            "unreadable": tuple(runs),
            "again": _behind(block, self.again),
        }
        return self.model_copy(update=changes)


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    about: About
    volumes: tuple[str, ...]
    columns: tuple[Feature, ...]


class FeatureTable:
    """The table in an existing folder. One process at a time may add to it.

    Raises ValueError or OSError where it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._header = _Header.model_validate_json((folder / "about.json").read_bytes())
        self._room = min(len(self._mapped(name)) for name in (_PLACES, *self._header.columns))
        self.filled = _read_filled(folder)

    @classmethod
    def create(
        cls, folder: Path, about: About, volumes: Sequence[str], first: PoolFeatures, to_look_at: int
    ) -> Self:
        """A new table for patches of `volumes`: those of `first`, with room for `to_look_at` more.

        In place of what was in `folder`, whole or not at all. Raises StorageError.
        """
        room = max(1, len(first) + to_look_at)  # an empty file cannot be mapped
        with whole_folder(folder) as building:
            try:
                building.mkdir()
                _make_file(building, _PLACES, (room, 6), np.dtype(np.int32))
                for feature, column in first.columns.items():
                    _make_file(building, feature, (room, *column.shape[1:]), _dtype(feature))
            except OSError as error:
                raise storage_error(folder, error) from error
            header = _Header(about=about, volumes=tuple(volumes), columns=tuple(sorted(first.columns)))
            write_durably(building / "about.json", header.model_dump_json().encode())
            empty = Filled(drawn=len(first), to_look_at=to_look_at)
            write_durably(building / "filled.json", empty.model_dump_json().encode())
            table = cls(building)
            table.append(first, (0, 0))
        return cls(folder)

    @classmethod
    def open(cls, folder: Path, about: About) -> Self | None:
        """The table in a folder; None where there is none, a damaged one, or one of something else."""
        try:
            table = cls(folder)
        except (OSError, ValueError):
            return None
        return table if table._header.about == about and table.filled.rows <= table._room else None

    def append(self, features: PoolFeatures, block: Run, unreadable: Iterable[int] = ()) -> None:
        """Add patches with the table's columns, of its volumes. On the disk when this returns.

        `block`: the candidates that were looked at to find them, and `unreadable` those of them that could
        not be read. Raises StorageError; the table then is as it was.
        """
        assert self.filled.rows + len(features) <= self._room
        self._write(_PLACES, self._places(PatchList.of(features.patches)))
        for feature, column in features.columns.items():
            self._write(feature, column)
        self._note(self.filled.after(block, len(features), unreadable))

    def mark_ranked(self) -> None:
        """Write down that something was chosen from all the rows there are now."""
        self._note(self.filled.model_copy(update={"ranked": self.filled.rows}))

    def try_again(self) -> None:
        """What could not be read is to be looked at once more. Raises StorageError."""
        again = (*self.filled.unreadable, *self.filled.again)
        if self.filled.unreadable:
            self._note(self.filled.model_copy(update={"unreadable": (), "again": again}))

    def features(self) -> PoolFeatures:
        """All rows, memory-mapped: nothing is read before it is asked for, save to look for NaN."""
        rows = self.filled.rows
        columns = {name: self._mapped(name)[:rows] for name in self._header.columns}
        return PoolFeatures(PatchList(self._header.volumes, self._mapped(_PLACES)[:rows]), columns)

    def _places(self, patches: PatchList) -> NDArray[np.int32]:
        """As this table counts its volumes."""
        numbers = np.array([self._header.volumes.index(name) for name in patches.volumes], np.int32)
        places = patches.places.copy()
        places[:, 0] = numbers[places[:, 0]]
        return places

    def _mapped(self, name: str) -> np.memmap[Any, Any]:
        mapped: np.memmap[Any, Any] = open_memmap(self._folder / f"{name}.npy", mode="r")
        return mapped

    def _write(self, name: str, values: NDArray[np.generic]) -> None:
        # Not through the mapping: a full disk would then be a signal that ends the process.
        mapped = self._mapped(name)
        if mapped.dtype == np.float16:
            values = np.clip(values, *_HALF_RANGE)
        data = np.ascontiguousarray(values, mapped.dtype).tobytes()
        row = mapped.nbytes // max(len(mapped), 1)
        path = self._folder / f"{name}.npy"
        try:
            with path.open("r+b") as file:
                file.seek(mapped.offset + self.filled.rows * row)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(path, error) from error

    def _note(self, filled: Filled) -> None:
        write_durably(self._folder / "filled.json", filled.model_dump_json().encode())
        self.filled = filled


def _behind(block: Run, runs: Sequence[Run]) -> tuple[Run, ...]:
    """What is left of runs when a block that the first of them begins with is done."""
    return tuple((max(start, block[1]), stop) for start, stop in runs if stop > block[1])


def read_filled(folder: Path, about: About) -> Filled | None:
    """How far the table in a folder has been filled; None where there is none, a damaged one, or one of
    something else."""
    try:
        header = _Header.model_validate_json((folder / "about.json").read_bytes())
        return _read_filled(folder) if header.about == about else None
    except (OSError, ValueError):
        return None


def _read_filled(folder: Path) -> Filled:
    return Filled.model_validate_json((folder / "filled.json").read_bytes())


def row_bytes(features: PoolFeatures) -> int:
    """What a patch with these columns takes in a table."""
    of_columns = (
        int(np.prod(column.shape[1:], dtype=np.int64)) * _dtype(feature).itemsize
        for feature, column in features.columns.items()
    )
    return PatchList.of([]).places.itemsize * 6 + sum(of_columns)


_HALF_RANGE = (-float(np.finfo(np.float16).max), float(np.finfo(np.float16).max))


def _dtype(feature: Feature) -> np.dtype[np.floating]:
    return np.dtype(np.float16 if feature in HALF else np.float32)


def _make_file(folder: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    open_memmap(folder / f"{name}.npy", mode="w+", dtype=dtype, shape=shape)  # sparse where that is known
