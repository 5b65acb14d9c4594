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
