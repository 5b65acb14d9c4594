"""A candidate: a profile with some settings changed, on a fold of a dataset, with a seed.

What the programs share that try one: its options on the command line, and the table that its rows go to.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.folds import FOLDS, Fold, load_fold
from pickem.benchmark.experiment import Experiment
from pickem.benchmark.profile import Profile, change_profile, load_profile
from pickem.predictor import keep_freed_memory, use_threads


@dataclass(frozen=True)
class Candidate:
    """What the options say."""

    name: str
    profile: Profile
    changes: dict[str, str]
    dataset: str
    fold: Fold
    seed: int
    scratch: Path

    @property
    def folder(self) -> Path:
        """Where the journals of its runs lie."""
        return self.scratch / f"{self.name}-{self.dataset}-{self.fold}"

    def load(self) -> Experiment:
        """Its experiment, in memory."""
        return load_fold(self.dataset, self.fold, self.profile)


def parser(about: str | None, scratch: str) -> argparse.ArgumentParser:
    """A command line that describes a candidate; `scratch` says what its folder is for."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument("name")
    made.add_argument("dataset")
    made.add_argument("--profile", default="auto")
    made.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE")
    made.add_argument("--fold", choices=FOLDS, default="dev")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--scratch", default="out", help=scratch)
    return made


def candidate_of(options: argparse.Namespace) -> Candidate:
    """The candidate that the command line describes, in bf16 where it says nothing else."""
    use_threads(options.threads)
    keep_freed_memory()
    changes = dict(pair.split("=", 1) for pair in options.set)
    profile = changed(load_profile(options.profile), {"precision": "bf16", **changes})
    place = (options.dataset, options.fold, options.seed, Path(options.scratch))
    return Candidate(options.name, profile, changes, *place)


def changed(profile: Profile, changes: dict[str, str]) -> Profile:
    """The profile with settings replaced: "training.context" → "32", values as JSON or plain text."""
    settings: dict[str, Any] = profile.model_dump()
    for path, value in changes.items():
        *sections, name = path.split(".")
        place = settings
        for section in sections:
            place = place[section]
        try:
            place[name] = json.loads(value)
        except json.JSONDecodeError:
            place[name] = value
    return change_profile(profile, **settings)


def append(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Add rows to a CSV file that are not there yet: a run that was continued had some of them before.

    Two rows that differ in nothing but `train_s` are the same, made twice.
    """
    known: list[list[str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            known = list(csv.reader(file))
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not known:
            writer.writerow(columns)
        told_apart_by = [i for i, name in enumerate(columns) if name != "train_s"]
        there = {tuple(row[i] for i in told_apart_by) for row in known}
        writer.writerows(row for row in rows if tuple(str(row[i]) for i in told_apart_by) not in there)
