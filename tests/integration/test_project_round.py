"""Train, measure, rank: what is due when, and what each leaves in the project."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from pickem.errors import SelectionError
from pickem.geometry import PatchId
from pickem.learning.round import Stage
from pickem.predictor import PretrainingSettings, most_images
from pickem.project import round as project_round
from pickem.project import rounds
from pickem.project.inputs import NetworkInputs
from pickem.project.project import Project, open_project
from pickem.project.quality import course, estimate
from pickem.project.round import Learning, due
from pickem.project.serving import next_patch
from pickem.project.settings import VolumeSource
from pickem.project.uncertainty import stored_uncertainty
from tests.fixtures.distribution import WITHOUT_A_NUMBER, install
from tests.fixtures.tiny_project import (
    PRETRAINED,
    answer,
    learn,
    learning,
    make_tiny_project,
    make_trained_project,
    paint_audit,
    paint_queue,
)


def skip_queue(project: Project) -> None:
    for queued in project.store.queue():
        answer(project.store, queued.stored.id, None, "skipped")


def test_a_round_begins_with_enough_labels_and_not_before(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_audit(project, 2)
        paint_queue(project, 3)
        assert due(project) is None
        paint_queue(project, 1)
        assert learn(project) == ["train", "rank", "measure"]
        paint_queue(project, 2)
        assert due(project) is None
        paint_queue(project, 1)
        assert learn(project) == ["train", "rank", "measure"]
        paint_audit(project, 1)
        assert learn(project) == ["measure", "measure"], "the newest network, and the one before it"


@pytest.mark.parametrize("candidates", ["random", "tiling"])
def test_a_strategy_whose_utilities_are_no_numbers_is_named_and_the_queue_stays(
    candidates: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "odd-picks", {"odd": "WithoutANumber"}, WITHOUT_A_NUMBER)
    with open_project(make_trained_project(tmp_path, strategy="odd", candidates=candidates)) as project:
        before = project.store.queue()
        with pytest.raises(SelectionError, match=r"strategy odd cannot pick\. .* not a finite number"):
            learning(project).do("rank")
        assert project.store.queue() == before


def test_asking_what_is_due_does_not_read_the_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trainer asks twice a second until there are labels; what has changed is read again."""
    read, weights = Path.read_bytes, []

    def counted(path: Path) -> bytes:
        if path.suffix == ".safetensors":
            weights.append(path.name)
        return read(path)

    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED)) as project:
        learning(project).do("pretrain")
        monkeypatch.setattr(Path, "read_bytes", counted)
        assert [due(project) for _ in range(20)] == [None] * 20
        assert weights == ["pretrained.safetensors"]
        description = project.checkpoints / "pretrained.json"
        learned = json.loads(description.read_text())
        description.write_text(json.dumps(learned | {"steps": 1}))
        assert due(project) == "pretrain"


def test_the_network_is_pretrained_once_while_the_first_patches_are_labelled(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED)) as project:
        said: list[tuple[Stage, int, int]] = []
        assert due(project) == "pretrain"
        learning(project, said).do("pretrain")
        assert said == [("pretraining", 1, 2), ("pretraining", 2, 2)]
        assert due(project) is None
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank"]
        with_start = newest_weights(project)
    with open_project(make_tiny_project(tmp_path / "without")) as project:
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank"]
        assert newest_weights(project) != with_start


@pytest.mark.parametrize("candidates", ["tiling", "random"])
def test_no_more_is_pretrained_on_than_fits_in_memory(
    tmp_path: Path, candidates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert most_images(128 + 2 * 32, channels=1) >= 2000, "all of the usual pool"
    assert most_images(4096 + 2 * 32, channels=1) * 4096**2 < 2**29
    monkeypatch.setattr("pickem.predictor.pretraining.MOST_VALUES", 7 * 32**2)
    read: list[int] = []
    grey_values = NetworkInputs.grey_values

    def counting(inputs: NetworkInputs, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.generic]:
        read.append(len(patches))
        return grey_values(inputs, patches, context)

    monkeypatch.setattr(NetworkInputs, "grey_values", counting)
    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED, candidates=candidates)) as project:
        learning(project).do("pretrain")
    assert read == [7]


