"""The trainer is started again whatever has ended it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pickem.errors import StorageError
from pickem.project.project import open_project
from pickem.web import supervisor as supervisor_module
from pickem.web.supervisor import Supervisor
from tests.fixtures.labelling_server import wait_until
from tests.fixtures.tiny_project import make_tiny_project, paint_queue


def supervisor_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, note: Callable[[str], None]
) -> Supervisor:
    """The supervisor of a trainer that is a shell script."""
    trainer = folder / "trainer.sh"
    trainer.write_text(f"#!/bin/sh\n{script}")
    trainer.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(trainer))
        return Supervisor(folder / "no.pickem", [], note)


def pauses(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> list[str]:
    """What is said of the first two pauses between the crashes of such a trainer."""
    said: list[str] = []
    supervisor = supervisor_of(
        folder, monkeypatch, script, lambda words: said.append(supervisor.activity.doing)
    )
    supervisor.start()
    try:
        wait_until(lambda: len(said) == 2, "the trainer is started again")
    finally:
        supervisor.stop()
    return said


TRAINING = """
echo '{"doing": "starting"}'
echo '{"doing": "waiting for labels"}'
echo '{"doing": "training", "done": 3, "total": 9, "parts": PARTS}'
exit 1
"""


def test_the_pauses_between_crashes_of_the_same_training_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = TRAINING.replace("PARTS", "0")
    assert pauses(tmp_path, monkeypatch, script) == ["starting again in 2 s", "starting again in 4 s"]


def test_a_trainer_that_has_completed_something_is_started_again_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = TRAINING.replace("PARTS", "1")
    assert pauses(tmp_path, monkeypatch, script) == ["starting again in 1 s"] * 2


def test_so_is_one_that_ran_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "LONGEST_PAUSE", 0.0)
    assert pauses(tmp_path, monkeypatch, "exit 1\n") == ["starting again in 1 s"] * 2


def test_the_trainer_says_what_it_has_completed(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        paint_queue(project, 4)
    crashes: list[str] = []
    supervisor = Supervisor(folder, ["--device", "cpu", "--annotator", "simulated"], crashes.append)
    supervisor.start()
    try:
        wait_until(lambda: supervisor.activity.parts == 2, "the trainer has trained and ranked")
    finally:
        supervisor.stop()
    assert crashes == []


def test_a_crash_that_cannot_be_noted_does_not_end_the_trainer_for_good(tmp_path: Path) -> None:
    crashes = []

    def full_disk(words: str) -> None:
        crashes.append(words)
        raise StorageError("The disk is full.")

    supervisor = Supervisor(tmp_path / "no.pickem", [], full_disk)
    supervisor.start()
    try:
        wait_until(lambda: len(crashes) == 2, "the trainer is started again")
    finally:
        supervisor.stop()
    assert all("There is no pickem project here." in words for words in crashes)


def test_a_trainer_that_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(tmp_path / "no-python"))
        supervisor = Supervisor(tmp_path / "no.pickem", [], crashes.append)
    supervisor.start()
    try:
        wait_until(lambda: len(crashes) == 2, "the trainer is started again")
    finally:
        supervisor.stop()
    assert all("cannot be started" in words for words in crashes)


def test_lines_that_are_no_news_go_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A library that prints must not end the thread that listens."""
    supervisor = supervisor_of(
        tmp_path,
        monkeypatch,
        "echo 'Loading weights: 100%'\necho 17\necho '{\"mood\": \"good\"}'\n"
        'echo \'{"doing": "training", "done": 3, "total": 9, "seconds_left": 1.5}\'\n'
        "exec cat\n",
        lambda words: None,
    )
    supervisor.start()
    try:
        wait_until(lambda: supervisor.activity.doing == "training", "the trainer is heard")
    finally:
        supervisor.stop()
    assert (supervisor.activity.done, supervisor.activity.total) == (3, 9)
    for words in ("Loading weights: 100%", "17", '{"mood": "good"}'):
        assert f"the trainer: {words}" in caplog.messages
