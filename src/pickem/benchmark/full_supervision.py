"""The upper lines of the learning curves: training with all labels of the training volume.

full-matched     as many optimiser steps as one run of the benchmark takes in all its rounds
full-converged   as many as still help: the steps are doubled on `dev` until the Jaccard there gains less
                 than the profile's `least_gain`; the network is then trained so long on the whole
                 training volume

Whoever doubles the steps goes on with the network of before, in a further stage with an optimiser of its own:

    stage     0          1          2                    3
              ├──────────┼──────────┼────────────────────┼──── …
    steps     s          2s         4s                   8s
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from pickem.acquisition import UNLABELLED
from pickem.benchmark.experiment import Experiment
from pickem.benchmark.journal import EvaluationRecord, RunJournal, read_record, write_record
from pickem.benchmark.machine import cpu_name
from pickem.benchmark.profile import FullSupervision, Profile
from pickem.benchmark.run import Progress, Watch, initial_folder, run_folder
from pickem.benchmark.start import start_pretrained
from pickem.benchmark.views import write_evaluation_view
from pickem.geometry import PatchId
from pickem.learning import Evaluation, Purpose, Regions, distinct_pixels, evaluate, stream
from pickem.learning.round import Stage
from pickem.learning.surroundings import labels_with_context
from pickem.predictor import FitReport, NetworkPredictor, Phase, gpu_name
from pickem.predictor.checkpoints import is_whole, remove_checkpoint

MATCHED, CONVERGED = "full-matched", "full-converged"
FULL_SUPERVISION = (MATCHED, CONVERGED)


class Budget(BaseModel):
    """Optimiser steps tried on `dev` and the Jaccard reached with each, fewest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[int, ...] = ()
    jaccard: tuple[float, ...] = ()

    def converged(self, least_gain: float, most_doublings: int) -> int | None:
        """The steps that are enough; None where more should be tried."""
        if len(self.steps) >= 2 and self.jaccard[-1] - self.jaccard[-2] < least_gain:
            return self.steps[-2]
        return self.steps[-1] if len(self.steps) > most_doublings else None