def test_pretraining_ends_when_labels_wait_and_keeps_what_it_learned(tmp_path: Path) -> None:
    long = PRETRAINED.model_copy(update={"pretraining": PretrainingSettings(steps=1000, batch_size=2)})
    with open_project(make_tiny_project(tmp_path, recipe=long)) as project:
        said: list[int] = []

        def progress(stage: Stage, done: int, total: int) -> None:
            said.append(done)
            if done in (2, 5):  # a person answers meanwhile
                paint_queue(project, 2)

        hands = Learning(project, project.predictor("cpu"), progress, "person")
        assert due(project, "person") == "pretrain"
        hands.do("pretrain")
        assert said == [1, 2, 3, 4, 5]
        header = json.loads((project.checkpoints / "pretrained.json").read_text())
        assert header["steps"] == 5
        assert "5 of 1000 steps" in project.store.events(1)[0][2]
        assert due(project, "person") == "train"
        assert due(project, "simulated") == "pretrain", "what has to be repeatable goes on to the end"


def test_labels_that_are_there_first_are_not_kept_waiting(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED)) as project:
        paint_queue(project, 4)
        assert due(project, "person") == "train"
        assert due(project, "simulated") == "pretrain", "and what has to be repeatable waits"


def newest_weights(project: Project) -> bytes:
    latest = rounds.latest_round(project.store)
    assert latest is not None
    return (project.checkpoints / str(latest.checkpoint)).read_bytes()


def test_a_damaged_start_is_done_without(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED)) as project:
        learning(project).do("pretrain")
        (project.checkpoints / "pretrained.safetensors").write_bytes(b"cut short")
        paint_queue(project, 4)
        assert learn(project) == ["train", "rank"]
        assert any("without pretraining" in message for _, _, message in project.store.events(10))


def test_who_begins_with_another_network_needs_no_pretraining(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, recipe=PRETRAINED, start="start.safetensors")) as project:
        assert due(project) is None


