"""Several runs of a benchmark at a time: a process that dies, and what the runs share, which is made once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from pickem.benchmark import Progress, benchmark
from pickem.errors import RunError
from tests.fixtures.tiny_dataset import write_tiny_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_dataset(tmp_path_factory.mktemp("tiny") / "data").parent


class _EndsTheProcessThatLoadsIt(str):
    """The name of a dataset; whoever unpickles it ends at once."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (9,)


@pytest.fixture(scope="module")
def without_pretraining(folder: Path) -> Path:
    path = folder / "without-pretraining.toml"
    profile = (folder / "profile.toml").read_text()
    path.write_text(profile.replace("[pretraining]", '[pretraining]\ntask = "none"'))
    return path


def followed(folder: Path, profile: Path, out: Path, strategies: list[str], seeds: int = 1) -> list[Progress]:
    """What two processes tell of a benchmark of one round."""
    seen: list[Progress] = []
    benchmark(
        str(folder / "tiny.toml"),
        out,
        profile=str(profile),
        strategies=strategies,
        seeds=seeds,
        rounds=1,
        jobs=2,
        watch=seen.append,
    )
    return seen


def who(seen: list[Progress], stage: str) -> set[str]:
    """The runs that were at this stage."""
    return {progress.strategy for progress in seen if progress.stage == stage}


def test_the_first_network_is_trained_once_though_full_supervision_is_done(
    folder: Path, without_pretraining: Path, tmp_path: Path
) -> None:
    before = followed(folder, without_pretraining, tmp_path / "out", ["full-matched"])
    assert who(before, "training") == {"full-matched"}
    strategies = ["full-matched", "random", "entropy"]
    assert who(followed(folder, without_pretraining, tmp_path / "out", strategies), "training") == {"random"}


def test_a_seed_is_pretrained_once_for_full_supervision_too(folder: Path, tmp_path: Path) -> None:
    seen = followed(folder, folder / "profile.toml", tmp_path / "out", ["full-matched", "random"])
    assert who(seen, "pretraining") == {"random"}
    assert who(seen, "training") == {"random", "full-matched"}


def test_full_supervision_alone_is_pretrained_once(folder: Path, tmp_path: Path) -> None:
    seen = followed(folder, folder / "profile.toml", tmp_path / "out", ["full-matched", "full-converged"])
    told_by = [progress.strategy for progress in seen]
    assert set(told_by) == {"full-matched", "full-converged"}
    assert told_by == sorted(told_by, reverse=True), "the second run began before the first was done"


def test_the_steps_of_full_converged_are_searched_once(
    folder: Path, without_pretraining: Path, tmp_path: Path
) -> None:
    seen = followed(folder, without_pretraining, tmp_path / "out", ["full-converged"], seeds=2)
    seeds = [progress.seed for progress in seen]
    assert set(seeds) == {0, 1}
    assert seeds == sorted(seeds), "the second run began before the first had found the number"


def test_a_process_that_dies_while_loading_is_an_error_for_people(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="ended without a word") as raised:
        benchmark(
            _EndsTheProcessThatLoadsIt(folder / "tiny.toml"),
            tmp_path / "out",
            profile=str(folder / "profile.toml"),
            jobs=2,
        )
    assert "exit code 9 in Task(strategy='random', seed=0)" in str(raised.value)


@pytest.mark.parametrize("which", [0, 1], ids=["at work", "waiting"])
def test_a_process_that_is_killed_is_an_error_for_people(which: int, folder: Path, tmp_path: Path) -> None:
    """The second process has nothing to do before the first network is there."""
    killed: list[BaseProcess] = []

    def kill(progress: Progress) -> None:
        if not killed:
            by_number = sorted(multiprocessing.active_children(), key=lambda p: int(p.name.split("-")[1]))
            killed.append(by_number[which])
            killed[0].kill()
            killed[0].join()

    with pytest.raises(RunError, match="ended without a word") as raised:
        benchmark(
            str(folder / "tiny.toml"),
            tmp_path / "out",
            profile=str(folder / "profile.toml"),
            strategies=["random", "entropy"],
            rounds=1,
            jobs=2,
            watch=kill,
        )
    assert f"exit code {-signal.SIGKILL} in Task(" in str(raised.value)
