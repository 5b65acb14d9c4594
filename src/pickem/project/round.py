"""One turn of the loop for a project: train on what was painted, measure on the audit, rank what comes next.

Each part is stored whole before the next begins and asks the database whether it is due, so a trainer that
was killed at any moment goes on with the part it was in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Selection
from pickem.durable import remove_partial_files
from pickem.geometry import PatchId
from pickem.learning import ActiveLearner, Person, Pool, Purpose, confusion, stream
from pickem.learning.round import Stage
from pickem.predictor import NetworkPredictor
from pickem.project import rounds
from pickem.project.project import QUEUE, Project
from pickem.project.quality import write_quality
from pickem.project.rounds import Round
from pickem.strategies import strategy

Part = Literal["train", "measure", "rank"]
Progress = Callable[[Stage, int, int], None]
PROPOSALS_AT_ONCE = 16  # patches


def due(project: Project) -> Part | None:
    """What the trainer should do now; None = wait for labels."""
    store, settings = project.store, project.settings
    latest = rounds.latest_round(store)
    enough = settings.per_round if latest else settings.first_patches
    if rounds.is_under_way(store) or rounds.waiting_labels(store) >= enough:
        return "train"
    if latest is None:
        return None
    if not latest.ranked:
        return "rank"
    if len(store.submitted("audit")) > rounds.audited_patches(store, latest.number):
        return "measure"
    few = max(1, settings.per_round // 2)
    return "rank" if len(store.queue()) < few <= store.queue_length() else None


class Learning:
    """The trainer's hands: a network, kept between the parts of a round."""

    def __init__(self, project: Project, predictor: NetworkPredictor, progress: Progress) -> None:
        self._project = project
        self._predictor = predictor
        self._progress = progress
        self._holds: int | None = None  # the round whose weights the predictor holds

    def do(self, part: Part) -> None:
        """Do one part of a round."""
        {"train": self.train, "measure": self.measure, "rank": self.rank}[part]()

    def train(self) -> None:
        """Fit the network to all labels, from the weights of the round before."""
        project = self._project
        remove_partial_files(project.checkpoints)  # of a trainer that was killed; there is one at a time
        at = rounds.begin_round(project.store)
        latest = rounds.latest_round(project.store)
        if latest:
            self._load(latest)
        started = time.perf_counter()
        fitted = self._learner(rounds.labels_of(project.store, at), candidates=[]).train()
        name = f"round-{at.number:04d}.safetensors"
        self._predictor.save(project.checkpoints / name)
        rounds.finish_round(project.store, at.number, name, fitted.final_loss, time.perf_counter() - started)
        self._holds = at.number
        self._forget_checkpoints(before=at.number - 1)

    def measure(self) -> None:
        """Count what the newest network gets right on the painted audit patches."""
        project, latest = self._project, self._newest()
        counts = {}
        painted = project.store.submitted("audit")
        for done, (stored, mask) in enumerate(painted.items(), start=1):
            probability = self._predictor.predict_proba(project.images.images([stored.patch]))[0]
            table = confusion(mask, probability.argmax(axis=0), self._predictor.classes)
            hit, truth, predicted = np.diag(table), table.sum(axis=1), table.sum(axis=0)
            counts[stored.id] = np.stack([hit, truth, predicted], axis=1)[1:]
            self._progress("evaluating", done, len(painted))
        with project.store.change():
            rounds.write_audit(project.store, latest.number, counts)
            write_quality(project.store, latest.number)

    def rank(self) -> None:
        """Let the strategy pick what to label next, and draw the network's proposals for it."""
        project, latest = self._project, self._newest()
        rng = stream(project.settings.seed, Purpose.POOL, latest.number + 1)
        drawn = project.draw(project.settings.pool, rng)
        labels = rounds.labels_of(project.store, latest)
        gone = set(project.store.answered()) - labels.keys()  # skipped, or submitted since the round began
        learner = self._learner(labels, [patch for patch in drawn if patch not in gone])
        k = min(QUEUE * project.settings.per_round, len(learner.pool.unlabelled))
        selection = learner.propose(k) if k else Selection((), (), ())
        proposals: dict[PatchId, NDArray[np.uint8]] = {}
        for start in range(0, k, PROPOSALS_AT_ONCE):
            part = selection.patches[start : start + PROPOSALS_AT_ONCE]
            predicted = self._predictor.predict_proba(project.images.images(part)).argmax(axis=1)
            proposals |= dict(zip(part, predicted.astype(np.uint8), strict=True))
        with project.store.change():
            project.store.replace_queue(selection, latest.number, proposals)
            rounds.mark_ranked(project.store, latest.number)

    def _learner(self, labels: rounds.Labels, candidates: list[PatchId]) -> ActiveLearner:
        settings = self._project.settings
        drawn = set(candidates)
        pool = Pool([*(patch for patch in labels if patch not in drawn), *candidates])
        for number in sorted({learned for _, learned in labels.values()}):
            masks = {patch: mask for patch, (mask, learned) in labels.items() if learned == number}
            pool.store(masks, number, ranked_by=None)
        return ActiveLearner(
            self._predictor,
            strategy(settings.strategy),
            pool,
            self._project.images,
            Person(),
            settings.recipe.first,
            settings.recipe.following,
            settings.seed,
            self._progress,
        )

    def _newest(self) -> Round:
        latest = rounds.latest_round(self._project.store)
        assert latest is not None  # by `due`
        self._load(latest)
        return latest

    def _load(self, at: Round) -> None:
        if self._holds != at.number:
            assert at.checkpoint is not None  # finished
            self._predictor.load_weights(self._project.checkpoints / at.checkpoint)
            self._holds = at.number

    def _forget_checkpoints(self, before: int) -> None:
        for path in self._project.checkpoints.glob("round-*"):
            if int(path.name.removeprefix("round-")[:4]) < before:
                path.unlink()
