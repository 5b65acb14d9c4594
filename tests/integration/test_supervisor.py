"""The trainer is started again whatever has ended it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pickem.errors import StorageError
from pickem.web.supervisor import Supervisor
from tests.fixtures.labelling_server import wait_until


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
    trainer = tmp_path / "trainer.sh"
    trainer.write_text(
        "#!/bin/sh\n"
        "echo 'Loading weights: 100%'\necho 17\necho '{\"mood\": \"good\"}'\n"
        'echo \'{"doing": "training", "done": 3, "total": 9, "seconds_left": 1.5}\'\n'
        "exec cat\n"
    )
    trainer.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(trainer))
        supervisor = Supervisor(tmp_path / "no.pickem", [], lambda words: None)
    supervisor.start()
    try:
        wait_until(lambda: supervisor.activity.doing == "training", "the trainer is heard")
    finally:
        supervisor.stop()
    assert (supervisor.activity.done, supervisor.activity.total) == (3, 9)
    for words in ("Loading weights: 100%", "17", '{"mood": "good"}'):
        assert f"the trainer: {words}" in caplog.messages
