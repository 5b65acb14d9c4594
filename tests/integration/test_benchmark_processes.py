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
