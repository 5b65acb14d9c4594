"""What a report reads of a folder of runs: `run.toml` and `results.csv`. Writes nothing.

Runs may be incomplete: whatever rounds are there are read.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pickem.benchmark.configuration import REMEDY
from pickem.errors import JournalError, NoResultsError, StorageError

FULL_SUPERVISION = ("full-converged", "full-matched")
_CLASS_COLUMN = "jaccard_"
_NEEDED = ("strategy", "seed", "round", "labelled_patches", "labelled_pixels", "effort_seconds", "jaccard")


@dataclass(frozen=True)
class RunDescription:
    """What `run.toml` says of the runs; everything but the dataset may be absent, and is then empty."""

    dataset: str
    split: str
    profile: str
    annotation: str
    seeds: tuple[int, ...]
    strategies: tuple[str, ...]
    rounds: int | None
    nm_per_pixel: float | None  # along x; None where the dataset does not say
    tables: Mapping[str, Mapping[str, Any]]  # [settings …], [machines 1], … as they stand


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One row of `results.csv`: the scores of one network on the whole evaluated split."""

    strategy: str
    seed: int
    round: int
    labelled_patches: int | None  # None = all labels of the training volume
    labelled_pixels: int  # distinct
    effort_seconds: float | None
    jaccard: float  # mean over foreground classes
    jaccard_by_class: tuple[float, ...]  # NaN where a class is absent from the split


@dataclass(frozen=True)
class Results:
    """All that `run.toml` and `results.csv` of a folder say; at least one evaluation."""

    directory: Path
    run: RunDescription
    classes: tuple[str, ...]  # foreground classes, in the order of Evaluation.jaccard_by_class
    evaluations: tuple[Evaluation, ...]

    @property
    def full_supervision(self) -> Mapping[str, tuple[Evaluation, ...]]:
        """Evaluations of the networks trained on all labels, by name; only names that are there."""
        found = {
            name: tuple(row for row in self.evaluations if row.strategy == name) for name in FULL_SUPERVISION
        }
        return MappingProxyType({name: rows for name, rows in found.items() if rows})


def read_results(directory: Path) -> Results:
    """Read the results of a benchmark.

    Raises NoResultsError where the folder is missing, empty or holds no finished round, StorageError where it
    is a file, and JournalError where `run.toml` or `results.csv` is damaged.
    """
    _check_folder(directory)
    table = directory / "results.csv"
    classes, evaluations = _read_table(table)
    if not evaluations:
        raise _no_results(directory, "results.csv has no finished round")
    return Results(directory, _read_description(directory / "run.toml"), classes, evaluations)


def _check_folder(directory: Path) -> None:
    if not directory.exists():
        raise _no_results(directory, "no such folder")
    if not directory.is_dir():
        raise StorageError(
            "A report is made from the folder of a benchmark; this is a file.",
            got=str(directory),
            expected="the folder given to `pickem benchmark … --out`",
        )
    if not (directory / "results.csv").is_file():
        raise _no_results(directory, "no results.csv in it")


def _no_results(directory: Path, found: str) -> NoResultsError:
    return NoResultsError(
        "There are no results to report.",
        got=f"{directory}: {found}",
        expected="a folder in which at least one round of a benchmark has finished",
        todo=f"run one first: pickem benchmark demo --profile demo --out {directory}",
    )


def _read_description(path: Path) -> RunDescription:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        dataset = str(content["dataset"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise JournalError(
            "The description of the runs cannot be read.",
            got=f"{path}: {'no key ' if isinstance(error, KeyError) else ''}{error}",
            expected="the run.toml that `pickem benchmark` writes",
            todo=REMEDY,
        ) from error
    seeds, rounds = content.get("seeds", ()), content.get("rounds")
    return RunDescription(
        dataset=dataset,
        split=str(content.get("split", "")),
        profile=str(content.get("profile", "")),
        annotation=str(content.get("annotation", "")),
        seeds=tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds),
        strategies=tuple(str(name) for name in content.get("strategies", ())),
        rounds=rounds if isinstance(rounds, int) else None,
        nm_per_pixel=_nm_per_pixel(content.get("voxel_size")),
        tables=_tables(content),
    )


def _tables(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tables of a TOML file by name, those of an array of tables numbered from 1."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found[key] = value
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found |= {f"{key} {number}": table for number, table in enumerate(value, start=1)}
    return found


def _nm_per_pixel(voxel_size: object) -> float | None:
    """Of (z, y, x) in nm; None for what is no such thing."""
    match voxel_size:
        case [_, _, int() | float() as x] if x > 0:
            return float(x)
        case _:
            return None


def _read_table(path: Path) -> tuple[tuple[str, ...], tuple[Evaluation, ...]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or ()
            missing = [name for name in _NEEDED if name not in columns]
            if missing:
                raise _damaged(path, 1, f"no column {', '.join(missing)}")
            classes = tuple(name.removeprefix(_CLASS_COLUMN) for name in columns if _is_class(name))
            rows = tuple(_parse_row(path, reader.line_num, row, classes) for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path, None, str(error)) from error
    seen: set[tuple[str, int, int]] = set()
    for row in rows:
        key = (row.strategy, row.seed, row.round)
        if key in seen:
            raise _damaged(path, None, f"two rows for {row.strategy}, seed {row.seed}, round {row.round}")
        seen.add(key)
    return classes, rows


def _is_class(column: str) -> bool:
    return column.startswith(_CLASS_COLUMN)


def _parse_row(path: Path, line: int, row: Mapping[str, str | None], classes: tuple[str, ...]) -> Evaluation:
    def cell(column: str, convert: Callable[[str], Value]) -> Value:
        text = row[column]
        try:
            if text is None:
                raise ValueError("the row ends before this column")
            return convert(text)
        except ValueError as error:
            raise _damaged(path, line, f"column {column}: {error}") from error

    strategy = cell("strategy", str)
    full = strategy in FULL_SUPERVISION
    return Evaluation(
        strategy=strategy,
        seed=cell("seed", int),
        round=cell("round", _integer_or_none) or 0,
        labelled_patches=None if full else cell("labelled_patches", int),
        labelled_pixels=cell("labelled_pixels", int),
        effort_seconds=cell("effort_seconds", _number_or_none),
        jaccard=cell("jaccard", _share),
        jaccard_by_class=tuple(cell(_CLASS_COLUMN + name, _share_or_nan) for name in classes),
    )


Value = TypeVar("Value")


def _integer_or_none(text: str) -> int | None:
    return int(text) if text else None


def _number_or_none(text: str) -> float | None:
    return float(text) if text else None


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(f"{text} is not a number from 0 to 1")
    return value


def _share_or_nan(text: str) -> float:
    return _share(text) if text not in ("", "nan") else math.nan


def _damaged(path: Path, line: int | None, found: str) -> JournalError:
    return JournalError(
        "The table of results is damaged.",
        got=f"{path}{f', line {line}' if line else ''}: {found}",
        expected="the results.csv that `pickem benchmark` writes",
        todo="start the same benchmark command again: it writes the table anew from the finished rounds",
    )
