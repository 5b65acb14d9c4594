"""Runs that are the same by another profile, which balances batches otherwise, carried over to its folder.

    python -m benchmarks.carry_over docs/results/vnc-auto-unbalanced docs/results/vnc-auto auto \\
        random-foreground:0 random-foreground:4

Batches of at least half foreground are drawn as any others where half of the labelled patches show some, and
as balanced ones where fewer do. So a run in which it was the same throughout need not be done again: its
batches are drawn here with both settings, from what was labelled in each round, and have to be the same.
Journals are copied, and the new folder's tables written from what is there; `pickem benchmark` goes on in it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.benchmark.configuration import Configuration, read_configuration
from pickem.benchmark.experiment import Experiment, load_experiment
from pickem.benchmark.full_supervision import FULL_SUPERVISION
from pickem.benchmark.journal import RunJournal
from pickem.benchmark.profile import Profile, load_profile
from pickem.benchmark.run import initial_folder, run_folder
from pickem.benchmark.tables import write_tables
from pickem.datasets import open_dataset
from pickem.geometry import PatchId
from pickem.predictor import ArrayTrainingSet
from pickem.predictor.training_set import Balance, batches

COMPARED = 20  # batches of a round


def main() -> None:
    """Check the runs and copy their journals."""
    options = _options()
    configuration = read_configuration(options.source)
    if configuration is None:
        sys.exit(f"{options.source} holds no benchmark")
    old, new = configuration.settings.training, _settings(configuration, options.profile).training
    experiment = load_experiment(
        open_dataset(configuration.dataset), configuration.split, configuration.settings
    )
    runs = [(strategy, int(seed)) for strategy, seed in (run.split(":") for run in options.runs)]
    for strategy, seed in runs:
        for number, shown in enumerate(_labelled(experiment, options.source, strategy, seed)):
            if not same_batches(shown, old.batch_size, old.balance, new.balance):
                sys.exit(f"{strategy}, seed {seed}: round {number} is trained in other batches")
    _write_settings(configuration, options.profile, runs, options.target)
    for strategy, seed in runs:
        _copy(options.source, options.target, strategy, seed)
        print(f"{strategy}, seed {seed}: the same run")
    written = read_configuration(options.target)
    assert written is not None  # by _write_settings
    write_tables(options.target, written)


def same_batches(shown: NDArray[np.bool_], batch_size: int, one: Balance, other: Balance) -> bool:
    """Whether patches of which those `shown` (n,) have foreground come in the same batches either way."""
    labels = shown[:, None, None].astype(np.uint8)
    patches = ArrayTrainingSet(np.zeros(labels.shape, np.uint8), labels)
    first, second = (
        np.stack([*islice(batches(patches, batch_size, balance, np.random.default_rng(0)), COMPARED)])
        for balance in (one, other)
    )
    return bool(np.array_equal(first, second))


def _labelled(experiment: Experiment, folder: Path, strategy: str, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Of what each round of a run learned from: which patches show foreground."""
    if strategy in FULL_SUPERVISION:
        patches = experiment.everything()
    else:
        patches = experiment.pool(seed)[: experiment.profile.initial]
    yield _shown(experiment, patches)
    for record in RunJournal(run_folder(folder, strategy, seed)).all_picks():
        patches = [*patches, *(pick.patch for pick in record.picks)]
        yield _shown(experiment, patches)


def _shown(experiment: Experiment, patches: list[PatchId]) -> NDArray[np.bool_]:
    labels = experiment.train.labels(patches)
    return ArrayTrainingSet(np.zeros(labels.shape, np.uint8), labels).has_foreground


def _settings(configuration: Configuration, profile: str) -> Profile:
    """Those of the other profile, as it would be run here; they may differ in the balance alone."""
    own, named = configuration.settings, load_profile(profile)
    kept = ("device", "precision", "threads", "rounds", "full_supervision")
    other = named.model_copy(update={name: getattr(own, name) for name in kept})
    about = {"name": other.name, "about": other.about}
    balance = {"training": own.training.model_copy(update={"balance": other.training.balance})}
    if own.model_copy(update=about | balance) != other:
        sys.exit(f"{profile} differs from {own.name} in more than how it balances batches")
    return other


def _write_settings(
    configuration: Configuration, profile: str, runs: list[tuple[str, int]], target: Path
) -> None:
    """Those of the new folder, or what is there already with these runs."""
    settings = _settings(configuration, profile)
    strategies = tuple(dict.fromkeys(strategy for strategy, _ in runs))
    changed = {"settings": settings, "profile": settings.name, "strategies": strategies}
    new = configuration.model_copy(update=changed)
    if there := read_configuration(target):
        new = new.merged_with(there, target)
    target.mkdir(parents=True, exist_ok=True)
    new.write(target)


def _copy(source: Path, target: Path, strategy: str, seed: int) -> None:
    """The journal of a run, and what the first network of its seed scored; no weights."""
    for folder in (run_folder(source, strategy, seed), initial_folder(source, seed)):
        shutil.copytree(
            folder,
            target / folder.relative_to(source),
            ignore=shutil.ignore_patterns("weights*"),
            dirs_exist_ok=True,
        )


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument("source", type=Path)
    made.add_argument("target", type=Path)
    made.add_argument("profile")
    made.add_argument("runs", nargs="+", metavar="STRATEGY:SEED")
    return made.parse_args()


if __name__ == "__main__":
    main()