def test_what_a_round_leaves(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        store = project.store
        paint_queue(project, 4)
        paint_audit(project, 2)
        answered = set(store.answered())
        learn(project)
        queue = store.queue()
        assert len(queue) == 9, "three rounds' worth"
        assert not answered & {queued.stored.patch for queued in queue}
        for queued in queue:
            assert queued.ranked_by == 0
            assert "entropy" in queued.reason
            assert project.candidates().allows(queued.stored.patch)
            proposal = store.proposal(queued.stored.id)
            assert proposal is not None
            assert set(np.unique(proposal)) <= {0, 1}
            unsure = stored_uncertainty(store, queued.stored.id)
            assert unsure is not None
            reported = unsure.mean() / 255 * np.log(2)  # by another way: the strategy ranked by its mean
            assert reported == pytest.approx(queued.utility, abs=0.002)
        utilities = [queued.utility for queued in queue]
        assert utilities == sorted(utilities, reverse=True)
        counts = rounds.audit_counts(store, 0)
        truth = sum(int(mask.sum()) for mask in store.submitted("audit").values())
        assert sum(c.truth for c in counts[1]) == truth
        quality = estimate(counts)
        assert quality is not None
        assert quality.patches == 2


def test_the_audit_is_never_trained_on(tmp_path: Path) -> None:
    """With the audit painted, the network is the same as without."""
    weights = []
    for name, audits in (("without", 0), ("with", 4)):
        with open_project(make_tiny_project(tmp_path / name)) as project:
            paint_audit(project, audits)
            paint_queue(project, 4)
            learn(project)
            weights.append((project.checkpoints / "round-0000.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_of_many_networks_the_oldest_are_forgotten_and_never_the_last_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_round, "KEPT_BYTES", 0)
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        learn(project)
        for _ in range(2):
            paint_queue(project, 3)
            learn(project)
        kept = sorted(path.name for path in project.checkpoints.iterdir())
        paint_audit(project, 1)
        assert learn(project) == ["measure", "measure"], "those that are there"
    assert kept == [f"round-000{n}.{ending}" for n in (1, 2) for ending in ("json", "safetensors")]


def test_every_network_is_measured_on_all_audit_masks_painted_by_now(tmp_path: Path) -> None:
    """A mask painted or corrected later counts at once, for the networks before it as well."""
    with open_project(make_tiny_project(tmp_path)) as project:
        store = project.store
        paint_queue(project, 4)
        paint_audit(project, 1)
        learn(project)
        paint_queue(project, 3)
        paint_audit(project, 3)
        assert learn(project) == ["train", "rank", "measure", "measure"]
        assert [measured.quality.patches for measured in course(store)] == [4, 4]
        corrected, mask = next(iter(store.submitted("audit").items()))
        answer(store, corrected.id, 1 - mask, "submitted")
        project.inputs.images = watched = Watched(project.inputs.images)  # type: ignore[method-assign]
        assert learn(project) == ["measure", "measure"]
        assert watched.asked == [corrected.patch] * 2, "and no other is looked at again"
        counts = [rounds.audit_counts(store, number)[1] for number in (0, 1)]
        painted = sum(int(mask.sum()) for mask in store.submitted("audit").values())
        assert [sum(c.truth for c in of_network) for of_network in counts] == [painted, painted]
        answer(store, corrected.id, None, "skipped")
        assert learn(project) == ["measure", "measure"]
        assert [measured.quality.patches for measured in course(store)] == [3, 3]


def test_a_damaged_earlier_network_is_given_up_and_learning_goes_on(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        learn(project)
        paint_queue(project, 3)
        learn(project)
        (project.checkpoints / "round-0000.safetensors").write_bytes(b"damaged")
        paint_audit(project, 2)
        assert learn(project) == ["measure", "measure"]
        assert [measured.round for measured in course(project.store)] == [1]
        assert "given up" in project.store.events(1)[0][2]
        assert not list(project.checkpoints.glob("round-0000*"))


class Watched:
    """Reads images, and remembers of which patches."""

    def __init__(self, images: Callable[[Sequence[PatchId], int], NDArray[np.generic]]) -> None:
        self._images = images
        self.asked: list[PatchId] = []

    def __call__(self, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.generic]:
        self.asked += patches
        return self._images(patches, context)


@pytest.mark.parametrize("candidates", ["tiling", "random"])
def test_skipping_before_there_is_a_network_brings_new_patches_until_all_were_seen(
    tmp_path: Path, candidates: str
) -> None:
    """Whoever skips all of an unusable volume is never told that nothing waits while something does."""
    grey = np.random.default_rng(0).integers(0, 255, (4, 64, 96), np.uint8)
    tifffile.imwrite(tmp_path / "small.tif", grey, photometric="minisblack")
    small = {"volumes": {"small": VolumeSource(path="small.tif")}, "audit_patches": 0, "pool": 24}
    with open_project(make_tiny_project(tmp_path, candidates=candidates, **small)) as project:
        everything = set(project.draw(24, np.random.default_rng(0)))
        while (served := next_patch(project.store, audit_every=5)) is not None:
            answer(project.store, served.id, None, "skipped")
            assert set(learn(project)) <= {"pick"}
        assert set(project.store.answered()) == everything
        assert due(project) is None


@pytest.mark.parametrize("candidates", ["tiling", "random"])
def test_what_is_to_be_left_out_is_not_drawn(tmp_path: Path, candidates: str) -> None:
    with open_project(make_tiny_project(tmp_path, candidates=candidates)) as project:
        drawn = project.draw(30, np.random.default_rng(0))
        again = project.draw(30, np.random.default_rng(0), without=drawn[::2])
        assert not {*drawn[::2]} & {*again}
        if candidates == "random":
            assert again == drawn[1::2], "the pool is the same"


@pytest.mark.parametrize("per_round", [1, 3])
def test_a_queue_that_was_skipped_through_is_ranked_anew(tmp_path: Path, per_round: int) -> None:
    with open_project(make_tiny_project(tmp_path, per_round=per_round)) as project:
        paint_queue(project, 4)
        learn(project)
        before = {queued.stored.patch for queued in project.store.queue()}
        skip_queue(project)
        assert learn(project) == ["rank"]
        after = {queued.stored.patch for queued in project.store.queue()}
        assert len(after) == 3 * per_round
        assert not before & after


def test_when_nothing_is_left_to_label_the_trainer_rests(tmp_path: Path) -> None:
    volume_of_patches = 12 * 4 * 3
    with open_project(make_tiny_project(tmp_path, pool=volume_of_patches, per_round=40)) as project:
        paint_queue(project, 4)
        seen: set[PatchId] = set()
        while True:
            learn(project)
            queue = {queued.stored.patch for queued in project.store.queue()}
            if not queue:
                break
            assert not queue & seen
            seen |= queue
            skip_queue(project)
        assert due(project) is None
        candidates = project.candidates()
        everything = set(candidates.draw(len(candidates), np.random.default_rng(0)))
        assert set(project.store.answered()) >= everything


def test_the_last_patches_of_a_volume_are_not_ranked_for_ever(tmp_path: Path) -> None:
    """Six patches in all; what is submitted after a round began must not be proposed by it again."""
    tifffile.imwrite(tmp_path / "small.tif", np.random.default_rng(0).integers(0, 255, (64, 96), np.uint8))
    small = {"volumes": {"small": VolumeSource(path="small.tif")}, "audit_patches": 0}
    with open_project(make_tiny_project(tmp_path, first_patches=2, per_round=4, **small)) as project:
        for _ in range(6):
            number = project.store.queue()[0].stored.id
            answer(project.store, number, np.eye(32, dtype=np.uint8), "submitted")
            learn(project, most=4)
        assert project.store.queue() == []


def test_every_round_draws_its_candidates_anew(tmp_path: Path) -> None:
    """Ten candidates a round, three of them labelled: seven of the same ten would be left."""
    with open_project(make_tiny_project(tmp_path, pool=10)) as project:
        paint_queue(project, 4)
        learn(project)
        before = {queued.stored.patch for queued in project.store.queue()}
        paint_queue(project, 3)
        learn(project)
        after = {queued.stored.patch for queued in project.store.queue()}
    assert len(after) == 9
    assert len(after - before) > 3


def test_labels_that_were_all_taken_back_train_nothing(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path, first_patches=1)) as project:
        number = project.store.queue()[0].stored.id
        answer(project.store, number, np.ones((32, 32), np.uint8), "submitted")
        answer(project.store, number, None, "skipped")
        assert due(project) is None


def test_labels_without_a_labelled_pixel_do_no_harm(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        for queued in project.store.queue()[:4]:
            answer(project.store, queued.stored.id, np.full((32, 32), 255, np.uint8), "submitted")
        paint_audit(project, 1)
        assert learn(project) == ["train", "rank", "measure"]


def test_progress_is_told_stage_by_stage(tmp_path: Path) -> None:
    said: list[tuple[Stage, int, int]] = []
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        paint_audit(project, 2)
        hands = learning(project, said)
        for part in ("train", "rank", "measure"):
            hands.do(part)
    assert list(dict.fromkeys(stage for stage, _, _ in said)) == ["training", "scoring", "evaluating"]
    assert [step for step in said if step[0] == "training"] == [("training", n, 6) for n in range(1, 7)]
    assert said[-1] == ("evaluating", 2, 2)
