"""One run of a benchmark: a strategy and a seed, from the initial set to the last round.

Reads top to bottom as the experiment does. Each finished piece goes into the journal; a run started again
replays the journal and goes on with the first piece that is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pickem.acquisition import UNLABELLED, Selection
from pickem.benchmark.experiment import Experiment
from pickem.benchmark.journal import EvaluationRecord, PicksRecord, RunJournal, read_record, write_record
from pickem.benchmark.machine import cpu_name
from pickem.benchmark.start import start_pretrained
from pickem.benchmark.views import write_evaluation_view, write_picks_view
from pickem.learning import (
    ActiveLearner,
    Evaluation,
    Pool,
    annotation_seconds,
    correction_seconds,
    distinct_pixels,
)
from pickem.learning.round import Stage
from pickem.predictor import FitReport, gpu_name
from pickem.predictor.checkpoints import is_whole
from pickem.strategies import selecting

VIEW_AT = 120  # labelled patches: what the paper's Figure 3 shows
PICK_VIEWS = 4  # queries: what its Figure 4 shows


@dataclass(frozen=True)
class Progress:
    """Where a run stands, for whoever watches."""

    strategy: str
    seed: int
    round: int
    stage: Stage | None  # None: the round has just been evaluated
    done: int
    total: int
    jaccard: float | None  # of the last evaluated round
    replayed: bool = False  # the round was in the journal already
    again: bool = False  # … but not its weights: it is trained once more, so that a later one can go on


Watch = Callable[[Progress], None]


def run_strategy(
    experiment: Experiment, directory: Path, strategy: str, seed: int, rounds: int, watch: Watch
) -> None:
    """Do, or continue, the run of one strategy and seed up to `rounds` evaluations."""
    run = _Run(experiment, directory, strategy, seed, watch)
    run.start()
    for number in range(rounds):
        run.train_and_evaluate(number, last=number == rounds - 1)
        if number < rounds - 1:
            run.query(number)


class _Run:
    def __init__(
        self, experiment: Experiment, directory: Path, strategy: str, seed: int, watch: Watch
    ) -> None:
        self._experiment = experiment
        self._journal = RunJournal(run_folder(directory, strategy, seed))
        self._initial = initial_folder(directory, seed)
        self._name, self._seed, self._watch = strategy, seed, watch
        self._round = 0
        self._jaccard: float | None = None
        self._learner = self._new_learner()
        self._weights_of: int | None = None  # the round whose weights the predictor holds
        self._again: int | None = None  # the round that is being trained once more

    def start(self) -> None:
        """Label the initial set."""
        self._label_initial_set(self._learner)

    def train_and_evaluate(self, number: int, *, last: bool) -> None:
        """Piece one of a round: a trained network, its checkpoint, its scores."""
        self._round = number
        record = self._journal.evaluation(number)
        replayed = record is not None
        if record is None:
            record = self._first_round() if number == 0 else self._later_round(number)
            if last or len(self._learner.pool.labelled) == VIEW_AT:
                self._write_view(record)
            self._journal.write_evaluation(number, record)
        if number > 1:
            self._journal.forget_weights(number - 1)
        self._jaccard = record.jaccard
        self._watch(Progress(self._name, self._seed, number, None, 1, 1, record.jaccard, replayed))

    def query(self, number: int) -> None:
        """Piece two of a round: what to label next; then the oracle labels it."""
        record = self._journal.picks(number)
        if record is None:
            self._load_weights(number)
            started = time.perf_counter()
            with selecting(self._name):
                selection = self._learner.propose(self._experiment.profile.per_round)
            seconds = time.perf_counter() - started
            record = PicksRecord.of(selection, seconds, self._seconds_to_correct(selection))
            if number < PICK_VIEWS:
                path = self._journal.folder / "views" / f"picks-{number + 1}.npz"
                write_picks_view(path, self._learner.predictor, selection, self._experiment.train)
            self._journal.write_picks(number, record)
        self._label(self._learner, record, number)

    def _seconds_to_correct(self, selection: Selection) -> float:
        """A person's estimated seconds to turn the network's proposals for these patches into the truth."""
        patches, predictor = selection.patches, self._learner.predictor
        images = self._experiment.train.images(patches, predictor.context)
        proposals = predictor.predict_proba(images).argmax(axis=1).astype(np.uint8)
        truth = self._experiment.train.labels(patches)
        return sum(correction_seconds(p, t) for p, t in zip(proposals, truth, strict=True))

    def _first_round(self) -> EvaluationRecord:
        """The network of the initial set: the same for all strategies of a seed, so trained once."""
        weights, scores = self._initial / "weights.safetensors", self._initial / "evaluation.json"
        record = read_record(scores, EvaluationRecord)
        if record is None or not is_whole(weights):
            self._start(self._learner)
            record = self._train_and_score()
            self._learner.predictor.save(weights)
            write_record(scores, record)
            self._weights_of = 0
        else:
            self._load_weights(0)
        return record

    def _later_round(self, number: int) -> EvaluationRecord:
        if self._learner.pool.second_class_is_new:
            self._start_over(self._learner)
        else:
            self._load_weights(number - 1)
        record = self._train_and_score()
        self._learner.predictor.save(self._journal.weights(number))
        self._weights_of = number
        return record

    def _train_and_score(self) -> EvaluationRecord:
        started = time.perf_counter()
        fitted = self._learner.train()
        trained = time.perf_counter()
        scores = self._learner.evaluate(self._experiment.evaluation.loaded)
        evaluated = time.perf_counter()
        record = labelled_record(self._learner.pool, scores, fitted, trained - started, evaluated - trained)
        gpu = gpu_name(self._experiment.profile.device)
        return record.model_copy(update={"correction_seconds": self._seconds_spent(), "gpu": gpu})

    def _seconds_spent(self) -> float | None:
        """A person's estimated seconds so far: the initial set from scratch, then corrected proposals."""
        pool = self._learner.pool
        initial = [pool.label(patch).mask for patch in pool.labelled if pool.round_acquired(patch) == 0]
        corrected = [record.correction_seconds for record in self._journal.all_picks()[: pool.round]]
        if None in corrected:  # a journal begun by an earlier version
            return None
        return sum(map(annotation_seconds, initial)) + sum(seconds or 0 for seconds in corrected)

    def _load_weights(self, number: int) -> None:
        if self._weights_of == number:
            return
        path = self._initial / "weights.safetensors" if number == 0 else self._journal.weights(number)
        if not is_whole(path):
            self._train_again(number, path)
        self._learner.predictor.load_weights(path)
        self._weights_of = number

    def _train_again(self, number: int, path: Path) -> None:
        """Repeat the training of all rounds up to `number`, with the picks of the journal.

        Journals travel, weights often do not: so a run begun on one machine can be continued on another.
        """
        learner = self._new_learner()
        self._label_initial_set(learner)
        self._again = 0
        self._start(learner)
        learner.train()
        for earlier, record in enumerate(self._journal.all_picks()[:number]):
            self._label(learner, record, earlier)
            self._again = earlier + 1
            if learner.pool.second_class_is_new:
                self._start_over(learner)
            learner.train()
        self._again = None
        learner.predictor.save(path)

    def _start_over(self, learner: ActiveLearner) -> None:
        learner.predictor.start_over()
        self._start(learner)

    def _start(self, learner: ActiveLearner) -> None:
        progress = partial(self._report, "pretraining")
        start_pretrained(learner.predictor, self._experiment, self._initial, self._seed, progress)

    def _new_learner(self) -> ActiveLearner:
        experiment = self._experiment
        return ActiveLearner(
            experiment.predictor(self._seed),
            experiment.strategy(self._name),
            Pool(experiment.pool(self._seed)),
            experiment.train,
            experiment.oracle,
            experiment.profile.first,
            experiment.profile.following,
            self._seed,
            self._report,
        )

    def _label_initial_set(self, learner: ActiveLearner) -> None:
        initial = learner.pool.patches[: self._experiment.profile.initial]
        learner.commit(self._experiment.oracle.answer(initial), ranked_by=None)

    def _label(self, learner: ActiveLearner, record: PicksRecord, number: int) -> None:
        answers = self._experiment.oracle.answer([pick.patch for pick in record.picks])
        learner.commit(answers, ranked_by=f"round {number}")

    def _write_view(self, record: EvaluationRecord) -> None:
        path = self._journal.folder / "views" / f"evaluation-{record.labelled_patches:04d}.npz"
        write_evaluation_view(path, self._learner.predictor, self._experiment.evaluation, record.jaccard)

    def _report(self, stage: Stage, done: int, total: int) -> None:
        again = self._again is not None
        number = self._round if self._again is None else self._again
        self._watch(Progress(self._name, self._seed, number, stage, done, total, self._jaccard, again=again))


