"""One turn of the loop for a project: train on what was painted, measure on the audit, rank what comes next.

Before the first turn, while its patches are being labelled, the network is pretrained without labels.

With nothing more urgent to do, earlier networks are measured as well, on the audit masks that are new to
them, one network at a time, the newest first. So the course of the quality is that of all networks on the
same masks, a corrected mask counts at once, and what the last labels gained is a difference on the same
patches. And then, for a person's sake, the newest one looks at more and more of the volume (`survey`).

A network that is lost, its files damaged or gone, is given up and told once. Where it was the newest, a round
of training on the labels that are there is due: they are the truth, and networks come from them.

Labels that are the first to show a second class are learned by a network that starts over, whatever the one
before it had learned.

Each part is stored whole before the next begins and asks the database whether it is due, so a trainer that
was killed at any moment goes on with the part it was in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import Selection, Strategy
from pickem.durable import remove_partial_files
from pickem.errors import CheckpointError, VolumeError
from pickem.geometry import PatchId
from pickem.learning import ActiveLearner, Person, Pool, Purpose, confusion, stream
from pickem.learning.exploring import exploring
from pickem.learning.round import Stage
from pickem.predictor import NetworkPredictor, Phase
from pickem.predictor.checkpoints import is_whole
from pickem.project import rounds
from pickem.project.leases import at_work
from pickem.project.patch_predictions import predict_patches
from pickem.project.project import QUEUE, Project
from pickem.project.quality import write_quality
from pickem.project.rounds import Round
from pickem.project.start import (
    Annotator,
    labels_are_waiting,
    pretrain_on_volumes,
    pretraining_is_due,
    start_pretrained,
)
from pickem.project.store import Store
from pickem.project.survey import Survey, next_step
from pickem.project.uncertainty import uncertainty, write_uncertainties
from pickem.project.unreadable import Unreadable
from pickem.strategies import selecting
from pickem.strategies.look_alikes import WithoutLookAlikes

Part = Literal["pretrain", "train", "measure", "rank", "pick", "survey"]
Progress = Callable[[Stage, int, int], None]
T = TypeVar("T")
PROPOSALS_AT_ONCE = 16  # patches
KEPT_NETWORKS = 2  # the newest ones are kept in any case: the last, and the one before it
KEPT_BYTES = 2**28  # of checkpoints: some 500 of the default network's; beyond that the oldest are deleted


def due(project: Project, annotator: Annotator = "simulated") -> Part | None:
    """What the trainer should do now; None = wait for labels."""
    store, settings = project.store, project.settings
    latest = rounds.latest_round(store)
    if latest and not _is_there(project, latest):
        if store.count("query", "submitted"):
            return "train"
        latest = None
    enough = settings.per_round if latest else settings.first_patches
    few = max(1, settings.per_round // 2)
    runs_dry = len(store.queue()) < few <= store.queue_length()
    if not latest and runs_dry:
        return "pick"
    if pretraining_is_due(project, annotator):
        return "pretrain"
    if rounds.is_under_way(store) or rounds.waiting_labels(store) >= enough:
        return "train"
    if not latest:
        return None
    survey = next_step(project, latest)
    if runs_dry or not latest.ranked or survey == "rank":
        return "rank"
    if _to_measure(project):
        return "measure"
    return "survey" if survey and annotator == "person" else None


class Learning:
    """The trainer's hands: a network, kept between the parts of a round.

    annotator: a person is not kept waiting for the end of pretraining.

    What the volumes do not give is left out, and told in `unreadable`. Where they give nothing of what a part
    needs, that part raises the VolumeError.
    """

    def __init__(
        self,
        project: Project,
        predictor: NetworkPredictor,
        progress: Progress,
        annotator: Annotator = "simulated",
    ) -> None:
        self._project = project
        self._predictor = predictor
        self._progress = progress
        self._annotator = annotator
        self.unreadable = Unreadable(project.images, project.store, project.sections)
        self._holds: int | None = None  # the round whose weights the predictor holds
        self._looking: Survey | None = None  # the newest network's, once it was asked for

    def do(self, part: Part) -> None:
        """Do one part of a round."""
        work: dict[Part, Callable[[], None]] = {
            "pretrain": self.pretrain,
            "train": self.train,
            "measure": self.measure,
            "rank": self.rank,
            "pick": self.pick,
            "survey": self.survey,
        }
        work[part]()

    def pretrain(self) -> None:
        """Learn from the volumes alone what the first network starts with."""
        project, planned = self._project, self._project.settings.recipe.pretraining
        remove_partial_files(project.checkpoints.glob("*"))
        fitted = pretrain_on_volumes(
            project,
            self._predictor,
            planned,
            partial(self._progress, "pretraining"),
            partial(labels_are_waiting, project) if self._annotator == "person" else lambda: False,
            self.unreadable,
        )
        if fitted.steps < planned.steps:
            words = (
                f"ended after {fitted.steps} of {planned.steps} steps, as labels wait for the first network"
            )
            project.store.note("pretraining", words)

    def train(self) -> None:
        """Fit the network to all labels, from the newest weights that there are."""
        project = self._project
        remove_partial_files(project.checkpoints.glob("*"))  # a killed trainer's; there is one at a time
        at = rounds.begin_round(project.store)
        following = self._start(_pool(rounds.labels_of(project.store, at)).second_class_is_new)
        started = time.perf_counter()
        fitted = self._with_labels(
            at, lambda labels: self._learner(labels, candidates=[], following=following).train()
        )
        name = f"round-{at.number:04d}.safetensors"
        self._predictor.save(project.checkpoints / name)
        rounds.finish_round(project.store, at.number, name, fitted.final_loss, time.perf_counter() - started)
        self._holds = at.number
        self._forget_checkpoints()

    def measure(self) -> None:
        """Count what the newest network that does not know all audit masks gets right on those new to it.

        Does nothing where every network knows them all.
        """
        project = self._project
        at = _to_measure(project)
        if at is None or not self._can_load(at):
            return
        known = rounds.last_audit_revision(project.store)  # asked first: a mask that comes meanwhile is new
        counts = {}
        painted = project.store.submitted("audit", after=at.audited)
        for done, (stored, mask) in enumerate(painted.items(), start=1):
            try:
                probability = self._predict([stored.patch])[0]
            except VolumeError as error:
                self.unreadable.tell(stored.patch, error)
                continue
            table = confusion(mask, probability.argmax(axis=0), self._predictor.classes)
            hit, truth, predicted = np.diag(table), table.sum(axis=1), table.sum(axis=0)
            counts[stored.id] = np.stack([hit, truth, predicted], axis=1)[1:]
            self._progress("evaluating", done, len(painted))
        with project.store.change():
            rounds.write_audit(project.store, at.number, counts, known)
            write_quality(project.store, at.number)

    def pick(self) -> None:
        """Refill the queue before there is any network."""
        store, seed = self._project.store, self._project.settings.seed
        again = store.count_answered()  # so that every refill draws other candidates
        picks = self._project.first_picks(
            stream(seed, Purpose.POOL, again), stream(seed, Purpose.SELECT, again)
        )
        store.replace_queue(picks, None)

    def rank(self) -> None:
        """Let the strategy pick what to label next, and draw the network's proposals for it.

        Does nothing where the newest network is lost.
        """
        project, latest = self._project, self._newest()
        if latest is None:
            return
        self._looking = self._survey_of(latest)
        survey = self._looking
        with selecting(project.settings.strategy):
            selection = self._with_labels(latest, lambda labels: self._selection(latest, survey, labels))
        proposals: dict[PatchId, NDArray[np.uint8]] = {}
        uncertainties: dict[PatchId, NDArray[np.uint8]] = {}
        shown = [*dict.fromkeys((*selection.patches, *project.store.asked()))]
        for start in range(0, len(shown), PROPOSALS_AT_ONCE):
            for patch, probability in self._readable(shown[start : start + PROPOSALS_AT_ONCE]).items():
                proposals[patch] = probability.argmax(axis=0).astype(np.uint8)
                uncertainties[patch] = uncertainty(probability[None])[0]
        with project.store.change():
            project.store.replace_queue(selection, latest.number, proposals)
            write_uncertainties(project.store, latest.number, uncertainties)
            rounds.mark_ranked(project.store, latest.number)
        self._looking.mark_ranked()

    def survey(self) -> None:
        """Look at some more of the volume with the newest network. Does nothing where that is lost."""
        latest = self._newest()
        if latest is None:
            return
        if self._looking is None or self._looking.round != latest.number:
            self._looking = self._survey_of(latest)
        self._looking.look_further()

    def _survey_of(self, at: Round) -> Survey:
        return Survey(self._project, self._predictor, at, self._progress, self.unreadable)

    def _selection(self, latest: Round, survey: Survey, labels: rounds.Labels) -> Selection:
        """What to label next, as the network of a round ranks it."""
        project, store = self._project, self._project.store
        k = QUEUE * project.settings.per_round
        if project.settings.candidates == "random":  # just as a benchmark
            learner = self._learner(labels, survey.drawn())
            k = min(k, len(learner.pool.unlabelled))
            return learner.propose(k) if k else Selection((), (), ())
        painted = at_work(store)
        taken = [*store.answered(), *painted, *store.asked()]
        strategy = project.strategy
        if not project.settings.start:  # another project's network may know more classes than the labels show
            strategy = exploring(strategy, _pool(labels).classes())
        learner = self._learner(labels, [], WithoutLookAlikes(strategy, taken))
        picks = learner.choose(survey.measured(k, frozenset(taken)), k)
        return _kept(store, latest, painted).followed_by(picks)

    def _predict(self, patches: Sequence[PatchId]) -> NDArray[np.float32]:
        return predict_patches(self._project, self._predictor, patches)

    def _readable(self, patches: Sequence[PatchId]) -> dict[PatchId, NDArray[np.float32]]:
        """What the network predicts on those of the patches that can be read, be it none."""

        def predicted(some: Sequence[PatchId]) -> dict[PatchId, NDArray[np.float32]]:
            return dict(zip(some, self._predict(some), strict=True))

        try:
            smoothing = self._project.settings.recipe.measuring.smoothing
            return self.unreadable.without(patches, self._predictor.context, predicted, smoothing)
        except VolumeError:
            return {}

    def _with_labels(self, at: Round, work: Callable[[rounds.Labels], T]) -> T:
        """What `work` makes of the labels of a round, less those of patches that cannot be read."""
        labels = rounds.labels_of(self._project.store, at)
        return self.unreadable.without(
            [*labels], self._predictor.context, lambda some: work({patch: labels[patch] for patch in some})
        )

    def _learner(
        self,
        labels: rounds.Labels,
        candidates: list[PatchId],
        strategy: Strategy | None = None,
        following: Phase | None = None,
    ) -> ActiveLearner:
        settings = self._project.settings
        return ActiveLearner(
            self._predictor,
            strategy or self._project.strategy,
            _pool(labels, candidates),
            self._project.inputs,
            Person(),
            settings.recipe.first,
            following or settings.recipe.following,
            settings.seed,
            self._progress,
        )

    def _newest(self) -> Round | None:
        """The last round, whose network is loaded; None where that is lost."""
        latest = rounds.latest_round(self._project.store)
        assert latest is not None  # by `due`
        return latest if self._can_load(latest) else None

    def _start(self, over: bool) -> Phase:
        """Load the newest network that there is, or, starting over, what the first one starts from; how to
        train it, where not all labels are of the first round."""
        project, recipe = self._project, self._project.settings.recipe
        latest = rounds.latest_round(project.store)
        for at in [] if over else rounds.with_networks(project.store):
            if (at == latest or _is_there(project, at)) and self._can_load(at):
                return recipe.following
        self._predictor.start_over()
        self._holds = None
        start_pretrained(project, self._predictor)
        return recipe.first

    def _load(self, at: Round) -> None:
        if self._holds != at.number:
            assert at.checkpoint is not None  # finished
            self._predictor.load_weights(self._project.checkpoints / at.checkpoint)
            self._holds = at.number

    def _can_load(self, at: Round) -> bool:
        """Load a network. One that is lost is given up, and what is left of it deleted.

        Raises CheckpointError where the newest one is whole and another than project.toml says.
        """
        if at.checkpoint is None:
            return False
        try:
            self._load(at)
        except CheckpointError as error:
            project, latest = self._project, rounds.latest_round(self._project.store)
            if at == latest and is_whole(project.checkpoints / at.checkpoint):
                raise
            which = "The newest" if at == latest else "An earlier"
            why = f"{which} network is given up. {error.what}\n  got:      {error.got}"
            rounds.give_up(project.store, at.number, why)
            for path in project.checkpoints.glob(f"round-{at.number:04d}.*"):
                path.unlink()
            return False
        return True

    def _forget_checkpoints(self) -> None:
        kept = 0
        for place, (_, paths) in enumerate(sorted(_checkpoints(self._project).items(), reverse=True)):
            kept += sum(path.stat().st_size for path in paths)
            if place >= KEPT_NETWORKS and kept > KEPT_BYTES:
                for path in paths:
                    path.unlink()


def _pool(labels: rounds.Labels, candidates: Sequence[PatchId] = ()) -> Pool:
    """The candidates, and the labels as what each round learned from."""
    drawn = set(candidates)
    pool = Pool([*(patch for patch in labels if patch not in drawn), *candidates])
    for number in sorted({learned for _, learned in labels.values()}):
        masks = {patch: mask for patch, (mask, learned) in labels.items() if learned == number}
        pool.store(masks, number, ranked_by=None)
    return pool


def _kept(store: Store, latest: Round, painted: Sequence[PatchId]) -> Selection:
    """What stays in the queue when the same network ranks it again: the patches that somebody is painting."""
    queue = store.queue()
    stay = [each for each in queue if each.ranked_by == latest.number and each.stored.patch in painted]
    return Selection(
        tuple(each.stored.patch for each in stay),
        tuple(each.utility for each in stay),
        tuple(each.reason for each in stay),
    )


def _to_measure(project: Project) -> Round | None:
    """The newest round whose network is there and does not know the newest audit masks."""
    behind = rounds.to_measure(project.store)
    return next((at for at in behind if _is_there(project, at)), None)


def _is_there(project: Project, at: Round) -> bool:
    """Whether there are both files of a round's network. Reads neither."""
    if at.checkpoint is None:
        return False
    path = project.checkpoints / at.checkpoint
    return path.exists() and path.with_suffix(".json").exists()


def _checkpoints(project: Project) -> dict[int, list[Path]]:
    """The files of each round's network that are still there."""
    found: dict[int, list[Path]] = {}
    for path in project.checkpoints.glob("round-*"):
        found.setdefault(int(path.name.split(".")[0].removeprefix("round-")), []).append(path)
    return found