@dataclass(frozen=True)
class RegionTrainingSet:
    """A TrainingSet that cuts its patches from regions in memory when a batch asks for them."""

    regions: Regions
    patches: Sequence[PatchId]
    context: int
    has_foreground: NDArray[np.bool_]

    @classmethod
    def of(cls, experiment: Experiment) -> RegionTrainingSet:
        """All of the experiment's training volume."""
        patches = experiment.everything()
        labels = (experiment.train.labels([patch]) for patch in patches)
        foreground = [bool(((mask > 0) & (mask != UNLABELLED)).any()) for mask in labels]
        context = experiment.profile.training.context
        return cls(experiment.train, patches, context, np.array(foreground, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.patches)

    def gather(self, indices: NDArray[np.intp]) -> tuple[NDArray[np.generic], NDArray[np.uint8]]:
        """See TrainingSet."""
        chosen = [self.patches[i] for i in indices]
        images = self.regions.images(chosen, self.context)
        return images, labels_with_context(self.regions.labels(chosen), self.context)


def matched_steps(profile: Profile, rounds: int) -> int:
    """Optimiser steps of a whole run of `rounds` rounds."""
    return sum(_phase_steps(profile, number) for number in range(rounds))


def stages(first: int, steps: int) -> list[int]:
    """The lengths of the stages in which `steps` are reached by doubling `first`: s, s, 2s, 4s …"""
    lengths = [first]
    while sum(lengths) < steps:
        lengths.append(sum(lengths))
    return lengths


def run_full_supervision(
    experiment: Experiment,
    load_dev: Callable[[], Experiment],
    directory: Path,
    kind: str,
    seed: int,
    rounds: int,
    watch: Watch,
) -> None:
    """Do, or continue, one full-supervision run; `load_dev` gives the experiment on the dev split."""
    journal = RunJournal(run_folder(directory, kind, seed))
    teller = _Teller(kind, seed, watch)
    first = steps = matched_steps(experiment.profile, rounds)
    if kind == CONVERGED:
        tried = directory / "initial" / "converged-steps.json"
        steps = _enough_steps(load_dev, experiment.profile.full_supervision, tried, first, teller)
    record = journal.evaluation(0)
    replayed = record is not None and record.steps == steps
    if record is None or not replayed:
        initial = initial_folder(directory, seed)
        record = _train_on_everything(experiment, journal, stages(first, steps), seed, initial, teller)
    watch(Progress(kind, seed, 0, None, 1, 1, record.jaccard, replayed))


def _train_on_everything(
    experiment: Experiment,
    journal: RunJournal,
    lengths: Sequence[int],
    seed: int,
    initial: Path,
    teller: _Teller,
) -> EvaluationRecord:
    patches = RegionTrainingSet.of(experiment)
    predictor = _start(experiment, seed, initial, teller)
    started = time.perf_counter()  # after pretraining, which belongs to the seed and has a record of its own
    for stage in range(len(lengths)):
        fitted = _fit(predictor, experiment, patches, lengths, stage, seed, teller)
    trained = time.perf_counter()
    scores = _scores(experiment, predictor, teller)
    evaluated = time.perf_counter()
    labels = np.concatenate([region.labels.ravel() for region in experiment.train.loaded])
    known = labels[labels != UNLABELLED]
    record = EvaluationRecord(
        labelled_patches=None,
        labelled_pixels=distinct_pixels(patches.patches),
        effort_seconds=None,
        foreground_share=float(np.count_nonzero(known) / max(known.size, 1)),
        jaccard=scores.jaccard,
        jaccard_by_class=scores.jaccard_by_class,
        precision=scores.precision,
        recall=scores.recall,
        best_threshold=scores.best_threshold and scores.best_threshold.threshold,
        best_threshold_jaccard=scores.best_threshold and scores.best_threshold.jaccard,
        steps=sum(lengths),
        final_loss=fitted.final_loss,
        train_seconds=trained - started,
        evaluate_seconds=evaluated - trained,
        cpu=cpu_name(),
        gpu=gpu_name(experiment.profile.device),
    )
    view = journal.folder / "views" / "evaluation-full.npz"
    write_evaluation_view(view, predictor, experiment.evaluation, scores.jaccard)
    journal.write_evaluation(0, record)
    return record


def _enough_steps(
    load_dev: Callable[[], Experiment], settings: FullSupervision, path: Path, start: int, teller: _Teller
) -> int:
    """Search on dev with the seed 0, once for all seeds; each step count tried is recorded in `path`."""
    budget = read_record(path, Budget) or Budget()
    if budget.steps and budget.steps[0] != start:
        budget = Budget()
    if (enough := budget.converged(settings.least_gain, settings.most_doublings)) is not None:
        return enough
    search = _Search(load_dev(), path.parent / "dev", teller)
    search.catch_up(budget.steps)
    while (enough := budget.converged(settings.least_gain, settings.most_doublings)) is None:
        steps = budget.steps[-1] * 2 if budget.steps else start
        jaccard = search.go_on(start, steps)
        budget = Budget(steps=(*budget.steps, steps), jaccard=(*budget.jaccard, jaccard))
        write_record(path, budget)
        search.forget(budget.steps[:-1])
    return enough


class _Search:
    """A network that learns from all labels of the dev split, stage by stage, kept after each."""

    def __init__(self, experiment: Experiment, folder: Path, teller: _Teller) -> None:
        self._experiment, self._folder, self._teller = experiment, folder, teller
        self._patches = RegionTrainingSet.of(experiment)
        self._predictor = _start(experiment, 0, folder, teller)

    def catch_up(self, steps: Sequence[int]) -> None:
        """Bring the network to the last of the numbers of steps that were tried already."""
        if not steps:
            return
        if is_whole(self._weights(steps[-1])):
            self._predictor.load_weights(self._weights(steps[-1]))
            return
        lengths = stages(steps[0], steps[-1])
        for stage in range(len(lengths)):
            self._fit(lengths, stage)

    def go_on(self, start: int, steps: int) -> float:
        """Train the stage that ends with so many steps; the Jaccard there."""
        lengths = stages(start, steps)
        self._fit(lengths, len(lengths) - 1)
        self._predictor.save(self._weights(steps))
        return _scores(self._experiment, self._predictor, self._teller).jaccard

    def forget(self, steps: Sequence[int]) -> None:
        """Delete the weights of earlier stages."""
        for number in steps:
            remove_checkpoint(self._weights(number))

    def _fit(self, lengths: Sequence[int], stage: int) -> None:
        _fit(self._predictor, self._experiment, self._patches, lengths, stage, 0, self._teller)

    def _weights(self, steps: int) -> Path:
        return self._folder / f"weights-{steps}.safetensors"


def _start(experiment: Experiment, seed: int, initial: Path, teller: _Teller) -> NetworkPredictor:
    predictor = experiment.predictor(seed)
    start_pretrained(predictor, experiment, initial, seed, teller.stage("pretraining"))
    return predictor


def _fit(
    predictor: NetworkPredictor,
    experiment: Experiment,
    patches: RegionTrainingSet,
    lengths: Sequence[int],
    stage: int,
    seed: int,
    teller: _Teller,
) -> FitReport:
    first = experiment.profile.first
    phase = Phase(learning_rate=first.learning_rate, steps=lengths[stage], schedule=first.schedule)
    tell = teller.training(sum(lengths[:stage]), sum(lengths))
    return predictor.fit(patches, phase, stream(seed, Purpose.TRAIN, stage), tell)


def _scores(experiment: Experiment, predictor: NetworkPredictor, teller: _Teller) -> Evaluation:
    return evaluate(predictor, experiment.evaluation.loaded, teller.stage("evaluating"))


def _phase_steps(profile: Profile, number: int) -> int:
    phase = profile.first if number == 0 else profile.following
    if phase.steps is not None:
        return phase.steps
    epochs = phase.epochs or 0  # Phase has one of the two
    return epochs * -(-profile.labelled(number) // profile.training.batch_size)


@dataclass(frozen=True)
class _Teller:
    kind: str
    seed: int
    watch: Watch

    def stage(self, stage: Stage) -> Callable[[int, int], None]:
        return lambda done, total: self._tell(stage, done, total)

    def training(self, before: int, whole: int) -> Callable[[int, int], None]:
        """For one of several stages: how far all of them are, `before` steps of the `whole` being done."""
        return lambda done, _: self._tell("training", before + done, whole)

    def _tell(self, stage: Stage, done: int, total: int) -> None:
        self.watch(Progress(self.kind, self.seed, 0, stage, done, total, None))