def run_folder(directory: Path, strategy: str, seed: int) -> Path:
    """The folder of one run inside a benchmark's folder."""
    return directory / "runs" / strategy / f"seed-{seed:03d}"


def initial_folder(directory: Path, seed: int) -> Path:
    """The folder of what all runs of a seed start from."""
    return directory / "initial" / f"seed-{seed:03d}"


def labelled_record(
    pool: Pool, scores: Evaluation, fitted: FitReport, train_seconds: float, evaluate_seconds: float
) -> EvaluationRecord:
    """The record of a network trained on the labelled patches of `pool`."""
    masks = pool.masks()
    known = masks[masks != UNLABELLED]
    return EvaluationRecord(
        labelled_patches=len(masks),
        labelled_pixels=distinct_pixels(pool.labelled),
        effort_seconds=sum(annotation_seconds(mask) for mask in masks),
        foreground_share=float(np.count_nonzero(known) / max(known.size, 1)),
        jaccard=scores.jaccard,
        jaccard_by_class=scores.jaccard_by_class,
        precision=scores.precision,
        recall=scores.recall,
        best_threshold=scores.best_threshold and scores.best_threshold.threshold,
        best_threshold_jaccard=scores.best_threshold and scores.best_threshold.jaccard,
        steps=fitted.steps,
        final_loss=fitted.final_loss,
        train_seconds=train_seconds,
        evaluate_seconds=evaluate_seconds,
        cpu=cpu_name(),
    )
